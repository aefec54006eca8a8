"""Who may act: process locks that name their holder.

`Lock` is a POSIX record lock, because those tell their holder (`records.py`). Its trap: closing *any*
descriptor of the file drops the lock, so a process opens a lock file once and keeps it.
"""

import fcntl
import os
from pathlib import Path
from typing import Self

from waiaas.core.errors import Busy
from waiaas.core.layout import FILE_MODE
from waiaas.host.clock import Clock
from waiaas.host.gate import PATIENCE
from waiaas.host.gate import Gate as Gate  # callers know both from here
from waiaas.host.records import holder as holder
from waiaas.host.records import holder_of


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
            pid = holder_of(descriptor)
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
