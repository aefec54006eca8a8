"""A transaction that SQLite refuses ends, and says why (MIG-03)."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from waiaas.host import sqlite
from waiaas.host.sqlite import Connection, connect, connect_live, transaction


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "waiaas.db"
    with closing(connect(path, "rwc")) as connection:
        connection.execute("CREATE TABLE t (x)")
    return path


def add(connection: Connection, rows: int) -> None:
    with transaction(connection):
        connection.executemany("INSERT INTO t VALUES (?)", [("x" * 3000,)] * rows)


@pytest.mark.parametrize("live", [True, False])
def test_a_full_disk_is_the_cause_that_is_told__CLI_2(database: Path, live: bool) -> None:
    with closing(connect_live(database) if live else connect(database)) as connection:
        connection.execute("PRAGMA max_page_count = 8")
        with pytest.raises(sqlite3.OperationalError) as caught:
            add(connection, 100)
        assert caught.value.sqlite_errorname == "SQLITE_FULL"
        add(connection, 1)


def test_a_commit_that_is_refused_leaves_no_transaction_open__MIG_03(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT", 0.0)
    with closing(connect(database)) as connection, closing(connect(database, "ro")) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM t").fetchall()
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            add(connection, 1)
        reader.execute("COMMIT")
        add(connection, 2)
        assert connection.execute("SELECT COUNT(*) FROM t").fetchone()[0] == 2
