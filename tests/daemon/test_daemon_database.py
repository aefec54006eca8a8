"""One writer, a few readers, and an orderly end."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon.daemon_kit import layout_in
from waiaas.core.errors import WaiaasError
from waiaas.core.layout import Layout
from waiaas.daemon.database import Database
from waiaas.host.sqlite import side
from waiaas.store import keyvalue


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return layout_in(tmp_path)


@pytest.fixture
def database(layout: Layout) -> Iterator[Database]:
    made = Database(layout.database)
    yield made
    made.close(0)


def test_what_is_written_is_read_by_the_next_reader__DMN_4(database: Database) -> None:
    with database.writing() as connection:
        keyvalue.put(connection, "a", "1", 1)
    with database.reading() as connection:
        assert keyvalue.get(connection, "a") == "1"


def test_a_failed_write_leaves_nothing__DMN_4(database: Database) -> None:
    with pytest.raises(RuntimeError), database.writing() as connection:
        keyvalue.put(connection, "a", "1", 1)
        raise RuntimeError
    with database.reading() as connection:
        assert keyvalue.get(connection, "a") is None


def test_a_reader_cannot_write__DMN_4(database: Database) -> None:
    with database.reading() as connection, pytest.raises(sqlite3.OperationalError):
        keyvalue.put(connection, "a", "1", 1)


def test_readers_are_reused_and_do_not_wait_for_the_writer__DMN_4(database: Database) -> None:
    with database.writing() as writer:
        keyvalue.put(writer, "a", "1", 1)
        with database.reading() as first:
            assert keyvalue.get(first, "a") is None
        with database.reading() as second:
            assert second is first


def test_many_threads_write_without_losing_a_row__DMN_4(database: Database) -> None:
    def write(number: int) -> None:
        for index in range(20):
            with database.writing() as connection:
                keyvalue.put(connection, f"{number}-{index}", "x", 1)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM key_value_store").fetchone()[0] == 80


def test_closing_empties_the_wal_and_refuses_what_comes_after__DMN_2(
    layout: Layout, database: Database
) -> None:
    with database.writing() as connection:
        keyvalue.put(connection, "a", "1", 1)
    with database.reading() as connection:
        keyvalue.get(connection, "a")
    database.close()
    database.close()
    assert not side(layout.database, "-wal").exists()
    for use in (database.reading, database.writing):
        with pytest.raises(WaiaasError) as refused, use():
            pass
        assert refused.value.code == "database-closed"


def test_closing_waits_for_a_borrowed_reader__DMN_2(database: Database) -> None:
    borrowed, gate, closed = threading.Event(), threading.Event(), threading.Event()

    def read() -> None:
        with database.reading() as connection:
            borrowed.set()
            gate.wait(10)
            keyvalue.get(connection, "a")

    def close() -> None:
        database.close(10)
        closed.set()

    threads = [threading.Thread(target=read), threading.Thread(target=close)]
    threads[0].start()
    assert borrowed.wait(5)
    threads[1].start()
    assert not closed.wait(0.05)
    gate.set()
    assert closed.wait(5)
    for thread in threads:
        thread.join()


def test_only_known_checkpoints(database: Database) -> None:
    with pytest.raises(ValueError, match="FULL"):
        database.checkpoint("FULL")
