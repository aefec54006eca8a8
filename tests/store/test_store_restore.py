"""A backup comes back verified, in one rename, and is checked after; else nothing changes."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.fakes import FakeClock
from tests.store.old_databases import contents, digest, layout_of, look_at, old_database
from waiaas.core.errors import Busy, SchemaIncompatible, WaiaasError
from waiaas.core.layout import Layout
from waiaas.host.files import Files
from waiaas.host.locks import Gate
from waiaas.host.sqlite import connect_live, transaction
from waiaas.store import backup, keyvalue, schema
from waiaas.store.backup import Backup


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = layout_of(tmp_path)
    schema.create(Files(), FakeClock(), made.database)
    made.config.write_text("[daemon]\nport = 4000\n")
    return made


@pytest.fixture
def daemon(layout: Layout) -> Iterator[sqlite3.Connection]:
    """A serving daemon: the gate held shared, a connection open, rows only in its `-wal`."""
    with Gate(layout.gate, FakeClock()).shared(), closing(connect_live(layout.database)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        keyvalue.put(connection, "while", "serving", 1)
        yield connection


def create(layout: Layout, clock: FakeClock | None = None, link: bool = False) -> Backup:
    return backup.create(Files(), clock or FakeClock(), layout, "manual", "1.8.0", None, link=link)


def put(layout: Layout, key: str) -> None:
    with closing(connect_live(layout.database)) as connection, transaction(connection):
        keyvalue.put(connection, key, "x", 1)


def keys(path: Path) -> list[str]:
    return [row["key"] for row in contents(path)["key_value_store"]]


def damage_bytes(path: Path) -> None:
    whole = bytearray(path.read_bytes())
    whole[-1] ^= 1
    path.write_bytes(whole)


def other_file(path: Path) -> None:
    path.unlink()
    old_database(path, 16)


@pytest.mark.parametrize("damage", [damage_bytes, other_file, Path.unlink])
@pytest.mark.parametrize("name", ["waiaas.db", "config.toml"])
def test_a_damaged_backup_is_refused_and_nothing_changes__BKUP_3(
    layout: Layout, damage: object, name: str
) -> None:
    made = create(layout)
    put(layout, "later")
    before = digest(layout.database)
    damage(made.path / name)  # type: ignore[operator]
    with pytest.raises(WaiaasError) as caught:
        backup.restore(Files(), FakeClock(), layout, made)
    assert caught.value.code == "backup-damaged"
    assert digest(layout.database) == before


@pytest.mark.parametrize("link", [False, True])
def test_restoring_brings_back_the_moment_of_the_backup__BKUP_3(layout: Layout, link: bool) -> None:
    put(layout, "early")
    made = create(layout)
    before = contents(layout.database)
    put(layout, "late")
    layout.config.write_text("port = 5000\n")
    backup.restore(Files(), FakeClock(), layout, made, link=link)
    assert contents(layout.database) == before
    assert layout.config.read_text() == "[daemon]\nport = 4000\n"
    assert layout.config.stat().st_mode & 0o777 == 0o600
    assert layout.database.samefile(made.database) is link


def test_a_stale_wal_is_not_replayed_over_what_was_restored__BKUP_3(
    layout: Layout, daemon: sqlite3.Connection
) -> None:
    made = create(layout)
    stale = {s: layout.database.with_name("waiaas.db" + s).read_bytes() for s in ("", "-wal", "-shm")}
    killed = layout_of(layout.data_dir / "killed")
    keyvalue.put(daemon, "late", "x", 2)
    stale["-wal"] = layout.database.with_name("waiaas.db-wal").read_bytes()
    for suffix, data in stale.items():
        killed.database.with_name("waiaas.db" + suffix).write_bytes(data)
    assert keys(killed.database) == ["late", "while"]
    backup.restore(Files(), FakeClock(), killed, made)
    assert keys(killed.database) == ["while"]


def test_undoing_where_nothing_was_replaced_touches_nothing__UPGR_12(layout: Layout) -> None:
    made = create(layout, link=True)
    inode = layout.database.stat().st_ino
    backup.restore(Files(), FakeClock(), layout, made, link=True)
    assert layout.database.stat().st_ino == inode
    backup.remove(Files(), made)
    assert look_at(layout).action == "ok"


def test_undoing_a_migration_is_a_rename_of_the_old_file__UPGR_12(tmp_path: Path) -> None:
    layout = layout_of(tmp_path)
    old_database(layout.database, 13)
    before, inode = digest(layout.database), layout.database.stat().st_ino
    made = create(layout, link=True)
    schema_new = tmp_path / "new.db"
    schema.create(Files(), FakeClock(), schema_new)
    schema_new.replace(layout.database)
    backup.restore(Files(), FakeClock(), layout, made, link=True)
    assert (digest(layout.database), layout.database.stat().st_ino) == (before, inode)


def test_restoring_without_config_leaves_the_settings__BKUP_3(layout: Layout) -> None:
    made = create(layout)
    layout.config.write_text("port = 5000\n")
    backup.restore(Files(), FakeClock(), layout, made, with_config=False)
    assert layout.config.read_text() == "port = 5000\n"


def test_a_backup_of_a_newer_schema_is_refused__CMPT_02(layout: Layout) -> None:
    with closing(sqlite3.connect(layout.database, isolation_level=None)) as connection:
        connection.execute(
            "INSERT INTO schema_version (version, applied_at, description) VALUES (17, 1, 'x')"
        )
    made = create(layout)
    before = digest(layout.database)
    with pytest.raises(SchemaIncompatible, match="upgrade your WAIaaS"):
        backup.restore(Files(), FakeClock(), layout, made)
    assert digest(layout.database) == before


def test_undoing_a_roll_back_brings_the_newer_schema_back__UPGR_06(layout: Layout) -> None:
    """The older program may be the one that undoes it, after a power cut; it serves nothing of that."""
    with closing(sqlite3.connect(layout.database, isolation_level=None)) as connection:
        connection.execute(
            "INSERT INTO schema_version (version, applied_at, description) VALUES (17, 1, 'x')"
        )
    made = create(layout)
    layout.database.unlink()
    backup.restore(Files(), FakeClock(), layout, made, link=True)
    assert layout.database.samefile(made.database)


def test_restoring_waits_for_nobody_who_has_the_database_open__DIR_5(
    layout: Layout, daemon: sqlite3.Connection
) -> None:
    made = create(layout)
    with pytest.raises(Busy):
        backup.restore(Files(), FakeClock(), layout, made)
    assert keys(layout.database) == ["while"]


def test_a_lost_database_is_restored__BKUP_3(layout: Layout) -> None:
    made = create(layout)
    layout.database.unlink()
    layout.gate.unlink()
    layout.database.parent.rmdir()
    backup.restore(Files(), FakeClock(), layout, made)
    assert look_at(layout).action == "ok"


def test_a_program_that_is_overwritten_in_place_harms_no_backup__BKUP_1(
    layout: Layout, tmp_path: Path
) -> None:
    """`cp waiaas-1.9.0.pyz waiaas` writes into the file of that name."""
    program = tmp_path / "waiaas"
    program.write_bytes(b"old program")
    made = backup.create(Files(), FakeClock(), layout, "manual", "1.8.0", program)
    with program.open("r+b") as stream:
        stream.write(b"new program, of another size")
    backup.restore(Files(), FakeClock(), layout, made)
    assert made.artefact is not None
    assert made.artefact.read_bytes() == b"old program"
