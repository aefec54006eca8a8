"""What the notice of a newer version says, and whether it is due (VCHK-05, VCHK-06)."""

from waiaas.core.errors import WaiaasError
from waiaas.core.value import frozen
from waiaas.core.version import Version
from waiaas.store.keyvalue import StoredCheck
from waiaas.upgrade.notice import MUTED_BY

EVERY = 24 * 3600  # seconds


@frozen
class Due:
    """Something to tell. `urgent`: the installed version was withdrawn, so the day does not count."""

    about: str
    lines: tuple[str, ...]
    urgent: bool = False


def judge(
    stored: StoredCheck, told: str | None, installed: str, now: int, what: str = "Run: waiaas upgrade"
) -> Due | None:
    """What to tell, from what the last check stored: a withdrawal at once, a newer version once a day.

    `told`: what the last notice was about; `what`: the line that says what to do.
    """
    due = _withdrawal(stored, installed, what) or _newer(stored, installed, what)
    if due is None or (due.urgent and due.about != told):
        return due
    recently = stored.notified_at is not None and 0 <= now - stored.notified_at < EVERY
    return None if recently else due


def _withdrawal(stored: StoredCheck, installed: str, what: str) -> Due | None:
    found = stored.withdrawn
    if not found or found.get("version", installed) != installed or found.get("to") == installed:
        return None
    reason = str(found.get("reason", "")).strip()
    target = str(found.get("to") or "")
    first = f"Version {installed} was withdrawn" + (f": {target} replaces it" if target else "")
    lines = (first, *([reason] if reason else []), what)
    return Due(f"withdrawn {installed} {target}", lines, urgent=True)


def _newer(stored: StoredCheck, installed: str, what: str) -> Due | None:
    try:
        newer = stored.latest is not None and Version.parse(stored.latest) > Version.parse(installed)
    except WaiaasError:
        return None
    if not newer:
        return None
    return Due(f"newer {stored.latest}", (f"Update available: {installed} → {stored.latest}", what))


def box(lines: tuple[str, ...]) -> str:
    """The lines in a frame, with an empty line before and after. The last is ours, a command to type."""
    shown = [*map(_plain, lines[:-1]), _plain(lines[-1], None), f"{MUTED_BY}=1 hides this"]
    width = max(map(len, shown)) + 6
    blank = f"│{' ' * width}│"
    middle = [f"│   {line.ljust(width - 3)}│" for line in shown]
    return "\n".join(("", f"╭{'─' * width}╮", blank, *middle, blank, f"╰{'─' * width}╯", ""))


def _plain(line: str, longest: int | None = 100) -> str:
    """What comes from a feed does not move the cursor, and does not fill the screen."""
    return "".join(c if c.isprintable() else " " for c in line)[:longest]
