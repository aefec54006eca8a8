"""Who may act: process locks that name their holder, and the database gate.

`Lock` is a POSIX record lock, because `F_GETLK` tells the pid of the holder (DIR-2), which a pid in
a file never proves. Its trap: closing *any* descriptor of the file drops the lock, so a process
opens a lock file once and keeps it. `Gate` is a BSD lock: shared for whoever has the database open,
exclusive for whoever renames the file (DIR-5).
"""

import fcntl
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from waiaas.core.errors import Busy
from waiaas.core.layout import FILE_MODE
from waiaas.host.clock import Clock

FLOCK = "hhqqi4x"  # struct flock on 64-bit Linux: type, whence, start, length, pid
PATIENCE = 0.02  # seconds between two attempts where the kernel offers no timed wait


class Lock:
    """An exclusive lock held until `release` or the end of the process."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def wait(cls, path: Path, what: str, clock: Clock, seconds: float, mode: int = FILE_MODE) -> Self:
        """Take the lock, waiting for whoever holds it. Raises `Busy` when `seconds` are over."""
        end = clock.monotonic() + seconds
        while True:
            try:
                return cls.acquire(path, what, mode)
            except Busy:
                if clock.monotonic() >= end:
                    raise
            clock.sleep(PATIENCE)

    @classmethod
    def acquire(cls, path: Path, what: str, mode: int = FILE_MODE) -> Self:
        """Take the lock at once, or raise `Busy` naming the holder's pid."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        new = not path.exists()
        descriptor = os.open(path, flags, mode)
        try:
            if new:
                os.fchmod(descriptor, mode)  # open(2) applies the umask
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            pid = _holder(descriptor)
            os.close(descriptor)
            who = f" (pid {pid})" if pid else ""
            raise Busy(
                "locked",
                f"another {what} is running{who}",
                "wait until it has finished, then try again",
            ) from problem
        return cls(path, descriptor)

    def release(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def holder(path: Path) -> int | None:
    """The pid that holds the lock, or None. Never call it in the process that holds it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    try:
        return _holder(descriptor)
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> int | None:
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


class Gate:
    """The database gate. Where it cannot be had in time, `Busy`."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._clock = clock

    @contextmanager
    def shared(self, patience: float = 5.0) -> Iterator[None]:
        """Hold it while the database is open. `patience` 0 gives up at once."""
        with self._held(fcntl.LOCK_SH, patience):
            yield

    @contextmanager
    def exclusive(self, patience: float = 10.0) -> Iterator[None]:
        """Hold it while the database file is renamed; nobody has it open then."""
        with self._held(fcntl.LOCK_EX, patience):
            yield

    @contextmanager
    def _held(self, kind: int, patience: float) -> Iterator[None]:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self.path, flags, FILE_MODE)
        end = self._clock.monotonic() + patience
        alone = kind == fcntl.LOCK_EX
        try:
            # who wants it alone shuts the turnstile first: a stream of sharers cannot keep him out
            self._wait(end, lambda: _turnstile(descriptor, fcntl.F_WRLCK if alone else fcntl.F_RDLCK))
            self._wait(end, lambda: fcntl.flock(descriptor, kind | fcntl.LOCK_NB))
            if not alone:
                _turnstile(descriptor, fcntl.F_UNLCK)
            yield
        finally:
            os.close(descriptor)

    def _wait(self, end: float, attempt: Callable[[], None]) -> None:
        while True:
            try:
                return attempt()
            except BlockingIOError as problem:
                if self._clock.monotonic() >= end:
                    raise Busy(
                        "database-busy",
                        f"another process keeps the database: {self.path}",
                        "try again in a moment; `waiaas status` says who runs",
                    ) from problem
            self._clock.sleep(PATIENCE)


def _turnstile(descriptor: int, kind: int) -> None:
    """A lock on the first byte, bound to the open file like the gate itself (F_OFD_SETLK)."""
    fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, struct.pack(FLOCK, kind, os.SEEK_SET, 0, 1, 0))
