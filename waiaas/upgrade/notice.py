"""The box that tells of a newer version: when it is due, and what it says (VCHK-05..07).

It comes from the database, without network and without waiting for anybody, and every error is
swallowed: a notice is never worth a failure. It is shown only once it is on record that it was.
"""

from waiaas import __version__
from waiaas.core.errors import WaiaasError
from waiaas.core.layout import Layout
from waiaas.core.settings import Settings
from waiaas.core.value import frozen
from waiaas.core.version import Version
from waiaas.host.host import Host
from waiaas.host.locks import Gate, holder
from waiaas.host.sqlite import reading, transaction, writing
from waiaas.store.inspect import look
from waiaas.store.keyvalue import StoredCheck, get, mark_notified, put, stored_check
from waiaas.upgrade.elsewhere import advice

EVERY = 24 * 3600  # seconds
TOLD = "version_check_notified_about"  # a withdrawal is told once at once, then daily
MUTED_BY = "WAIAAS_NO_UPDATE_NOTIFY"


@frozen
class Due:
    """Something to tell. `urgent`: the installed version was withdrawn, so the day does not count."""

    about: str
    lines: tuple[str, ...]
    urgent: bool = False


def notice(host: Host, layout: Layout, settings: Settings, *, asked: bool = False) -> str | None:
    """The box, if one is due now; it counts as shown from here on. Never raises. `asked`: somebody chose
    `[upgrade] mode` on purpose."""
    if host.environ.get(MUTED_BY) == "1" or not settings.daemon.update_check or host.offline:
        return None
    try:
        what = advice(host.program.path, settings.upgrade.mode, asked=asked)
        return _shown(layout, Gate(layout.gate, host.clock), host.clock.seconds(), what)
    except Exception:  # noqa: BLE001 - VCHK-05: any error is swallowed
        return None


def _shown(layout: Layout, gate: Gate, now: int, what: str) -> str | None:
    """Look, and record before showing, both without waiting. A database that is not ours to serve, or
    that a run is about to move away, is not written to (MIG-06, UPGR-12)."""
    with reading(layout.database, gate, patience=0) as connection:
        due = judge(stored_check(connection), get(connection, TOLD), __version__, now, what)
        if due is None or look(connection).action != "ok":
            return None
    with writing(layout.database, gate, patience=0) as connection:
        connection.execute("PRAGMA busy_timeout = 0")
        if holder(layout.run_lock) is not None:
            return None
        with transaction(connection):
            mark_notified(connection, now)
            put(connection, TOLD, due.about, now)
    return box(due.lines)


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
    """The lines in a frame, with an empty line before and after."""
    shown = [_plain(line) for line in (*lines, f"{MUTED_BY}=1 hides this")]
    width = max(map(len, shown)) + 6
    blank = f"│{' ' * width}│"
    middle = [f"│   {line.ljust(width - 3)}│" for line in shown]
    return "\n".join(("", f"╭{'─' * width}╮", blank, *middle, blank, f"╰{'─' * width}╯", ""))


def _plain(line: str) -> str:
    """What comes from a feed does not move the cursor, and does not fill the screen."""
    return "".join(c if c.isprintable() else " " for c in line)[:100]
