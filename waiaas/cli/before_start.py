"""`waiaas upgrade --recover --no-start`, as a service manager calls it before each start of the daemon: the
quick answer that there is nothing to recover. Where there is, `cli/upgrade_work.py` does it."""

from collections.abc import Mapping
from pathlib import Path

from waiaas import __version__
from waiaas.cli.flags import Flags
from waiaas.cli.output import Result
from waiaas.cli.where import data_dir
from waiaas.core.layout import FOLDER, ProgramLayout
from waiaas.upgrade.standing import nothing_to_recover

NOTHING = "no run was interrupted"


def answer(program: Path | None, flags: Flags, environ: Mapping[str, str]) -> Result | None:
    """None: it has to be looked at properly. Raises `RollbackFailed` for a journal that cannot be read."""
    if program is None or program.parent.name == FOLDER:
        return None
    idle = nothing_to_recover(ProgramLayout(program), data_dir(flags.data_dir, environ))
    return Result(unchanged(NOTHING), "") if idle else None


def unchanged(reason: str) -> dict[str, object]:
    """The document of an upgrade that had nothing to do, and why."""
    return {
        "run": None,
        "from": __version__,
        "to": __version__,
        "outcome": "up-to-date",
        "steps": [],
        "backup": None,
        "downtimeSeconds": None,
        "error": None,
        "reason": reason,
    }
