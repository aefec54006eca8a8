"""The daemon's connections: one that writes, one a thread at a time, and a few that read.

The service holds the database gate shared for as long as this is open (DIR-5).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from waiaas.core.errors import WaiaasError
from waiaas.host.sqlite import Connection, SqlError, connect, connect_live, transaction

CHECKPOINTS = ("PASSIVE", "TRUNCATE")


class Database:
    """Open until `close`; afterwards every use raises WaiaasError "database-closed"."""

    def __init__(self, path: Path) -> None:
        """Raises `SqlError`."""
        self._path = path
        self._writer = connect_live(path)
        self._write_lock = threading.Lock()
        self._idle: list[Connection] = []  # readers; the last used first, its pages are warm
        self._lent = 0
        self._changed = threading.Condition()
        self._closed = False

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Borrow a connection that cannot write."""
        connection = self._borrow()
        try:
            yield connection
        finally:
            with self._changed:
                self._idle.append(connection)
                self._lent -= 1
                self._changed.notify_all()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The writer inside of a transaction: all of the block is committed, or nothing."""
        with self._write_lock:
            self._refuse_closed()
            with transaction(self._writer):
                yield self._writer

    def checkpoint(self, mode: str) -> None:
        """Move the WAL into the file: PASSIVE waits for nobody, TRUNCATE also empties the WAL."""
        if mode not in CHECKPOINTS:
            raise ValueError(mode)
        with self._write_lock:
            self._refuse_closed()
            self._writer.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()

    def close(self, patience: float = 5.0) -> None:
        """Wait `patience` seconds for borrowed readers, empty the WAL, close. Safe to call twice."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.wait_for(lambda: self._lent == 0, patience)
            readers, self._idle = self._idle, []
        for reader in readers:
            reader.close()
        with self._write_lock:
            self._truncate()
            self._writer.close()

    def _borrow(self) -> Connection:
        with self._changed:
            self._refuse_closed()
            self._lent += 1
            if self._idle:
                return self._idle.pop()
        try:
            return connect(self._path, "ro")
        except BaseException:
            with self._changed:
                self._lent -= 1
            raise

    def _truncate(self) -> None:
        """Whatever keeps the WAL from being emptied, its rows are safe in it."""
        try:
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except SqlError:
            return

    def _refuse_closed(self) -> None:
        if self._closed:
            raise WaiaasError("database-closed", "the daemon is stopping and has closed its database")
