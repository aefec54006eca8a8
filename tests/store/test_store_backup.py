"""Backups are whole or not there, ordered by their manifest, and restored in one rename."""

import fcntl
import json
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.fakes import FakeClock
from tests.store.old_databases import contents, digest, layout_of, look_at
from waiaas.core.errors import Busy, NotReady, WaiaasError
from waiaas.core.layout import Layout
from waiaas.host.files import Files
from waiaas.host.locks import Gate
from waiaas.host.sqlite import connect_live, transaction
from waiaas.store import backup, keyvalue, schema, unfinished
from waiaas.store.backup import Backup


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = layout_of(tmp_path)
    schema.create(Files(), FakeClock(), made.database)
    made.config.write_text("[daemon]\nport = 4000\n")
    return made


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "waiaas"
    path.write_bytes(b"program")
    path.chmod(0o755)
    return path


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


@pytest.mark.parametrize("link", [False, True])
def test_a_backup_holds_database_config_program_and_manifest__BKUP_1(
    layout: Layout, program: Path, link: bool
) -> None:
    clock = FakeClock()
    made = backup.create(Files(), clock, layout, "upgrade", "1.8.0", program, link=link)
    assert made.path.parent == layout.backups
    assert made.id.startswith("pre-upgrade-1.8.0-20261120T000000Z-")
    names = {path.name for path in made.path.iterdir()}
    assert names == {"waiaas.db", "config.toml", "waiaas-1.8.0.pyz", "manifest.json"}
    told = json.loads((made.path / "manifest.json").read_text())
    assert (told["format"], told["id"], told["kind"]) == (1, made.id, "upgrade")
    assert (told["version"], told["schemaVersion"]) == ("1.8.0", 16)
    assert (told["createdAt"], told["createdAtUnix"]) == ("2026-11-20T00:00:00Z", clock.now())
    assert told["rows"]["schema_version"] == 16
    for name, entry in told["files"].items():
        assert entry == {"bytes": (made.path / name).stat().st_size, "sha256": digest(made.path / name)}
    assert contents(made.database) == contents(layout.database)
    assert made.artefact is not None
    assert made.artefact.read_bytes() == b"program"
    backup.verify(made, full=True)
    assert backup.listing(layout) == [made]
    assert made.database.samefile(layout.database) is link


def test_folders_and_files_of_a_backup_are_for_their_owner_alone__DIR_1(layout: Layout) -> None:
    layout.database.chmod(0o644)  # as the previous implementation leaves it
    layout.config.chmod(0o644)
    for link in (False, True):
        made = create(layout, link=link)
        assert made.path.stat().st_mode & 0o777 == 0o700
        for path in made.path.iterdir():
            assert path.stat().st_mode & 0o777 == 0o600, path
    assert layout.backups.stat().st_mode & 0o777 == 0o700


def test_a_backup_is_made_while_the_daemon_serves__BKUP_4(layout: Layout, daemon: sqlite3.Connection) -> None:
    made = create(layout)
    assert keys(made.database) == ["while"]
    keyvalue.put(daemon, "after", "x", 2)
    assert keys(made.database) == ["while"]
    backup.verify(made)


def test_the_file_itself_is_never_linked_while_a_daemon_serves__DIR_5(
    layout: Layout, daemon: sqlite3.Connection
) -> None:
    with pytest.raises(Busy):
        create(layout, link=True)
    assert backup.listing(layout) == []


def test_no_trace_beside_the_database_after_a_backup__DIR_5(layout: Layout) -> None:
    for link in (False, True):
        create(layout, link=link)
        assert sorted(path.name for path in layout.database.parent.iterdir()) == [
            "waiaas.db",
            "waiaas.db.gate",
        ]


def test_rows_in_the_wal_of_a_killed_daemon_are_in_a_linked_backup__BKUP_1(
    layout: Layout, daemon: sqlite3.Connection
) -> None:
    elsewhere = layout_of(layout.data_dir / "killed")
    for suffix in ("", "-wal"):
        source = layout.database.with_name("waiaas.db" + suffix)
        elsewhere.database.with_name(source.name).write_bytes(source.read_bytes())
    assert keys(create(elsewhere, link=True).database) == ["while"]


def test_a_custom_database_path_is_backed_up_under_the_usual_name__BKUP_1(tmp_path: Path) -> None:
    layout = Layout(tmp_path, tmp_path / "elsewhere" / "my.sqlite", tmp_path / "config.toml")
    layout.database.parent.mkdir()
    schema.create(Files(), FakeClock(), layout.database)
    made = create(layout)
    assert made.database.name == "waiaas.db"
    backup.restore(Files(), FakeClock(), layout, made)
    assert look_at(layout).action == "ok"


def test_a_missing_or_malformed_database_is_no_backup__BKUP_1(layout: Layout) -> None:
    whole = layout.database.read_bytes()
    layout.database.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
    for link in (False, True):
        with pytest.raises(WaiaasError):
            create(layout, link=link)
    layout.database.unlink()
    with pytest.raises(NotReady) as caught:
        create(layout)
    assert caught.value.code == "database-missing"
    assert list(layout.backups.iterdir()) == []


def test_what_a_kill_left_goes_at_once_and_what_is_at_work_stays__BKUP_1(layout: Layout) -> None:
    """A link of that name is somebody else's idea, and is left alone with what it points at."""
    precious = layout.data_dir / "precious"
    precious.mkdir()
    left = [layout.backups / name for name in (".tmp-manual-1.8.0-x", ".tmp-pre-upgrade-1.8.0-x.1.gone")]
    at_work, planted = layout.backups / ".tmp-manual-1.8.0-y", layout.backups / ".tmp-link"
    for folder in left:
        (folder / "deep").mkdir(parents=True)
    planted.symlink_to(precious)
    with unfinished.making(Files(), at_work):
        create(layout)
        assert at_work.exists()
        assert not any(folder.exists() for folder in left)
    create(layout)
    assert not at_work.exists()
    assert (planted.is_symlink(), precious.exists()) == (True, True)


def test_a_folder_taken_for_abandoned_too_early_is_made_again__BKUP_1(layout: Layout) -> None:
    """Between its creation and its lock somebody sweeps."""

    class Sweeping(Files):
        sweeps = 0

        def make_directory(self, op: str, path: Path, mode: int = 0o700, *, durable: bool = True) -> None:
            super().make_directory(op, path, mode, durable=durable)
            if path.name.startswith(".tmp-") and self.sweeps < 3:
                self.sweeps += 1
                unfinished.forget_unfinished(layout)

    files = Sweeping()
    made = backup.create(files, FakeClock(), layout, "manual", "1.8.0", None)
    assert files.sweeps == 3
    backup.verify(made)


def test_a_folder_swept_before_it_has_its_mode_is_made_again__BKUP_1(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweeps, chmod = [layout] * 3, Path.chmod

    def swept(path: Path, mode: int) -> None:
        if path.name.startswith(".tmp-") and sweeps:
            unfinished.forget_unfinished(sweeps.pop())
        chmod(path, mode)

    monkeypatch.setattr(Path, "chmod", swept)
    backup.verify(create(layout))
    assert sweeps == []


@pytest.mark.parametrize("planted", ["link", "file"])
def test_backups_that_are_no_folder_are_an_error_and_no_endless_loop__BKUP_1(
    layout: Layout, planted: str
) -> None:
    if planted == "link":
        layout.backups.symlink_to(layout.data_dir / "gone" / "backups")
    else:
        layout.backups.write_text("")
    with pytest.raises(WaiaasError, match="not a folder, or a link to none") as caught:
        create(layout)
    assert caught.value.code == "backup-failed"


def test_a_folder_that_is_swept_each_time_is_given_up__BKUP_1(layout: Layout) -> None:
    class Sweeping(Files):
        def make_directory(self, op: str, path: Path, mode: int = 0o700, *, durable: bool = True) -> None:
            super().make_directory(op, path, mode, durable=durable)
            unfinished.forget_unfinished(layout)

    with pytest.raises(WaiaasError, match="again and again"):
        backup.create(Sweeping(), FakeClock(), layout, "manual", "1.8.0", None)


def test_a_sweep_that_comes_late_leaves_the_maker_who_came_after__BKUP_1(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has opened what a kill left; before it has its lock that is removed, and made again by another."""
    folder, flock, held = layout.backups / ".tmp-manual-1.8.0-z", fcntl.flock, ExitStack()
    folder.mkdir(parents=True)

    def late(descriptor: int, kind: int) -> None:
        monkeypatch.setattr(fcntl, "flock", flock)
        folder.rmdir()
        held.enter_context(unfinished.making(Files(), folder))
        flock(descriptor, kind)

    monkeypatch.setattr(fcntl, "flock", late)
    with held:
        unfinished.forget_unfinished(layout)
        assert folder.exists()
        assert unfinished.unfinished(layout) == []
    unfinished.forget_unfinished(layout)
    assert not folder.exists()


def test_listing_goes_by_the_manifests_time_never_by_name__BKUP_2(layout: Layout) -> None:
    clock = FakeClock()
    made = []
    for version in ("1.8.0", "1.9.0", "1.10.0", "1.9.0-rc.10"):
        made.append(backup.create(Files(), clock, layout, "upgrade", version, None))
        clock.sleep(0.5)
    assert backup.listing(layout) == made[::-1]


def test_the_newest_are_kept_and_a_needed_one_never_goes__BKUP_2(layout: Layout) -> None:
    clock = FakeClock()
    made = []
    for _ in range(7):
        made.append(create(layout, clock))
        clock.sleep(1)
    gone = backup.prune(Files(), layout, 3, {made[1].id})
    assert gone == [made[0], made[2], made[3]]
    assert backup.listing(layout) == [made[6], made[5], made[4], made[1]]
    assert backup.prune(Files(), layout, 0) == [made[1], made[4], made[5]]
    assert backup.listing(layout) == [made[6]]


def test_foreign_folders_are_neither_listed_nor_pruned__BKUP_2(layout: Layout, tmp_path: Path) -> None:
    theirs = layout.backups / "pre-upgrade-1.7.0-20250101120000"
    theirs.mkdir(parents=True)
    (theirs / "waiaas.db").write_bytes(b"x")
    made = create(layout)
    manifest = json.loads((made.path / "manifest.json").read_text())
    spoilt = {
        "other-format": {**manifest, "format": 2},
        "other-id": manifest,
        "escape": {**manifest, "id": "escape", "files": {"../../config.toml": {"bytes": 1, "sha256": ""}}},
        "no-time": {**manifest, "id": "no-time", "createdAtUnix": None},
        "list": [],
    }
    for name, document in spoilt.items():
        (layout.backups / name).mkdir()
        (layout.backups / name / "manifest.json").write_text(json.dumps(document))
    (layout.backups / made.id.replace("1.8.0", "link")).symlink_to(made.path)
    (layout.backups / "file").write_text("x")
    assert backup.listing(layout) == [made]
    assert backup.prune(Files(), layout, 1) == []
    assert theirs.exists()
    with pytest.raises(WaiaasError) as caught:
        backup.find(layout, theirs.name)
    assert caught.value.code == "backup-not-found"
