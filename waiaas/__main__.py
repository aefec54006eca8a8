"""`python -m waiaas`, and what the archive's own `__main__` calls once it has pinned its file."""

import os
import sys
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def run(archive: str | None = None, pin: int | None = None) -> None:
    """Start the command line. `archive` is the installed file, `pin` the descriptor it is read by."""
    from waiaas.cli.main import main
    from waiaas.host.program import Program

    os.umask(0o077)  # nothing of ours is ever born open to others (DIR-1)
    _open_streams()
    path = Path(archive).resolve() if archive else None
    _end(main(sys.argv[1:], dict(os.environ), Program(path, pin)))


def _end(code: int) -> "NoReturn":
    """Without taking apart what has been imported, which would be a tenth of a short command. Whatever
    has to be put in order was closed by whoever opened it."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):  # nobody listens any more
            continue
    os._exit(code)


def _open_streams() -> None:
    """Whoever started us may have closed descriptors 0 to 2. A database or a socket that got such a
    number would be written to as if it were a terminal (DMN-2)."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
            if number == 2:
                sys.stderr = os.fdopen(number, "w", closefd=False)


if __name__ == "__main__":
    run()
