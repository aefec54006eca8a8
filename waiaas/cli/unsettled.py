"""Settings with something wrong in them: what is told of it, and when a part of it is let pass."""

from pathlib import Path

from waiaas.core.errors import UsageError, WaiaasError
from waiaas.core.layout import ProgramLayout
from waiaas.core.settings import Parsed
from waiaas.upgrade.book import history, open_run


def provisional(program: ProgramLayout | None, data_dir: Path) -> bool:
    """During an open run and after a roll-back unknown keys only warn (SPEC §5)."""
    if program is None or not program.base.is_dir():
        return False
    try:
        closed = [r for r in history(program) if r.get("dataDir") == str(data_dir)]
        last = closed[-1] if closed else {}
        undone = last.get("outcome") == "rolled-back" or last.get("kind") == "rollback"
        return undone or open_run(program) is not None
    except (OSError, WaiaasError):
        return True


def bad_settings(config: Path, parsed: Parsed) -> UsageError:
    found = parsed.problems
    many = "1 problem" if len(found) == 1 else f"{len(found)} problems"
    told = "".join(f"\n  {problem}" for problem in found)
    return UsageError(
        "bad-settings",
        f"{many} in the settings ({config}):{told}",
        "mend them, then `waiaas config validate`",
    )
