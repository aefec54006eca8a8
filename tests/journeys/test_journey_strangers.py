"""A program that knows nothing of our gate has the database open: nobody renames it away under it
(issue 3; DIR-5, BKUP-3, UPGR-12)."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.journeys.api import contents, health
from tests.journeys.levers import Yard
from tests.journeys.test_journey_concurrency import held
from tests.journeys.witness import Witness, last_run, told
from tests.journeys.workshop import Site, Workshop

STRANGER = """
import sqlite3, sys
connection = sqlite3.connect(f"file:{sys.argv[1]}?mode={sys.argv[2]}", uri=True, isolation_level=None)
if sys.argv[3:]:
    connection.execute(f"PRAGMA journal_mode = {sys.argv[3]}")
connection.execute("SELECT COUNT(*) FROM wallets").fetchone()
print("open", flush=True)
sys.stdin.read()
"""
WAYS = {  # how it has the database open while it does nothing
    "a shell in WAL mode": ("rw", "WAL"),
    "a reader in WAL mode": ("ro",),
    "a writer that holds no lock": ("rw", "DELETE"),
}


@pytest.fixture(scope="module")
def yard(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    made = Yard(workshop, tmp_path_factory.mktemp("strangers"))
    yield made
    made.close()


@pytest.fixture
def site(yard: Yard, tmp_path: Path) -> Iterator[Site]:
    made = yard.site(tmp_path / "site")
    yield made
    made.close()


@contextmanager
def stranger(site: Site, *way: str) -> Iterator[int]:
    """Such a process, its pid."""
    argv = [sys.executable, "-c", STRANGER, str(site.database), *way]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process.pid
        process.communicate("")


def in_use(site: Site, pid: int, *arguments: str) -> None:
    said = told(site.run(*arguments), 75)
    assert f"another program (pid {pid}) has the database open" in said["error"]
    assert f"fuser {site.database}" in said["hint"]


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_restoring_under_a_stranger_is_refused__BKUP_3(site: Site, way: tuple[str, ...]) -> None:
    """Nothing is changed, not even a backup made; without it the same command works."""
    kept = site.json("backup", "create")["id"]
    with stranger(site, *way) as pid:
        before, inode = contents(site.database), site.database.stat().st_ino
        in_use(site, pid, "backup", "restore", kept, "--yes")
        assert (contents(site.database), site.database.stat().st_ino) == (before, inode)
        assert len(site.json("backup", "list")) == 1
    site.ok("backup", "restore", kept, "--yes")


@pytest.mark.parametrize("running", [True, False])
def test_an_upgrade_that_migrates_under_a_stranger_is_refused__UPGR_12(site: Site, running: bool) -> None:
    """Before anything has changed, the daemon included; without it the same command works."""
    if running:
        site.ok("start", "--detach")
    witness = Witness(site)
    with stranger(site, "rw") as pid:
        in_use(site, pid, "upgrade")
        assert last_run(site)["outcome"] == "refused"
    witness.nothing_happened()
    site.ok("upgrade")
    assert health(site)["schemaVersion"] == 17


def test_a_stranger_that_comes_in_the_middle_is_no_loss__UPGR_07(site: Site) -> None:
    """After the look of step 1: found under the exclusive gate, and everything is undone."""
    witness = Witness(site)
    with held(site, "stage:write", "upgrade", "--no-start") as upgrade:
        process = stranger(site, "rw", "WAL")
        pid = process.__enter__()
    try:
        words = told(upgrade.result(), 7)
        assert f"(pid {pid})" in words["error"]
    finally:
        process.__exit__(None, None, None)
    site.run("stop")
    witness.all_is_back()


def test_a_directory_in_the_place_of_the_database_is_named__BKUP_3(site: Site) -> None:
    kept = site.json("backup", "create")["id"]
    site.database.unlink()
    site.database.mkdir()
    said = told(site.run("backup", "restore", kept, "--yes"), 1)
    assert f"{site.database}, where the database should be, is a directory" in said["error"]
    assert "move it away" in said["hint"]
    assert len(site.json("backup", "list")) == 1
    site.database.rmdir()
    site.ok("backup", "restore", kept, "--yes")
