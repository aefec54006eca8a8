"""The files beside a database: `-wal` and `-shm`, emptied and removed before the file is renamed, and the
one that a restore prepares.

What touches the first two runs under the exclusive gate, so nobody else has the database open.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from waiaas.core.layout import Layout
from waiaas.host.files import Files
from waiaas.host.sqlite import SIDE_FILES, connect, opened, side


def has_wal(path: Path) -> bool:
    """Whether committed rows may lie beside the file."""
    try:
        return side(path, "-wal").stat().st_size > 0
    except FileNotFoundError:
        return False


def settle(path: Path) -> bool:
    """Bring the rows of a `-wal` that a kill left behind into the file; True where none is left.

    Without this, a power cut between removing the `-wal` and the rename would lose them. Only for a
    database that this version may write to.
    """
    if not has_wal(path):
        return True
    try:
        with closing(connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error:
        return False
    return not has_wal(path)


def sweep(path: Path) -> None:
    """Take away the empty `-wal` that a reader leaves behind."""
    if not has_wal(path) and not opened(path):
        for suffix in SIDE_FILES[:2]:
            side(path, suffix).unlink(missing_ok=True)


def remove_side_files(files: Files, op: str, path: Path) -> None:
    """Take away what would otherwise be replayed over the file that is about to get this name."""
    for suffix in SIDE_FILES:
        files.remove(op, side(path, suffix))


def staging(layout: Layout) -> Path:
    """Where a restore prepares the file that it then renames over the database."""
    return layout.database.with_name(f".{layout.database.name}.restoring")


def forget_staging(files: Files, layout: Layout) -> None:
    """Remove what a killed restore left beside the database. The caller holds the daemon's lock, without
    which nobody restores."""
    left = staging(layout)
    files.sweep("leftover", left.parent, left.name)
    files.remove("leftover", left)
    remove_side_files(files, "leftover", left)
