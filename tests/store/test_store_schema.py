"""A new database: schema 16 at once, complete when it has its name, nobody else's to read."""

import os
from contextlib import closing
from pathlib import Path

import pytest

from tests.fakes import FakeClock
from tests.store.old_databases import contents, digest
from waiaas.core.compat import FIRST_SCHEMA, LATEST_SCHEMA_VERSION
from waiaas.core.errors import WaiaasError
from waiaas.host.files import Files
from waiaas.host.sqlite import connect
from waiaas.store import schema
from waiaas.store.migrations import MIGRATIONS
from waiaas.store.structure import differences, facts


class PowerCut(BaseException):
    """The world stops."""


def test_migrations_begin_at_the_first_schema_and_leave_none_out__CMPT_01() -> None:
    assert [step.VERSION - 1 for step in MIGRATIONS] == [*range(FIRST_SCHEMA, LATEST_SCHEMA_VERSION)]


def test_a_new_database_has_all_versions_recorded__MIG_05(tmp_path: Path) -> None:
    clock = FakeClock()
    schema.create(Files(), clock, tmp_path / "waiaas.db")
    rows = contents(tmp_path / "waiaas.db")
    recorded = rows.pop("schema_version")
    assert [row["version"] for row in recorded] == list(range(1, 17))
    assert recorded[0]["description"] == "Initial schema (15 tables)"
    assert recorded[12]["description"] == "Add amount_usd and reserved_amount_usd columns to transactions"
    assert {row["applied_at"] for row in recorded} == {clock.seconds()}
    assert not any(rows.values())
    with closing(connect(tmp_path / "waiaas.db", "ro")) as connection:
        assert facts(connection) == schema.expected(16)
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        for pragma, value in (("user_version", 0), ("application_id", 0), ("page_size", 4096)):
            assert connection.execute(f"PRAGMA {pragma}").fetchone()[0] == value


def test_it_is_for_its_owner_alone_and_leaves_nothing_beside_it__DIR_1(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        schema.create(Files(), FakeClock(), tmp_path / "waiaas.db")
    finally:
        os.umask(old)
    assert (tmp_path / "waiaas.db").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["waiaas.db"]


def test_an_existing_database_is_never_recreated__MIG_06(tmp_path: Path) -> None:
    path = tmp_path / "waiaas.db"
    schema.create(Files(), FakeClock(), path)
    before = digest(path)
    with pytest.raises(WaiaasError) as caught:
        schema.create(Files(), FakeClock(), path)
    assert caught.value.code == "database-exists"
    assert digest(path) == before


def test_half_a_database_never_has_its_name__MIG_05(tmp_path: Path) -> None:
    points: list[str] = []
    schema.create(Files(points.append), FakeClock(), tmp_path / "first.db")
    for number in range(len(points)):
        path = tmp_path / f"{number}.db"
        left = iter(range(number, -1, -1))

        def cut(point: str, left: object = left) -> None:
            if next(left) == 0:  # type: ignore[call-overload]
                raise PowerCut(point)

        with pytest.raises(PowerCut):
            schema.create(Files(cut), FakeClock(), path)
        if not path.exists():
            schema.create(Files(), FakeClock(), path)
        with closing(connect(path, "ro")) as connection:
            assert facts(connection) == schema.expected(16)


@pytest.mark.parametrize("version", range(11, 16))
def test_each_schema_differs_from_the_next_one_that_changes_structure__MIG_01(version: int) -> None:
    against = differences(schema.expected(version), schema.expected(version + 1))
    assert bool(against) is (version + 1 != 14)
