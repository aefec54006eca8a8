"""The world stops at any durable operation of a backup or a restore: two states, never a third."""

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.fakes import FakeClock
from tests.store.old_databases import contents, layout_of, look_at, old_database
from waiaas.core.layout import Layout
from waiaas.host.files import Files
from waiaas.host.sqlite import connect
from waiaas.store import backup, keyvalue, killswitch, schema, switching

Work = Callable[[Files, Layout], object]


class PowerCut(BaseException):
    """The world stops."""


def prepared(folder: Path) -> Layout:
    """A live database of schema 16, and a backup of schema 13 from before."""
    layout = layout_of(folder)
    old_database(layout.database, 13)
    layout.config.write_text("old = 1\n")
    backup.create(Files(), FakeClock(), layout, "upgrade", "1.5.3", None)
    layout.database.unlink()
    schema.create(Files(), FakeClock(), layout.database)
    layout.config.write_text("new = 1\n")
    return layout


def cut_at(number: int) -> Files:
    left = iter(range(number, -1, -1))

    def observe(point: str) -> None:
        if next(left) == 0:
            raise PowerCut(point)

    return Files(observe)


def everywhere(tmp_path: Path, work: Work, check: Callable[[Layout], None]) -> None:
    points: list[str] = []
    prepared(tmp_path / "template")

    def fresh(name: str) -> Layout:
        shutil.copytree(tmp_path / "template", tmp_path / name)
        return layout_of(tmp_path / name)

    work(Files(points.append), fresh("whole"))
    assert len(points) >= 4
    for number in range(len(points)):
        layout = fresh(str(number))
        with pytest.raises(PowerCut):
            work(cut_at(number), layout)
        check(layout)


@pytest.mark.parametrize("link", [False, True])
def test_a_backup_is_whole_or_not_there__BKUP_1(tmp_path: Path, link: bool) -> None:
    def work(files: Files, layout: Layout) -> None:
        backup.create(files, FakeClock(), layout, "manual", "1.8.0", None, link=link)

    def check(layout: Layout) -> None:
        for found in backup.listing(layout):
            backup.verify(found, full=True)
        assert look_at(layout).schema == 16
        assert layout.config.read_text() == "new = 1\n"

    everywhere(tmp_path, work, check)


@pytest.mark.parametrize("link", [False, True])
def test_a_restored_database_is_the_present_or_the_past_one__BKUP_3(tmp_path: Path, link: bool) -> None:
    def work(files: Files, layout: Layout) -> None:
        (kept,) = backup.listing(layout)
        backup.restore(files, FakeClock(), layout, kept, link=link)

    def check(layout: Layout) -> None:
        assert look_at(layout).schema in (13, 16)
        work(Files(), layout)
        (kept,) = backup.listing(layout)
        assert contents(layout.database) == contents(kept.database)
        assert layout.config.read_text() == "old = 1\n"

    everywhere(tmp_path, work, check)


@pytest.mark.parametrize("link", [False, True])
def test_a_switch_that_is_on_is_on_in_both_of_them__DMN_4(tmp_path: Path, link: bool) -> None:
    def work(files: Files, layout: Layout) -> None:
        with closing(connect(layout.database)) as connection:
            switching.throw(connection, "cli", 1)
        kept = backup.listing(layout)[0]
        backup.restore(files, FakeClock(), layout, kept, link=link, keep_switch=True)

    def check(layout: Layout) -> None:
        with closing(connect(layout.database)) as connection:
            assert keyvalue.get(connection, killswitch.STATE) == "SUSPENDED"
        backup.verify(backup.listing(layout)[0])

    everywhere(tmp_path, work, check)
