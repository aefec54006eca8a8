"""What the steps do inside the data directory, on real files: found before, and undone (UPGR-07)."""

import errno
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import FakeClock
from waiaas.core.errors import RolledBack, WaiaasError
from waiaas.core.journal import FORMAT, Facts
from waiaas.core.layout import Layout, ProgramLayout
from waiaas.core.settings import Settings
from waiaas.core.version import Version
from waiaas.host.files import Files
from waiaas.host.host import Host
from waiaas.host.http import Network
from waiaas.host.locks import Gate
from waiaas.host.processes import Processes
from waiaas.host.program import Program
from waiaas.host.sqlite import connect_live, reading
from waiaas.store import backup, killswitch, schema, switching
from waiaas.upgrade import keeper, plans, preflight, transaction
from waiaas.upgrade.book import Book
from waiaas.upgrade.place import Place, Wish
from waiaas.upgrade.report import Silent
from waiaas.upgrade.rollback import Restore
from waiaas.upgrade.steps import Migrate, Reversible
from waiaas.upgrade.transaction import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run that may begin: its daemon is down, its database is new."""
    data = tmp_path / "data"
    layout = Layout(data, data / "data" / "waiaas.db", data / "config.toml")
    program = ProgramLayout(tmp_path / "waiaas")
    program.program.write_bytes(b"program")
    program.base.mkdir()
    layout.database.parent.mkdir(parents=True)
    clock, files = FakeClock(), Files()
    schema.create(files, clock, layout.database)
    host = Host(clock, files, Network({}, clock), Processes({}), Program(program.program), {})
    plan: dict[str, Any] = {"run": "r", "format": FORMAT, "kind": "upgrade", "from": "1.8.0", "to": "1.9.0"}
    plan |= {"migrating": True, "schemaFrom": 16, "restore": None, "dataDir": str(data)}
    return Run(host, layout, program, Settings(), Silent(), Book(program, files, clock), plan)


def test_backups_that_lead_nowhere_are_found_before_the_daemon_stops__UPGR_07(run: Run) -> None:
    preflight.require(run)
    run.layout.backups.symlink_to(run.layout.data_dir / "unmounted")
    with pytest.raises(WaiaasError, match=r"backups is no folder, or a link to none") as caught:
        preflight.require(run)
    assert caught.value.code == "preflight"
    assert str(run.layout.backups) in caught.value.hint


def throw(run: Run) -> None:
    """What `kill-switch on` does."""
    with Gate(run.layout.gate, run.host.clock).shared(), closing(connect_live(run.layout.database)) as other:
        switching.switch(other, True, "cli", 1)


def is_on(run: Run) -> bool:
    with reading(run.layout.database, Gate(run.layout.gate, run.host.clock)) as connection:
        return killswitch.is_on(connection)


@pytest.fixture
def migrated(run: Run) -> Run:
    """The old database is the backup's, by link; a new file has its name."""
    made = backup.create(run.host.files, run.host.clock, run.layout, "upgrade", "1.8.0", None, link=True)
    schema.create(run.host.files, run.host.clock, run.layout.migrating)
    run.layout.migrating.replace(run.layout.database)
    run.plan["schemaFrom"] = 15  # so that it counts as migrated
    run.book.write("opened", facts=run.plan)
    for step, facts in (("backup", {"backup": made.id}), ("migrate", {}), ("restore", {})):
        run.book.write("intent", step)
        run.book.write("done", step, facts)
    return run


def undo_migration(run: Run) -> None:
    Migrate().undo(run, {})


def undo_restoring(run: Run) -> None:
    run.plan["restore"] = "another"
    Restore().undo(run, {})


def restore(run: Run) -> None:
    run.plan["restore"] = run.facts_of("backup")["backup"]
    Restore().do(run, {})


@pytest.mark.parametrize("work", [undo_migration, undo_restoring, restore])
def test_a_kill_switch_thrown_while_the_backup_is_verified_survives__DMN_4(
    migrated: Run, monkeypatch: pytest.MonkeyPatch, work: Callable[[Run], None]
) -> None:
    """With a large database that takes minutes, and nothing keeps `kill-switch on` from writing."""
    verify = backup.verify

    def slowly(made: backup.Backup) -> None:
        verify(made)
        throw(migrated)

    monkeypatch.setattr(backup, "verify", slowly)
    live = migrated.layout.database.stat().st_ino
    work(migrated)
    assert migrated.layout.database.stat().st_ino != live
    assert is_on(migrated)
    verify(backup.listing(migrated.layout)[0])


def test_where_the_switch_is_off_undoing_is_a_rename__UPGR_12(migrated: Run) -> None:
    undo_migration(migrated)
    assert migrated.layout.database.samefile(backup.listing(migrated.layout)[0].database)
    assert not is_on(migrated)


def test_without_room_for_a_copy_the_switch_is_thrown_after_the_rename__DMN_4(
    migrated: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space")

    throw(migrated)
    monkeypatch.setattr(Files, "copy", full)
    undo_migration(migrated)
    assert is_on(migrated)


class Fails(Reversible):
    """A step in which the disk becomes full."""

    name = title = "migrate"

    def __init__(self, disk: "FullDisk") -> None:
        self.disk = disk

    def do(self, run: Run, facts: Facts) -> Facts:
        self.disk.full = True
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class FullDisk(Files):
    """No room for any entry, as long as nothing was removed."""

    full = False

    def append(self, op: str, path: Path, line: bytes, mode: int = 0o600, *, durable: bool = True) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().append(op, path, line, mode, durable=durable)

    def remove(self, op: str, path: Path) -> None:
        self.full = self.full and not path.exists()
        super().remove(op, path)


def test_a_run_that_fills_the_disk_is_rolled_back_and_closed__UPGR_06(run: Run) -> None:
    disk = FullDisk()
    run.book = Book(run.program, disk, run.host.clock)
    run.host = Host(**{**vars(run.host), "files": disk})
    with pytest.raises(RolledBack, match="No space left"):
        transaction.execute(run, [Fails(disk)])
    assert [r["outcome"] for r in run.book.history()] == ["rolled-back"]
    assert run.book.open_run() is None
    assert not run.program.ballast.exists()


def test_an_attempt_that_cannot_be_counted_on_a_full_disk_is_made__UPGR_13(run: Run) -> None:
    disk = FullDisk()
    run.book = Book(run.program, disk, run.host.clock)
    run.book.write("opened", facts=run.plan)
    run.book.write("intent", "migrate")

    class MakesRoom(Fails):
        def undo(self, run: Run, facts: Facts) -> None:
            self.disk.full = False

    state = run.book.open_run()
    assert state is not None
    disk.full = True
    assert transaction.recover(run, state, [MakesRoom(disk)])["outcome"] == "rolled-back"


def test_a_roll_back_to_settings_that_open_another_database_is_refused__UPGR_04(run: Run) -> None:
    run.layout.config.write_text('[database]\npath = "old.db"\n')
    made = backup.create(run.host.files, run.host.clock, run.layout, "upgrade", "1.8.0", None)
    kept = keeper.describe(run.host, run.layout, made.id)
    here = Place(run.host, run.layout, run.program, run.settings, Silent(), Version.parse("1.9.0"), "")
    with pytest.raises(WaiaasError, match=r"open .*/old\.db, those of today open .*/waiaas\.db") as caught:
        plans.rollback_plan(here, kept, "1.8.0", "digest", Wish())
    assert caught.value.code == "other-database"
    run.layout.config.write_text("")
    made = backup.create(run.host.files, run.host.clock, run.layout, "upgrade", "1.8.0", None)
    kept = keeper.describe(run.host, run.layout, made.id)
    assert plans.rollback_plan(here, kept, "1.8.0", "digest", Wish())["restore"] == made.id


def test_room_is_looked_for_on_each_disk_that_a_run_writes_to__UPGR_07(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database on a disk of its own, as `[database] path` allows."""
    full = run.layout.database.parent

    def room(folder: Path) -> Facts:
        own = folder == full
        return {"folder": str(folder), "device": int(own), "free": 0 if own else 1 << 40}

    monkeypatch.setattr(keeper, "room", room)
    with pytest.raises(WaiaasError, match=rf"the file system of {full} lacks 17 MiB") as caught:
        preflight.require(run)
    assert caught.value.hint.startswith("make room there")
