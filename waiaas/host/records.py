"""Who holds a POSIX record lock: `F_GETLK` tells the pid of the holder, which a pid in a file never proves
(DIR-2)."""

import fcntl
import os
import struct
from pathlib import Path

from waiaas.host.gate import FLOCK


def holder(path: Path) -> int | None:
    """The pid that holds the lock, or None. Never call it in the process that holds it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    try:
        return holder_of(descriptor)
    finally:
        os.close(descriptor)


def rightful_holder(lock: Path, uid: int | None = None) -> int | None:
    """The same, but only a process of the owner of the lock's folder. `uid`: who that is, where we are root
    and he could exchange the folder for another one (UPGR-14)."""
    pid = holder(lock)
    expected = lock.parent.stat().st_uid if uid is None else uid
    return pid if pid and _owner(pid) in (None, expected) else None


def _owner(pid: int) -> int | None:
    try:
        return Path(f"/proc/{pid}").stat().st_uid
    except OSError:
        return None


def holder_of(descriptor: int) -> int | None:
    """The same of an open lock file."""
    asked = struct.pack(FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    kind, _, _, _, pid = struct.unpack(FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
    return None if kind == fcntl.F_UNLCK else int(pid)


def held_by(path: Path, start: int, length: int) -> int | None:
    """Who else holds a record lock on these bytes of a file: a pid, 0 or -1 where the kernel cannot name
    it, None for nobody."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        asked = struct.pack(FLOCK, fcntl.F_WRLCK, os.SEEK_SET, start, length, 0)
        kind, _, _, _, pid = struct.unpack(FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
        return None if kind == fcntl.F_UNLCK else int(pid)
    finally:
        os.close(descriptor)
