"""The log of a detached daemon: a file of bounded size, and a bounded number of older ones."""

import os
from pathlib import Path

from waiaas.core.layout import FILE_MODE
from waiaas.daemon.log import Log
from waiaas.host.clock import Clock
from waiaas.host.files import Files

MAX_BYTES = 10 * 1024 * 1024
KEEP = 5  # older files: waiaas.log.1 is the newest of them
STANDARD = (1, 2)  # stdout and stderr, so that what Python itself says lands in the new file too


class RotatingFile:
    """A sink. The file is opened 0600 and renamed once it would exceed `max_bytes`."""

    def __init__(
        self, path: Path, max_bytes: int = MAX_BYTES, keep: int = KEEP, redirect: tuple[int, ...] = ()
    ) -> None:
        """`redirect` are descriptors to point at the file. Raises OSError if it cannot be opened."""
        self._path = path
        self._max_bytes = max_bytes
        self._keep = keep
        self._redirect = redirect
        self._descriptor = -1
        self._size = 0
        self._open()

    def write(self, line: str) -> None:
        data = line.encode("utf-8", "backslashreplace") + b"\n"
        try:
            if self._size and self._size + len(data) > self._max_bytes:
                self._rotate()
            self._size += os.write(self._descriptor, data)
        except OSError:
            return  # a full disk costs lines, not the daemon

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _rotate(self) -> None:
        for number in range(self._keep, 1, -1):
            younger = self._numbered(number - 1)
            if younger.exists():
                younger.rename(self._numbered(number))
        self._path.rename(self._numbered(1))
        self.close()
        self._open()

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._descriptor = os.open(self._path, flags, FILE_MODE)
        self._size = os.fstat(self._descriptor).st_size
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
