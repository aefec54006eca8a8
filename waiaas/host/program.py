"""Which program we are, and how to start it again.

A running process must go on as the version that it is, even after its file was replaced: the
archive's `__main__` pins the opened file, and children start from that pin (SHP-2), never from
`argv[0]`. Out of a source tree (tests, development) there is no archive and no pin.
"""

import os
import sys
from pathlib import Path

from waiaas.core.value import frozen


@frozen
class Program:
    """`path` is the installed file, symbolic links resolved; None when run from a source tree."""

    path: Path | None
    pin: int | None = None  # descriptor of the opened archive, >= 100
    python: str = sys.executable

    def same_version(self, *arguments: str) -> tuple[list[str], tuple[int, ...]]:
        """argv and descriptors to pass for a child that runs exactly this version."""
        if self.pin is not None:
            return [self.python, "-I", f"/proc/self/fd/{self.pin}", *arguments], (self.pin,)
        if self.path is not None:
            return [self.python, "-I", str(self.path), *arguments], ()
        source = str(Path(__file__).parents[2])
        bootstrap = f"import sys; sys.path.insert(0, {source!r}); import waiaas.__main__ as m; m.run()"
        return [self.python, "-I", "-c", bootstrap, *arguments], ()

    def version_at(self, file: Path, *arguments: str) -> list[str]:
        """argv for a child that runs whatever version lies at `file`."""
        return [self.python, "-I", str(file), *arguments]

    def replaced_at(self, file: Path) -> bool:
        """Another version lies at `file` than the one we run from."""
        if self.pin is None or not file.exists():
            return False
        ours, installed = os.fstat(self.pin), file.stat()
        return (ours.st_dev, ours.st_ino) != (installed.st_dev, installed.st_ino)
