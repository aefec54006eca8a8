"""Real data directories of the previous implementation, and what it made of them itself."""

import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from tests.fakes import FakeClock
from tests.store.old_databases import (
    LEGACY,
    contents,
    digest,
    legacy_directory,
    look_at,
    schema_diff,
)
from tests.tars import extract
from waiaas.core.errors import Exit, SchemaIncompatible
from waiaas.core.layout import Layout
from waiaas.host.files import Files
from waiaas.host.locks import Gate
from waiaas.host.sqlite import reading
from waiaas.store import backup, schema
from waiaas.store.migrate import bring_up_to_date
from waiaas.store.tables import ddl


def beside(layout: Layout) -> set[str]:
    return {path.name for path in layout.database.parent.iterdir()}


@pytest.mark.parametrize(("name", "version"), [("1.5.0", 11), ("1.6.0-lived", 15)])
def test_our_migration_equals_that_of_the_original__MIG_07(tmp_path: Path, name: str, version: int) -> None:
    layout = legacy_directory(name, tmp_path)
    with tarfile.open(LEGACY / "oracle" / f"waiaas-{name}-to-16.tar.gz") as archive:
        extract(archive, tmp_path / "oracle")
    oracle = tmp_path / "oracle" / f"waiaas-{name}-to-16" / "waiaas.db"
    assert look_at(layout).schema == version
    assert look_at(layout).damage is None
    bring_up_to_date(Files(), FakeClock(), layout, 5)
    compared = schema_diff(layout.database, oracle, "--preset", "migrated")
    assert compared.returncode == 0, compared.stdout


@pytest.mark.parametrize("name", ["1.5.0", "1.5.3", "1.6.0-lived"])
def test_the_whole_old_directory_is_kept_and_can_come_back__UPGR_12(tmp_path: Path, name: str) -> None:
    layout = legacy_directory(name, tmp_path)
    before, old = digest(layout.database), contents(layout.database)
    keys = {path.name: digest(path) for path in layout.keystore.iterdir()}
    made = bring_up_to_date(Files(), FakeClock(), layout, 5)
    assert made is not None
    assert digest(made.database) == before
    assert made.rows == {table: len(rows) for table, rows in old.items() if table != "sqlite_sequence"}
    assert beside(layout) == {"waiaas.db", "waiaas.db.gate"}
    backup.restore(Files(), FakeClock(), layout, made)
    assert contents(layout.database) == old
    assert {path.name: digest(path) for path in layout.keystore.iterdir()} == keys


def test_the_rows_in_the_wal_of_a_killed_daemon_are_there__MIG_04(tmp_path: Path) -> None:
    layout = legacy_directory("1.8.0-dirty", tmp_path)
    ignoring = tmp_path / "ignoring.db"
    ignoring.write_bytes(layout.database.read_bytes())
    with reading(layout.database, Gate(layout.gate, FakeClock())) as connection:
        (wallets,) = connection.execute("SELECT COUNT(*) FROM wallets").fetchone()
    made = backup.create(Files(), FakeClock(), layout, "manual", "1.8.0", None)
    assert made.rows["wallets"] == wallets
    assert contents(made.database) != contents(ignoring)
    linked = backup.create(Files(), FakeClock(), layout, "manual", "1.8.0", None, link=True)
    assert contents(linked.database) == contents(made.database)
    assert look_at(layout).action == "ok"
    assert bring_up_to_date(Files(), FakeClock(), layout, 5) is None


@pytest.mark.parametrize(
    ("name", "schema", "words"),
    [("head", 62, "upgrade your WAIaaS"), ("1.4.8", 10, "first upgrade to 1.5.3, then to 1.8.0")],
)
def test_an_incompatible_directory_stays_as_it_is__MIG_06(
    tmp_path: Path, name: str, schema: int, words: str
) -> None:
    layout = legacy_directory(name, tmp_path)
    before = digest(layout.database)
    state = look_at(layout)
    assert (state.schema, state.action) == (schema, "reject")
    with pytest.raises(SchemaIncompatible, match=words) as caught:
        bring_up_to_date(Files(), FakeClock(), layout, 5)
    assert caught.value.exit_code == Exit.SCHEMA
    assert digest(layout.database) == before
    assert beside(layout) == {"waiaas.db", "waiaas.db.gate"}


@pytest.mark.parametrize(
    ("name", "version"), [("1.4.8", 10), ("1.5.0", 11), ("1.5.3", 13), ("1.8.0-dirty", 16)]
)
def test_our_tables_are_those_of_the_original__MIG_01(tmp_path: Path, name: str, version: int) -> None:
    layout = legacy_directory(name, tmp_path)
    ours = tmp_path / "ours.db"
    with closing(schema.connect(ours, "rwc")) as connection:
        for statement in ddl(version):
            connection.execute(statement)
    compared = schema_diff(ours, layout.database, "--schema-only")
    assert compared.returncode == 0, compared.stdout
