"""The log of a detached daemon: a file of bounded size, and a bounded number of older ones."""

import os
from contextlib import suppress
from pathlib import Path

from waiaas.core.layout import FILE_MODE
from waiaas.daemon.log import Log
from waiaas.host.clock import Clock
from waiaas.host.files import Files

MAX_BYTES = 10 * 1024 * 1024
KEEP = 5  # older files: waiaas.log.1 is the newest of them
STANDARD = (1, 2)  # stdout and stderr, so that what Python itself says lands in the new file too


class RotatingFile:
    """A sink. The file is opened 0600 and renamed once it would exceed `max_bytes`; one that was moved or
    deleted is made anew. Until a new one can be opened, lines go where they went before."""

    def __init__(
        self, path: Path, max_bytes: int = MAX_BYTES, keep: int = KEEP, redirect: tuple[int, ...] = ()
    ) -> None:
        """`redirect` are descriptors to point at the file. Raises OSError if it cannot be opened."""
        self._path = path
        self._max_bytes = max_bytes
        self._keep = keep
        self._redirect = redirect
        self._descriptor = -1
        self._open()

    def write(self, line: str) -> None:
        data = line.encode("utf-8", "backslashreplace") + b"\n"
        with suppress(OSError):
            self._make_way(len(data))
        with suppress(OSError):  # a full disk costs lines, not the daemon
            os.write(self._descriptor, data)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _make_way(self, more: int) -> None:
        """For so many bytes: our file has the name, and room."""
        try:
            found = self._path.lstat()
        except FileNotFoundError:
            self._open()
            return
        if self._descriptor < 0 or not os.path.samestat(found, os.fstat(self._descriptor)):
            self._open()
        elif found.st_size and found.st_size + more > self._max_bytes:
            self._rotate()

    def _rotate(self) -> None:
        """Older ones move on to the first number that is free, so that a rotation which fails half-way and
        is tried again costs none of them."""
        taken = [self._numbered(number) for number in range(1, self._keep)]
        free = next((at for at, each in enumerate(taken) if not each.exists()), len(taken))
        for number in range(free, 0, -1):
            self._numbered(number).rename(self._numbered(number + 1))
        self._path.rename(self._numbered(1))
        self._open()

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        opened = os.open(self._path, flags, FILE_MODE)
        self.close()
        self._descriptor = opened
        for standard in self._redirect:
            os.dup2(self._descriptor, standard)

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


def file_log(
    clock: Clock, files: Files, path: Path, level: str = "info", log_format: str = "auto", *, detached: bool
) -> Log:
    """Log to `path`, made if need be. `detached`: stdout and stderr follow the file when it rotates."""
    files.make_directory("log", path.parent)
    sink = RotatingFile(path, redirect=STANDARD if detached else ())
    return Log(clock, sink, level, "json" if log_format == "json" else "text")
