"""Looking never writes, never waits for long, and never mistakes a moment for damage."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.fakes import FakeClock
from tests.store.old_databases import digest, layout_of, look_at, old_database
from waiaas.core.errors import Busy, NotReady, SchemaIncompatible, WaiaasError
from waiaas.core.layout import Layout
from waiaas.host.files import Files
from waiaas.host.locks import Gate
from waiaas.host.sqlite import connect_live
from waiaas.store import inspect as inspecting
from waiaas.store import keyvalue, schema
from waiaas.store.inspect import inspect


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return layout_of(tmp_path)


def test_a_look_leaves_no_trace__MIG_06(layout: Layout) -> None:
    old_database(layout.database, 13)
    layout.database.chmod(0o400)
    before = digest(layout.database)
    state = look_at(layout)
    assert (state.schema, state.pending, state.action) == (13, (14, 15, 16), "migrate")
    assert state.rows == tuple(range(1, 14))
    assert digest(layout.database) == before
    assert {path.name for path in layout.database.parent.iterdir()} == {"waiaas.db", "waiaas.db.gate"}


def test_a_look_beside_a_serving_daemon_sees_its_rows__DIR_5(layout: Layout) -> None:
    schema.create(Files(), FakeClock(), layout.database)
    gate = Gate(layout.gate, FakeClock())
    with gate.shared(), closing(connect_live(layout.database)) as connection:
        keyvalue.put(connection, "a", "b", 1)
        assert look_at(layout).action == "ok"
        assert keyvalue.get(connection, "a") == "b"


def test_a_look_gives_up_when_the_gate_is_held__DIR_5(layout: Layout) -> None:
    schema.create(Files(), FakeClock(), layout.database)
    gate = Gate(layout.gate, FakeClock())
    with gate.exclusive(), pytest.raises(Busy):
        inspect(layout.database, Gate(layout.gate, FakeClock()), patience=0)


def test_no_database_is_said_and_none_is_made__DIR_3(layout: Layout) -> None:
    with pytest.raises(NotReady) as caught:
        look_at(layout)
    assert caught.value.code == "database-missing"
    assert list(layout.database.parent.iterdir()) == []


@pytest.mark.parametrize("data", [b"", b"no database at all" * 999, b"SQLite format 3\0" + b"\xff" * 8176])
def test_a_file_that_is_no_database_is_damaged_and_stays__MIG_06(layout: Layout, data: bytes) -> None:
    layout.database.write_bytes(data)
    try:
        state = look_at(layout)
    except WaiaasError as refused:
        assert refused.code == "database-damaged"
    else:
        assert (state.action, state.schema) == ("reject", 0)
        with pytest.raises(WaiaasError) as caught:
            state.require()
        assert caught.value.code == "database-damaged"
    assert layout.database.read_bytes() == data


def test_a_foreign_database_is_not_taken_for_an_old_one__MIG_06(layout: Layout) -> None:
    with closing(sqlite3.connect(layout.database, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE shopping (item TEXT)")
    state = look_at(layout)
    assert state.action == "reject"
    with pytest.raises(WaiaasError, match="no database of WAIaaS") as caught:
        state.require()
    assert not isinstance(caught.value, SchemaIncompatible)


def test_a_moment_between_two_states_is_looked_at_again__DIR_5(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_database(layout.database, 16)
    once = iter([sqlite3.DatabaseError("database disk image is malformed")])
    real = inspecting.look

    def look(connection: sqlite3.Connection) -> inspecting.DatabaseState:
        for problem in once:
            raise problem
        return real(connection)

    monkeypatch.setattr(inspecting, "look", look)
    assert look_at(layout).action == "ok"
