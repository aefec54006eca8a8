"""Migrations 12 to 16: every row stays, every step is one transaction, a failure changes nothing."""

import errno
import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.fakes import FakeClock
from tests.store.old_databases import (
    ORPHAN,
    THEN,
    contents,
    digest,
    insert,
    layout_of,
    look_at,
    old_database,
    schema_diff,
)
from waiaas.core.errors import SchemaIncompatible, WaiaasError
from waiaas.core.layout import Layout
from waiaas.host.files import Files
from waiaas.host.sqlite import connect
from waiaas.store import migrate, schema
from waiaas.store.backup import listing, verify
from waiaas.store.migrate import bring_up_to_date, migrate_copy, migrate_file
from waiaas.store.structure import facts

OLD = (11, 12, 13, 14, 15)


class PowerCut(BaseException):
    """The world stops."""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return layout_of(tmp_path)


def beside(layout: Layout) -> set[str]:
    return {path.name for path in layout.database.parent.iterdir()}


@pytest.mark.parametrize("version", OLD)
def test_every_row_is_there_after_the_migration__MIG_02(layout: Layout, version: int) -> None:
    old_database(layout.database, version)
    before = contents(layout.database)
    clock = FakeClock()
    assert migrate_file(Files(), clock, layout) == (version, 16)
    after = contents(layout.database)
    recorded = after.pop("schema_version")
    assert recorded[:version] == before.pop("schema_version")
    for approval in after["pending_approvals"]:
        assert approval.pop("approval_channel") == "rest_api"
    for table, rows in before.items():
        assert after[table] == rows, table
    assert all(after[table] == [] for table in after.keys() - before.keys())
    assert [row["version"] for row in recorded] == list(range(1, 17))
    for row in recorded[version:]:
        assert row["description"] == schema.describe(row["version"])
        assert row["applied_at"] == clock.seconds()


@pytest.mark.parametrize("version", OLD)
def test_new_and_migrated_databases_look_the_same__MIG_05(layout: Layout, version: int) -> None:
    old_database(layout.database, version)
    migrate_file(Files(), FakeClock(), layout)
    fresh = layout.data_dir / "fresh.db"
    schema.create(Files(), FakeClock(), fresh)
    with closing(connect(layout.database, "ro")) as one, closing(connect(fresh, "ro")) as other:
        assert facts(one) == facts(other)


def test_new_and_migrated_databases_are_equivalent_to_the_given_comparison__MIG_05(layout: Layout) -> None:
    old_database(layout.database, 11)
    migrate_file(Files(), FakeClock(), layout)
    fresh = layout.data_dir / "fresh.db"
    schema.create(Files(), FakeClock(), fresh)
    compared = schema_diff(fresh, layout.database, "--schema-only", "--any-column-order")
    assert compared.returncode == 0, compared.stdout


@pytest.mark.parametrize(
    ("stored", "wanted"),
    [
        ("NORMAL", "ACTIVE"),
        ("ACTIVATED", "SUSPENDED"),
        ("RECOVERING", "ACTIVE"),
        ("ACTIVE", None),
        ("LOCKED", None),
        ("normal", None),
        ("", None),
    ],
)
def test_only_the_old_words_of_the_kill_switch_change__MIG_07(
    layout: Layout, stored: str, wanted: str | None
) -> None:
    old_database(layout.database, 13)
    with closing(sqlite3.connect(layout.database, isolation_level=None)) as connection:
        row = {"key": "kill_switch_state", "value": stored, "updated_at": THEN}
        insert(connection, "key_value_store", row)
        insert(connection, "key_value_store", {**row, "key": "kill_switch_state "})
    clock = FakeClock()
    migrate_file(Files(), clock, layout)
    found = {row["key"]: row for row in contents(layout.database)["key_value_store"]}
    changed = {"value": wanted, "updated_at": clock.seconds()} if wanted else {}
    assert found["kill_switch_state"] == {**row, **changed}
    assert found["kill_switch_state "]["value"] == stored


def test_a_second_time_nothing_happens__MIG_02(layout: Layout) -> None:
    old_database(layout.database, 11)
    assert bring_up_to_date(Files(), FakeClock(), layout, 5) is not None
    before = digest(layout.database)
    assert bring_up_to_date(Files(), FakeClock(), layout, 5) is None
    assert migrate_file(Files(), FakeClock(), layout) == (16, 16)
    assert digest(layout.database) == before


def test_the_untouched_old_file_becomes_the_backup__UPGR_12(layout: Layout) -> None:
    old_database(layout.database, 11)
    before, inode = digest(layout.database), layout.database.stat().st_ino
    made = bring_up_to_date(Files(), FakeClock(), layout, 5)
    assert made is not None
    assert made.database.stat().st_ino == inode
    assert digest(made.database) == before
    assert (made.kind, made.version, made.schema_version) == ("migration", "1.5.0", 11)
    assert layout.database.stat().st_ino != inode
    assert layout.database.stat().st_mode & 0o777 == 0o600
    assert made.database.stat().st_mode & 0o777 == 0o600
    assert beside(layout) == {"waiaas.db", "waiaas.db.gate"}


def test_rows_left_in_the_wal_by_a_kill_are_migrated_and_backed_up__MIG_04(layout: Layout) -> None:
    old_database(layout.database, 15)
    killed = layout.data_dir / "killed"
    with closing(sqlite3.connect(layout.database, isolation_level=None)) as connection:
        insert(connection, "settings", {**SETTING, "key": "late"})
        killed.mkdir()
        for suffix in ("", "-wal"):
            source = layout.database.with_name("waiaas.db" + suffix)
            (killed / source.name).write_bytes(source.read_bytes())
    for name in ("waiaas.db", "waiaas.db-wal"):
        (killed / name).replace(layout.database.with_name(name))
    made = bring_up_to_date(Files(), FakeClock(), layout, 5)
    assert made is not None
    for path in (layout.database, made.database):
        assert "late" in [row["key"] for row in contents(path)["settings"]]


SETTING = {"value": "x", "encrypted": 0, "category": "a", "updated_at": THEN}


def broken(version: int, work: Any) -> SimpleNamespace:
    return SimpleNamespace(VERSION=version, DESCRIPTION="a step that fails", apply=work)


def half_then_fail(connection: sqlite3.Connection, now: int) -> None:
    connection.execute("ALTER TABLE settings ADD COLUMN half TEXT")
    connection.execute("UPDATE settings SET value = 'spoilt'")
    raise sqlite3.OperationalError("database or disk is full")


def test_a_failing_step_is_named_and_its_file_is_as_before_it__MIG_03(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = old_database(layout.database, 13)
    steps = [step for step in migrate.MIGRATIONS if step.VERSION != 14]
    monkeypatch.setattr(migrate, "MIGRATIONS", [broken(14, half_then_fail), *steps])
    before = contents(copy)
    with pytest.raises(WaiaasError, match=r"migration 14 \(a step that fails\)") as caught:
        migrate_copy(copy, FakeClock())
    assert caught.value.code == "migration-failed"
    assert contents(copy) == before


def test_a_failing_migration_leaves_the_live_database_and_no_backup__MIG_03(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_database(layout.database, 11)
    steps = [step for step in migrate.MIGRATIONS if step.VERSION != 15]
    monkeypatch.setattr(migrate, "MIGRATIONS", [*steps, broken(15, half_then_fail)])
    before = digest(layout.database)
    with pytest.raises(WaiaasError, match="migration 15"):
        bring_up_to_date(Files(), FakeClock(), layout, 5)
    assert digest(layout.database) == before
    assert beside(layout) == {"waiaas.db", "waiaas.db.gate"}
    assert not layout.backups.exists()


def test_a_power_cut_at_any_point_leaves_one_of_two_databases__MIG_03(tmp_path: Path) -> None:
    points: list[str] = []
    template = old_database(tmp_path / "template.db", 11)
    before = contents(template)
    first = layout_of(tmp_path / "first")
    first.database.write_bytes(template.read_bytes())
    bring_up_to_date(Files(points.append), FakeClock(), first, 5)
    assert len(points) > 8
    for number in range(len(points)):
        layout = layout_of(tmp_path / str(number))
        layout.database.write_bytes(template.read_bytes())
        left = iter(range(number, -1, -1))

        def cut(point: str, left: Any = left) -> None:
            if next(left) == 0:
                raise PowerCut(point)

        with pytest.raises(PowerCut):
            bring_up_to_date(Files(cut), FakeClock(), layout, 5)
        now = contents(layout.database)
        assert now == before or look_at(layout).action == "ok", points[number]
        bring_up_to_date(Files(), FakeClock(), layout, 5)
        assert look_at(layout).action == "ok", points[number]


def failing(*points: str) -> Files:
    def observe(point: str) -> None:
        if point in points:
            raise OSError(errno.EIO, "Input/output error")

    return Files(observe)


def test_a_rename_that_cannot_be_made_durable_is_taken_back__MIG_03(layout: Layout) -> None:
    old_database(layout.database, 13)
    before = digest(layout.database)
    with pytest.raises(WaiaasError, match="the database is as it was"):
        bring_up_to_date(failing("migrate.swap:fsync-directory"), FakeClock(), layout, 5)
    assert digest(layout.database) == before
    assert beside(layout) == {"waiaas.db", "waiaas.db.gate"}
    assert list(layout.backups.iterdir()) == []


def test_a_rename_that_cannot_be_taken_back_keeps_the_backup__MIG_03(layout: Layout) -> None:
    old_database(layout.database, 13)
    files = failing("migrate.swap:fsync-directory", "migrate.back:rename")
    with pytest.raises(WaiaasError, match="holds what it was") as caught:
        bring_up_to_date(files, FakeClock(), layout, 5)
    assert caught.value.code == "migration-unfinished"
    assert look_at(layout).schema == 16
    (kept,) = listing(layout)
    verify(kept)
    assert kept.schema_version == 13


def test_references_that_were_broken_before_are_reported_only__MIG_07(layout: Layout) -> None:
    old_database(layout.database, 11, orphan=True)
    told: list[str] = []
    migrate_file(Files(), FakeClock(), layout, told.append)
    assert any("1 in transactions -> wallets" in sentence for sentence in told)
    assert ORPHAN[0] in [row["id"] for row in contents(layout.database)["transactions"]]


def test_a_reference_that_a_migration_breaks_fails_it__MIG_07(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_database(layout.database, 13, orphan=True)
    steps = [step for step in migrate.MIGRATIONS if step.VERSION != 14]
    lose = broken(14, lambda connection, now: connection.execute("DELETE FROM wallets WHERE id = 'w1'"))
    monkeypatch.setattr(migrate, "MIGRATIONS", [lose, *steps])
    before = digest(layout.database)
    with pytest.raises(WaiaasError, match="foreign keys now point nowhere") as caught:
        migrate_file(Files(), FakeClock(), layout)
    assert caught.value.code == "migration-failed"
    assert digest(layout.database) == before


def test_a_migration_that_does_not_lead_to_the_known_schema_fails__MIG_05(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_database(layout.database, 15)
    steps = [step for step in migrate.MIGRATIONS if step.VERSION != 16]
    idle = broken(16, lambda connection, now: None)
    monkeypatch.setattr(migrate, "MIGRATIONS", [*steps, idle])
    with pytest.raises(WaiaasError, match="check of the migrated copy"):
        migrate_file(Files(), FakeClock(), layout)


@pytest.mark.parametrize(("version", "code"), [(10, "schema-too-old"), (17, "schema-too-new")])
def test_an_incompatible_database_is_not_written_to__MIG_06(layout: Layout, version: int, code: str) -> None:
    old_database(layout.database, min(version, 16))
    if version > 16:
        with closing(sqlite3.connect(layout.database, isolation_level=None)) as connection:
            insert(connection, "schema_version", {"version": 17, "applied_at": 1, "description": "x"})
    before = digest(layout.database)
    for attempt in (
        lambda: bring_up_to_date(Files(), FakeClock(), layout, 5),
        lambda: migrate_file(Files(), FakeClock(), layout),
    ):
        with pytest.raises(SchemaIncompatible) as caught:
            attempt()
        assert caught.value.code == code
    assert digest(layout.database) == before
    assert beside(layout) == {"waiaas.db", "waiaas.db.gate"}
