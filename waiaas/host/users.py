"""Who has a file open to write: asked before the file is renamed away under them."""

import os
from pathlib import Path


def stranger(path: Path, gate: Path) -> int | None:
    """The pid of a process that has `path` open to write and not `gate`, or None.

    Ours have the gate open for longer than the database. Of another user's processes only root sees
    the files; and as they come and go meanwhile, one look is a suspicion, no proof.
    """
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        if pid != os.getpid() and _writes(pid, str(path), str(gate)):
            return pid
    return None


def _writes(pid: int, path: str, gate: str) -> bool:
    """The names of open files are read, never followed: what lies there may hang."""
    folder = f"/proc/{pid}/fd"
    found = False
    try:
        for number in os.listdir(folder):
            opened = os.readlink(f"{folder}/{number}")
            if opened == gate:
                return False
            found = found or (opened == path and _to_write(pid, number))
    except OSError:  # it has ended, or is not ours to look at
        return False
    return found


def _to_write(pid: int, number: str) -> bool:
    text = Path(f"/proc/{pid}/fdinfo/{number}").read_text(encoding="ascii")
    flags = next(line.split()[1] for line in text.splitlines() if line.startswith("flags:"))
    return int(flags, 8) & os.O_ACCMODE != os.O_RDONLY
