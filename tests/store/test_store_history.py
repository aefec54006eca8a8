"""Damaged histories of the previous implementation: repaired where provable, else refused (MIG-07)."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.fakes import FakeClock
from tests.store.old_databases import THEN, contents, digest, insert, layout_of, look_at, old_database
from waiaas.core.errors import WaiaasError
from waiaas.core.layout import Layout
from waiaas.host.files import Files
from waiaas.host.sqlite import connect
from waiaas.store.alter import create_table
from waiaas.store.migrate import bring_up_to_date
from waiaas.store.migrations import m12, m13, m15
from waiaas.store.schema import expected
from waiaas.store.structure import differences, facts
from waiaas.store.tables import table

Damage = Callable[[sqlite3.Connection], None]


def damaged_database(tmp_path: Path, version: int, damage: Damage, *, orphan: bool = False) -> Layout:
    layout = layout_of(tmp_path)
    old_database(layout.database, version, orphan=orphan)
    with closing(connect(layout.database)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        damage(connection)
    return layout


def forget(*versions: int) -> Damage:
    def damage(connection: sqlite3.Connection) -> None:
        for version in versions:
            connection.execute("DELETE FROM schema_version WHERE version = ?", (version,))

    return damage


def claim(*versions: int) -> Damage:
    """Rows as the original writes them into what it takes for a new file."""

    def damage(connection: sqlite3.Connection) -> None:
        for version in versions:
            row = {"version": version, "applied_at": THEN, "description": "? (via pushSchema)"}
            insert(connection, "schema_version", row)

    return damage


def empty_and_claimed_as_new(connection: sqlite3.Connection) -> None:
    """schema.md §6, trap 3."""
    forget(*range(1, 17))(connection)
    m15.apply(connection, 0)
    for name in ("wc_sessions", "wc_store"):
        create_table(connection, name, 16)
    claim(*range(1, 17))(connection)


def stopped_after_the_rebuild(connection: sqlite3.Connection) -> None:
    """schema.md §6, trap 1: new tables made up front, step 12 committed, its row never written."""
    connection.execute("BEGIN")
    m12.apply(connection, 0)
    connection.execute("COMMIT")
    for name in ("telegram_users", "wc_sessions", "wc_store"):
        connection.execute(table(name).sql(16)[0])


def half_of_step_13(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE transactions ADD COLUMN amount_usd REAL")


def step_13_without_row(connection: sqlite3.Connection) -> None:
    m13.apply(connection, 0)


def only_the_column_of_step_16(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE pending_approvals ADD COLUMN approval_channel TEXT DEFAULT 'rest_api'")


REPAIRABLE = {
    "a row in the middle is missing": (16, forget(13)),
    "the row of the data step is missing": (16, forget(14)),
    "many early rows are missing": (13, forget(3, 4, 5, 6, 7, 8, 9)),
    "the first row is missing": (11, forget(1)),
    "the last row is missing": (16, forget(16)),
    "the last rows are missing": (15, forget(12, 13, 14, 15)),
    "the row of step 11 is missing": (11, forget(11)),
    "no row at all, schema 16": (16, forget(*range(1, 17))),
    "no row at all, schema 15": (15, forget(*range(1, 16))),
    "no row at all, schema 11": (11, forget(*range(1, 12))),
    "no table schema_version": (13, lambda c: c.execute("DROP TABLE schema_version") and None),
    "an old file filled in as if it were new": (11, empty_and_claimed_as_new),
    "the original stopped after its rebuild": (11, stopped_after_the_rebuild),
    "half of step 13": (12, half_of_step_13),
    "step 13 without its row": (12, step_13_without_row),
    "half of step 16": (15, only_the_column_of_step_16),
    "step 16 claimed, its column missing": (15, claim(16)),
}


@pytest.mark.parametrize("case", REPAIRABLE)
def test_a_provable_repair_is_done_on_the_copy__MIG_07(tmp_path: Path, case: str) -> None:
    version, damage = REPAIRABLE[case]
    layout = damaged_database(tmp_path, version, damage)
    before, rows = digest(layout.database), contents(layout.database)
    state = look_at(layout)
    assert state.action == "migrate"
    assert state.damage
    assert digest(layout.database) == before
    told: list[str] = []
    made = bring_up_to_date(Files(), FakeClock(), layout, 5, told.append)
    assert made is not None
    assert digest(made.database) == before
    assert any("repairing the database" in sentence for sentence in told)
    assert look_at(layout).action == "ok"
    after = contents(layout.database)
    assert [row["version"] for row in after["schema_version"]] == list(range(1, 17))
    for name in rows.keys() - {"schema_version", "pending_approvals"}:
        assert after[name] == rows[name], name
    with closing(connect(layout.database, "ro")) as connection:
        assert differences(facts(connection), expected(16)) == []


def test_lost_rows_are_marked_as_repaired_and_kept_ones_stay__MIG_07(tmp_path: Path) -> None:
    layout = damaged_database(tmp_path, 16, forget(13))
    kept = contents(layout.database)["schema_version"]
    bring_up_to_date(Files(), FakeClock(), layout, 5)
    now = {row["version"]: row for row in contents(layout.database)["schema_version"]}
    assert now[13]["description"] == f"{m13.DESCRIPTION} (repaired)"
    assert [now[row["version"]] for row in kept] == kept


def test_a_repaired_file_keeps_its_orphans__MIG_07(tmp_path: Path) -> None:
    layout = damaged_database(tmp_path, 11, stopped_after_the_rebuild, orphan=True)
    bring_up_to_date(Files(), FakeClock(), layout, 5)
    assert "tx-orphan" in [row["id"] for row in contents(layout.database)["transactions"]]


def test_the_kill_switch_is_translated_when_step_14_cannot_be_trusted__MIG_07(tmp_path: Path) -> None:
    def damage(connection: sqlite3.Connection) -> None:
        row = {"key": "kill_switch_state", "value": "ACTIVATED", "updated_at": THEN}
        insert(connection, "key_value_store", row)
        empty_and_claimed_as_new(connection)

    layout = damaged_database(tmp_path, 11, damage)
    bring_up_to_date(Files(), FakeClock(), layout, 5)
    found = {row["key"]: row["value"] for row in contents(layout.database)["key_value_store"]}
    assert found["kill_switch_state"] == "SUSPENDED"


def drop(table: str) -> Damage:
    return lambda connection: connection.execute(f"DROP TABLE {table}") and None


def both(*damages: Damage) -> Damage:
    def damage(connection: sqlite3.Connection) -> None:
        for one in damages:
            one(connection)

    return damage


HOPELESS = {
    "a row and a table are missing": (16, both(forget(13), drop("settings"))),
    "a claimed table of an old step is missing": (13, drop("api_keys")),
    "no rows, and a schema before 11": (10, forget(*range(1, 11))),
    "no rows, and a column of another kind": (
        15,
        both(
            forget(*range(1, 16)),
            lambda c: c.execute("ALTER TABLE policies RENAME COLUMN rules TO regeln") and None,
        ),
    ),
    "a version below 1": (16, claim(0)),
    "an index is missing besides": (
        16,
        both(forget(13), lambda c: c.execute("DROP INDEX idx_policies_type") and None),
    ),
    "half of step 13, with another type": (
        12,
        lambda c: c.execute("ALTER TABLE transactions ADD COLUMN amount_usd TEXT") and None,
    ),
    "everything is gone": (16, lambda c: [drop(t)(c) for t in TABLES] and None),
}
TABLES = [
    *("wc_store", "wc_sessions", "telegram_users", "api_keys", "settings", "token_registry"),
    *("notification_logs", "key_value_store", "audit_log", "pending_approvals", "policies"),
    *("transactions", "sessions", "wallets", "schema_version"),
]


@pytest.mark.parametrize("case", HOPELESS)
def test_what_cannot_be_proven_is_refused_and_not_touched__MIG_07(tmp_path: Path, case: str) -> None:
    version, damage = HOPELESS[case]
    layout = damaged_database(tmp_path, version, damage)
    before = digest(layout.database)
    state = look_at(layout)
    assert state.action == "reject"
    with pytest.raises(WaiaasError) as caught:
        bring_up_to_date(Files(), FakeClock(), layout, 5)
    assert caught.value.code == "database-damaged"
    assert "waiaas backup" in caught.value.hint
    assert digest(layout.database) == before
    assert not layout.backups.exists()


@pytest.mark.parametrize("version", range(11, 17))
def test_a_sound_history_is_never_called_damaged__MIG_07(tmp_path: Path, version: int) -> None:
    layout = layout_of(tmp_path)
    old_database(layout.database, version)
    state = look_at(layout)
    assert state.damage is None
    assert state.schema == version
    assert state.pending == tuple(range(version + 1, 17))


def test_what_the_user_added_is_no_damage__MIG_07(tmp_path: Path) -> None:
    def own(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE notes (a)")
        connection.execute("CREATE INDEX mine ON settings (value)")
        connection.execute("ALTER TABLE settings ADD COLUMN comment TEXT")
        connection.execute("DROP INDEX idx_settings_category")

    layout = damaged_database(tmp_path, 11, own)
    bring_up_to_date(Files(), FakeClock(), layout, 5)
    assert look_at(layout).action == "ok"
    assert "notes" in contents(layout.database)
