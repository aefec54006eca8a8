"""Lookers, writers and backups around the rename of the database: nothing lost, nothing stray (DIR-5)."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.store.old_databases import contents, layout_of, look_at, old_database
from waiaas.core.errors import Busy
from waiaas.core.layout import Layout
from waiaas.host.clock import Clock
from waiaas.host.files import Files
from waiaas.host.locks import Gate
from waiaas.host.sqlite import transaction, writing
from waiaas.store import backup, keyvalue
from waiaas.store.inspect import inspect
from waiaas.store.migrate import bring_up_to_date

ROUNDS = 5


class Crowd:
    """Threads that each repeat one thing until told to stop; what they could not do is kept."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.stop = threading.Event()
        self.written = 0
        self.looked = 0
        self.failures: list[BaseException] = []
        self.threads = [
            threading.Thread(target=self.repeat, args=(one,)) for one in (self.look, self.write, self.keep)
        ]

    def __enter__(self) -> "Crowd":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def repeat(self, work: Callable[[], None]) -> None:
        while not self.stop.is_set():
            try:
                work()
            except Busy:
                continue
            except BaseException as problem:
                self.failures.append(problem)
                return

    def gate(self) -> Gate:
        return Gate(self.layout.gate, Clock())

    def look(self) -> None:
        inspect(self.layout.database, self.gate(), patience=0)
        self.looked += 1

    def write(self) -> None:
        with writing(self.layout.database, self.gate()) as connection, transaction(connection):
            keyvalue.put(connection, "count", str(self.written + 1), 1)
        self.written += 1

    def keep(self) -> None:
        backup.create(Files(), Clock(), self.layout, "manual", "1.8.0", None, label="manual")


@pytest.mark.real_time
@pytest.mark.parametrize("number", range(ROUNDS))
def test_no_write_is_lost_while_the_database_is_replaced__DIR_5(tmp_path: Path, number: int) -> None:
    layout = layout_of(tmp_path)
    old_database(layout.database, 11)
    with Crowd(layout) as crowd:
        while crowd.written < 2 + number and not crowd.failures:
            crowd.stop.wait(0.001)
        made = bring_up_to_date(Files(), Clock(), layout, 100)
        reached = crowd.written
        while crowd.written < reached + 2 and not crowd.failures:
            crowd.stop.wait(0.001)
    assert crowd.failures == []
    assert made is not None
    kept = {row["key"]: row["value"] for row in contents(layout.database)["key_value_store"]}
    assert kept["count"] == str(crowd.written)
    assert look_at(layout).action == "ok"
    names = {path.name for path in layout.database.parent.iterdir()} - {"waiaas.db-wal", "waiaas.db-shm"}
    assert names == {"waiaas.db", "waiaas.db.gate"}
    for found in backup.listing(layout):
        backup.verify(found)
