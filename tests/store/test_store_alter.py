"""Migration 12 widens two CHECKs: by editing the CREATE text, or by a rebuild where that is forbidden."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.fakes import FakeClock
from tests.store.old_databases import contents, layout_of, old_database
from waiaas.host.files import Files
from waiaas.host.sqlite import connect
from waiaas.store import schema
from waiaas.store.alter import edit_in_place, rebuild
from waiaas.store.migrate import migrate_file
from waiaas.store.sqltext import with_value_allowed
from waiaas.store.structure import differences, facts


@pytest.mark.parametrize("way", ["in place", "rebuilt"])
def test_widening_a_check_by_either_way_gives_the_same_database__MIG_02(tmp_path: Path, way: str) -> None:
    path = old_database(tmp_path / "old.db", 11)
    before = contents(path)
    with closing(connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        row = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'transactions'").fetchone()
        text = with_value_allowed(row[0], "type", "X402_PAYMENT")
        if way == "in place":
            connection.execute("BEGIN")
            assert edit_in_place(connection, {"transactions": text})
        else:
            connection.execute("BEGIN")
            rebuild(connection, "transactions", text)
        connection.execute("COMMIT")
    with closing(connect(path)) as connection:
        against = differences(facts(connection), schema.expected(12))
        assert all("policies" in sentence for sentence in against)
        connection.execute("UPDATE transactions SET type = 'X402_PAYMENT' WHERE id = 't1'")
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute("UPDATE transactions SET type = 'ELSE' WHERE id = 't1'")
        connection.execute("UPDATE transactions SET type = 'TRANSFER' WHERE id = 't1'")
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert contents(path) == before


def test_the_whole_migration_works_where_sqlite_forbids_the_edit__MIG_02(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = layout_of(tmp_path)
    old_database(layout.database, 11, orphan=True)
    before = contents(layout.database)
    monkeypatch.setattr("waiaas.store.alter.edit_in_place", lambda *_: False)
    assert migrate_file(Files(), FakeClock(), layout) == (11, 16)
    after = contents(layout.database)
    assert after["transactions"] == before["transactions"]
    assert after["sqlite_sequence"] == before["sqlite_sequence"]


def test_a_rebuild_is_refused_while_foreign_keys_would_cascade__MIG_02(tmp_path: Path) -> None:
    path = old_database(tmp_path / "old.db", 11)
    with closing(connect(path)) as connection, pytest.raises(ValueError, match="foreign keys are off"):
        rebuild(connection, "transactions", "CREATE TABLE transactions (id TEXT)")
    assert contents(path)["pending_approvals"]
