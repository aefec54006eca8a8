"""What lies beside the program decides about it, so it is obeyed only where its owner alone can have
written it (UPGR-14): asked before anything of it is read."""

import os
import stat
from collections.abc import Iterator

from waiaas.core.errors import WaiaasError
from waiaas.core.layout import ProgramLayout


def require(program: ProgramLayout, kind: type[WaiaasError] = WaiaasError) -> None:
    """Raises "foreign-place" with every finding, and the command for the first."""
    found = list(findings(program))
    if found:
        raise kind(
            "foreign-place",
            "nothing beside the program is obeyed, and nothing was changed, because: "
            + "; ".join(message for message, _ in found),
            found[0][1],
        )


def findings(program: ProgramLayout) -> Iterator[tuple[str, str]]:
    """What somebody else could have written or can write to, one a line, and what to type."""
    try:
        owner = program.program.stat().st_uid
    except FileNotFoundError:  # it goes by another name: whoever owns the folder gives it one
        owner = program.program.parent.stat().st_uid
    trusted = {0, os.geteuid(), owner}
    for path in (program.base, program.journal, program.history, program.metadata, program.floors):
        try:
            named, found = path.lstat(), path.stat()
        except FileNotFoundError:
            continue
        if stat.S_IMODE(found.st_mode) & 0o022:
            yield f"{path} is writable by others", f"chmod go-w {path}"
        if not {named.st_uid, found.st_uid} <= trusted:
            yield f"{path} belongs to somebody else", f"sudo rm -r {path}"
