"""`python -m waiaas`, and what the archive's own `__main__` calls once it has pinned its file."""

import os
import sys
from pathlib import Path


def run(archive: str | None = None, pin: int | None = None) -> None:
    """Start the command line. `archive` is the installed file, `pin` the descriptor it is read by."""
    from waiaas.cli.main import main
    from waiaas.host.program import Program

    os.umask(0o077)  # nothing of ours is ever born open to others (DIR-1)
    path = Path(archive).resolve() if archive else None
    sys.exit(main(sys.argv[1:], dict(os.environ), Program(path, pin)))


if __name__ == "__main__":
    run()
