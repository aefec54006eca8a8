"""Copies of a live SQLite database that are whole, and what is wrong with a file."""

import sqlite3
from contextlib import closing
from pathlib import Path

from waiaas.host.gate import Gate
from waiaas.host.sqlite import connect, reader, sweep


def snapshot(path: Path, gate: Gate, target: Path) -> None:
    """A consistent copy of the live database at `target`, leaving no trace beside the original."""
    try:
        with gate.shared():
            copy_database(path, target)
    finally:
        sweep(path, gate)


def copy_database(source: Path, target: Path) -> None:
    """One consistent file from a live database, its WAL included (SQLite's backup interface).

    All pages in one step: in smaller steps a writer makes it start again and again. `target` must
    not exist; the caller fsyncs it.
    """
    target.touch(mode=0o600, exist_ok=False)
    with closing(connect(source, "ro")) as origin, closing(connect(target, "rw")) as copy:
        copy.execute("PRAGMA synchronous = OFF")
        origin.backup(copy, pages=-1, progress=_refuse_to_wait)
        copy.execute("PRAGMA journal_mode = DELETE")


def _refuse_to_wait(status: int, _remaining: int, _total: int) -> None:
    """Where the busy timeout was not enough, Python's `backup` would try again for ever."""
    if status & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        problem = sqlite3.OperationalError("database is locked")
        problem.sqlite_errorname = "SQLITE_BUSY"
        raise problem


def problems(path: Path, *, full: bool = False) -> list[str]:
    """What `quick_check` (or `integrity_check`) finds; an empty list is a good file."""
    pragma = "integrity_check" if full else "quick_check"
    try:
        with closing(reader(path)) as connection:
            found = [str(row[0]) for row in connection.execute(f"PRAGMA {pragma}")]
    except sqlite3.Error as problem:
        return [str(problem)]
    return [] if found == ["ok"] else found
