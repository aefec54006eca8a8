"""`waiaas upgrade --recover --no-start`, as a service manager calls it before each start of the daemon: the
quick answer that there is nothing to recover. Where there is, `cli/upgrade_work.py` does it."""

from collections.abc import Mapping
from pathlib import Path

from waiaas.cli.flags import Flags
from waiaas.cli.output import Result
from waiaas.cli.where import data_dir
from waiaas.core.layout import FOLDER, ProgramLayout
from waiaas.upgrade.standing import nothing_to_recover

NOTHING = {"run": None, "outcome": "nothing-to-recover"}


def answer(program: Path | None, flags: Flags, environ: Mapping[str, str]) -> Result | None:
    """None: it has to be looked at properly. Raises `RollbackFailed` for a journal that cannot be read."""
    if program is None or program.parent.name == FOLDER:
        return None
    idle = nothing_to_recover(ProgramLayout(program), data_dir(flags.data_dir, environ))
    return Result(NOTHING, "") if idle else None
