"""The database gate: a BSD lock, shared for whoever has the database open, exclusive for whoever renames
the file (DIR-5)."""

import fcntl
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from waiaas.core.errors import Busy
from waiaas.core.layout import FILE_MODE
from waiaas.host.clock import Clock

FLOCK = "hhqqi4x"  # struct flock on 64-bit Linux: type, whence, start, length, pid
PATIENCE = 0.02  # seconds between two attempts where the kernel offers no timed wait


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
