"""Who has a file open to write: asked before the file is renamed away under them."""

import os
from pathlib import Path


def stranger(path: Path, gate: Path) -> int | None:
    """The pid of a process that has `path` open to write and not `gate`, or None.

    Ours have the gate open for longer than the database. Of another user's processes only root sees
    the files; and as they come and go meanwhile, one look is a suspicion, no proof.
    """
    for process in Path("/proc").iterdir():
        other = process.name.isdigit() and int(process.name) != os.getpid()
        if other and _writes(process, path, gate):
            return int(process.name)
    return None


def _writes(process: Path, path: Path, gate: Path) -> bool:
    """The names of open files are read, never followed: what lies there may hang."""
    found = False
    try:
        for descriptor in (process / "fd").iterdir():
            opened = descriptor.readlink()
            if opened == gate:
                return False
            found = found or (opened == path and _to_write(process / "fdinfo" / descriptor.name))
    except OSError:  # it has ended, or is not ours to look at
        return False
    return found


def _to_write(described: Path) -> bool:
    text = described.read_text(encoding="ascii")
    flags = next(line.split()[1] for line in text.splitlines() if line.startswith("flags:"))
    return int(flags, 8) & os.O_ACCMODE != os.O_RDONLY
