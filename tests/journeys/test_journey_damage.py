"""Damaged data (issue 3 item 8): it is named, nothing touches it, a backup brings it back; and a
damaged backup, journal or program is refused before anything changes."""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.api import contents, health, stray
from tests.journeys.levers import Yard, levers
from tests.journeys.witness import last_run, told
from tests.journeys.workshop import Site, Workshop


@pytest.fixture(scope="module")
def yard(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    made = Yard(workshop, tmp_path_factory.mktemp("damage"))
    yield made
    made.close()


@pytest.fixture
def site(yard: Yard, tmp_path: Path) -> Iterator[Site]:
    made = yard.site(tmp_path / "site")
    yield made
    made.close()


def truncated(database: Path) -> None:
    content = database.read_bytes()
    database.write_bytes(content[: len(content) // 2])


def emptied(database: Path) -> None:
    database.write_bytes(b"")


def zeroed(database: Path) -> None:
    database.write_bytes(bytes(database.stat().st_size))


def foreign(database: Path) -> None:
    database.write_bytes(b"%PDF-1.7 this is something else entirely\n" * 500)


def of_another_program(database: Path) -> None:
    database.unlink()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE notes (text TEXT)")


REFUSING = [("start", "--detach"), ("upgrade", "--no-start"), ("backup", "create"), ("wallets", "list")]


@pytest.mark.parametrize("damage", [truncated, emptied, zeroed, foreign, of_another_program])
def test_a_damaged_database_is_named_left_alone_and_brought_back__BKUP_3(
    site: Site, damage: Callable[[Path], None]
) -> None:
    """Every command that needs it refuses with the way out, and the way out works."""
    kept, good = site.json("backup", "create")["id"], contents(site.database)
    damage(site.database)
    left = site.database.read_bytes()
    for words in REFUSING:
        said = told(site.run(*words), 1)
        assert "database" in said["error"]
        assert "waiaas backup list" in said["hint"]
    assert site.run("db", "check").code == 1
    assert site.run("status").code == 3
    assert site.database.read_bytes() == left
    assert stray(site) == []
    site.ok("backup", "restore", kept, "--yes")
    assert contents(site.database) == good
    site.ok("start", "--detach")
    assert health(site)["status"] == "ok"


def test_a_missing_database_is_never_made_anew__MIG_06(site: Site) -> None:
    kept = site.json("backup", "create")["id"]
    site.database.unlink()
    for words in REFUSING:
        assert "there is no database at" in told(site.run(*words), 3)["error"]
    assert not site.database.exists()
    site.ok("backup", "restore", kept, "--yes")
    site.ok("db", "check")


def test_a_database_that_another_program_keeps_locked__DIR_5(site: Site) -> None:
    """SQLite's own exclusive lock, held by somebody who knows nothing of the gate: nobody waits long."""
    left = contents(site.database)
    with closing(sqlite3.connect(site.database, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        other.execute("INSERT INTO key_value_store VALUES ('theirs', 'x', 0)")
        for words in (("upgrade", "--no-start"), ("backup", "create")):
            said = told(site.run(*words), 75)
            assert "another program keeps" in said["error"]
            assert f"fuser {site.database}" in said["hint"]
        other.execute("ROLLBACK")
        other.execute("DELETE FROM key_value_store WHERE key = 'theirs'")
    assert contents(site.database) == left
    site.ok("upgrade", "--no-start")


def test_a_read_only_database_is_found_before_anything_changes__UPGR_07(site: Site) -> None:
    """Not by its mode, which root does not feel: by the attribute that even root obeys."""
    if subprocess.run(["chattr", "+i", site.database], capture_output=True).returncode != 0:
        pytest.skip("no immutable files here (needs root and a file system with attributes)")
    try:
        assert f"{site.database} is not writable" in told(site.run("upgrade", "--no-start"), 1)["error"]
        assert told(site.run("start", "--detach"), 1)["hint"]
    finally:
        subprocess.run(["chattr", "-i", site.database], check=True)
    assert stray(site) == []
    site.ok("upgrade", "--no-start")


def test_a_stale_wal_is_not_replayed_over_a_restored_file__BKUP_3(site: Site) -> None:
    """A -wal of the very same database, from later on: SQLite would take it for its own."""
    kept, good = site.json("backup", "create")["id"], contents(site.database)
    wal = site.database.with_name("waiaas.db-wal")
    with closing(sqlite3.connect(site.database, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("INSERT INTO key_value_store VALUES ('later', 'x', 0)")
        later = wal.read_bytes()
    wal.write_bytes(later)
    site.ok("backup", "restore", kept, "--yes")
    assert contents(site.database) == good
    assert stray(site) == []


def flipped(backup: Path, manifest: dict[str, Any]) -> None:
    content = bytearray((backup / "waiaas.db").read_bytes())
    content[len(content) // 2] ^= 1
    (backup / "waiaas.db").write_bytes(content)


def without_config(backup: Path, manifest: dict[str, Any]) -> None:
    (backup / "config.toml").unlink()


def with_a_link(backup: Path, manifest: dict[str, Any]) -> None:
    (backup / "waiaas.db").rename(backup / "elsewhere")
    (backup / "waiaas.db").symlink_to("elsewhere")


def with_a_wrong_digest(backup: Path, manifest: dict[str, Any]) -> None:
    manifest["files"]["waiaas.db"]["sha256"] = "0" * 64


def of_a_rotten_database(backup: Path, manifest: dict[str, Any]) -> None:
    """The digests are right: what was backed up was rotten already."""
    content = bytearray((backup / "waiaas.db").read_bytes())
    content[4096 * 3 : 4096 * 6] = os.urandom(4096 * 3)
    (backup / "waiaas.db").write_bytes(content)
    manifest["files"]["waiaas.db"]["sha256"] = hashlib.sha256(content).hexdigest()


def of_the_future(backup: Path, manifest: dict[str, Any]) -> None:
    manifest["format"] = 2


def of_a_newer_schema(backup: Path, manifest: dict[str, Any]) -> None:
    manifest["schemaVersion"] = 99


def that_leads_elsewhere(backup: Path, manifest: dict[str, Any]) -> None:
    manifest["files"]["../../../etc/passwd"] = {"bytes": 1, "sha256": "0" * 64}


@pytest.mark.parametrize(
    ("damage", "because", "code"),
    [
        (flipped, "is not what was backed up", 1),
        (without_config, "config.toml is missing", 1),
        (with_a_link, "waiaas.db is missing", 1),
        (with_a_wrong_digest, "is not what was backed up", 1),
        (of_a_rotten_database, "malformed", 1),
        (of_the_future, "newer version", 1),
        (of_a_newer_schema, "schema", 6),
        (that_leads_elsewhere, "manifest", 1),
    ],
)
def test_a_damaged_backup_is_refused_with_the_reason_and_changes_nothing__BKUP_3(
    site: Site, damage: Callable[[Path, dict[str, Any]], None], because: str, code: int
) -> None:
    made = site.json("backup", "create")
    folder = Path(made["path"])
    manifest = json.loads((folder / "manifest.json").read_text())
    damage(folder, manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    before = site.database.read_bytes(), (site.data / "config.toml").read_bytes()
    said = told(site.run("backup", "restore", made["id"], "--yes"), code)
    assert because in said["error"]
    assert (site.database.read_bytes(), (site.data / "config.toml").read_bytes()) == before
    assert stray(site) == []
    assert [p.name for p in folder.parent.iterdir()] == [folder.name], "not even a new backup"


@contextmanager
def interrupted(site: Site) -> Iterator[Path]:
    """The journal of an upgrade that died after the swap."""
    from tests.journeys.test_journey_concurrency import kill_supervisor

    kill_supervisor(site, "swap.program:fsync-directory", "upgrade", "--no-start")
    yield site.program.parent / ".waiaas"


def test_a_damaged_journal_line_stops_everybody_and_changes_nothing__UPGR_06(site: Site) -> None:
    """In the middle of the journal; a torn last line was never said, and is no damage."""
    with interrupted(site) as place:
        whole = (place / "journal").read_bytes()
        lines = whole.splitlines(keepends=True)
        (place / "journal").write_bytes(b"".join([lines[0], b"{damaged\n", *lines[1:]]))
        program, rows = site.program.read_bytes(), contents(site.database)
        for words in (("upgrade",), ("start", "--detach"), ("upgrade", "--recover"), ("db", "migrate")):
            said = told(site.run(*words), 8)
            assert "journal cannot be read" in said["error"]
            assert str(place / "journal") in said["hint"] or ".waiaas/journal" in said["hint"]
        assert (site.program.read_bytes(), contents(site.database)) == (program, rows)
        assert site.run("status").code == 3
        (place / "journal").write_bytes(whole + b'{"event": "do')
        site.ok("upgrade", "--recover")
        assert site.ok("--version").out.strip() == "1.8.0"
        assert stray(site) == []


def test_a_damaged_history_line_is_passed_over__UPGR_08(site: Site) -> None:
    site.ok("upgrade", "--no-start")
    history = site.program.parent / ".waiaas" / "history"
    history.write_bytes(b'\xff\xfe{"run"\n[]\n' + history.read_bytes() + b'{"run": "torn')
    assert [run["to"] for run in site.json("upgrade", "--history")] == ["1.9.0"]
    site.ok("upgrade", "--rollback", "--no-start")
    assert [run["kind"] for run in site.json("upgrade", "--history")] == ["rollback", "upgrade"]


def test_a_kept_program_that_is_damaged_or_gone_is_not_brought_back__UPGR_04(site: Site) -> None:
    """Refused in step 1; without `waiaas.previous` alone a roll-back works all the same."""
    site.ok("upgrade", "--no-start")
    place = site.program.parent / ".waiaas"
    [slot] = [p for p in place.glob("*.pyz") if p.samefile(place / "waiaas.previous")]
    whole, before = slot.read_bytes(), site.program.read_bytes()
    for content in (whole[:-1] + b"x", None):
        slot.unlink()
        if content is not None:
            slot.write_bytes(content)
        said = told(site.run("upgrade", "--rollback", "--no-start"), 1)
        assert "missing or damaged, so nothing was changed" in said["error"]
        assert site.program.read_bytes() == before
        slot.write_bytes(whole)
    assert last_run(site)["outcome"] == "refused"
    (place / "waiaas.previous").unlink()
    site.ok("upgrade", "--rollback", "--no-start")
    assert site.ok("--version").out.strip() == "1.8.0"


@pytest.mark.parametrize("content", [None, b"", b"\xff\x00{nonsense"], ids=["missing", "empty", "garbled"])
def test_state_files_that_are_damaged_cost_no_data__UPGR_06(site: Site, content: bytes | None) -> None:
    """daemon.json only describes; without a token nobody gets in; the mark is not the data."""
    site.ok("start", "--detach")
    spoil(site.data / "daemon.json", content)
    assert site.run("status").code == 0
    site.ok("stop")
    spoil(site.data / "admin.token", content)
    done = site.run("start", "--detach")
    assert "Traceback" not in done.err
    if done.code:
        assert "admin.token" in told(done, done.code)["error"]
    site.run("stop")
    shutil.copy(levers(site).folder.parents[1] / "token", site.data / "admin.token")
    spoil(site.data / "installation.json", content)
    rows = contents(site.database)
    site.ok("start", "--detach")
    assert health(site)["status"] == "ok"
    site.ok("upgrade")
    assert health(site)["version"] == "1.9.0"
    site.ok("stop")
    assert contents(site.database)["api_keys"] == rows["api_keys"]


def spoil(path: Path, content: bytes | None) -> None:
    if path.name == "admin.token":
        shutil.copy(path, path.parents[2] / "token")
    path.unlink(missing_ok=True)
    if content is not None:
        path.write_bytes(content)
        path.chmod(0o600)
