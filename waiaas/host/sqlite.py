"""Opening SQLite files: who may write, and who only looks. Copies of them: `sqlite_copies.py`.

Everybody who opens the live database holds the gate shared (`host/locks.py`). A look never writes:
without a `-wal` the file is opened `immutable`, so that not even a `-shm` appears beside it.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from waiaas.core.errors import WaiaasError
from waiaas.host.gate import Gate

SHARED_LOCK, SHARED_BYTES = 0x40000002, 510  # where a connection locks the file while it is in use
BUSY_TIMEOUT = 5.0  # seconds a connection waits for another writer
SIDE_FILES = ("-wal", "-shm", "-journal")

Connection = sqlite3.Connection
SqlError = sqlite3.Error  # for those who must catch it and may not import sqlite3
SqlUnavailable = sqlite3.OperationalError  # locked, full, unreadable: not a mistake in a statement


def side(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def connect(path: Path, mode: str = "rw", *, immutable: bool = False) -> Connection:
    """Open with transactions under our own control (`isolation_level=None`).

    `mode` is SQLite's `ro`, `rw` or `rwc`. Raises `sqlite3.Error`.
    """
    uri = f"file:{quote(str(path))}?mode={mode}" + ("&immutable=1" if immutable else "")
    connection = sqlite3.connect(
        uri, uri=True, isolation_level=None, timeout=BUSY_TIMEOUT, check_same_thread=False
    )
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    if mode == "ro":
        connection.execute("PRAGMA query_only = ON")
    return connection


def connect_live(path: Path, mode: str = "rw") -> Connection:
    """The settings of a database that serves: WAL, every commit durable."""
    connection = connect(path, mode)
    try:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


@contextmanager
def reading(path: Path, gate: Gate, patience: float = 5.0) -> Iterator[Connection]:
    """Look at the live database without leaving a trace beside it.

    Raises `Busy` when the gate is held, `sqlite3.Error`, FileNotFoundError.
    """
    path.stat()
    try:
        with gate.shared(patience), closing(reader(path)) as connection:
            yield connection
    finally:
        sweep(path, gate)


@contextmanager
def writing(path: Path, gate: Gate, patience: float = 5.0) -> Iterator[Connection]:
    """Open the live database to write, beside a daemon or without one."""
    try:
        with gate.shared(patience), closing(connect_live(path)) as connection:
            yield connection
    finally:
        sweep(path, gate)  # on a full disk SQLite leaves an empty -wal that nobody can open then


def reader(path: Path) -> Connection:
    """A read-only connection; `immutable` only while nobody else has a `-wal`."""
    if not side(path, "-wal").exists():
        return connect(path, "ro", immutable=True)
    return connect(path, "ro")


def sweep(path: Path, gate: Gate) -> None:
    """A reader that outlived the last writer leaves an empty `-wal`: take it away."""
    wal = side(path, "-wal")
    try:
        if wal.stat().st_size == 0:
            with gate.exclusive(0):
                if wal.stat().st_size == 0 and not opened(path):
                    for suffix in SIDE_FILES[:2]:
                        side(path, suffix).unlink(missing_ok=True)
    except (OSError, WaiaasError):
        return


def opened(path: Path) -> bool:
    """A program that does not know our gate has it open; see `opened_by`."""
    return opened_by(path) is not None


def opened_by(path: Path) -> int | None:
    """Its pid, as `held_by` tells it. Only under the exclusive gate: no connection of our own process
    may be open then, it would lose its locks."""
    from waiaas.host.records import held_by

    return held_by(path, SHARED_LOCK, SHARED_BYTES)


@contextmanager
def transaction(connection: Connection) -> Iterator[Connection]:
    """`BEGIN IMMEDIATE` … `COMMIT`, or `ROLLBACK` on any exception, a refused `COMMIT` among them. Raises
    what was the cause: after some errors, a full disk say, SQLite has rolled back by itself."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        raise
