"""Where the database lies, and that every command means the same file (SPEC §3)."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Waiaas


@pytest.fixture
def elsewhere(ready: Waiaas, data_dir: Path, tmp_path: Path) -> Path:
    """The database was moved to another disk, and a link put in its place."""
    real = tmp_path / "ssd" / "waiaas.db"
    real.parent.mkdir()
    (data_dir / "data" / "waiaas.db").rename(real)
    (data_dir / "data" / "waiaas.db").symlink_to(real)
    return real


def test_a_database_behind_a_link_is_served_where_it_lies__DIR_5(
    ready: Waiaas, data_dir: Path, elsewhere: Path
) -> None:
    link = data_dir / "data" / "waiaas.db"
    with closing(sqlite3.connect(elsewhere, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        assert ready("kill-switch", "on").code == 0  # lies in the -wal, as beside a daemon
        assert ready("kill-switch", "status", "--json").document["on"]
    made = ready("backup", "create", "--json").document
    assert ready("kill-switch", "off").code == 0
    assert ready("backup", "restore", made["id"], "--yes").code == 0
    assert ready("kill-switch", "status", "--json").document["on"]
    assert link.is_symlink()
    assert {path.name for path in link.parent.iterdir()} <= {
        "waiaas.db",
        "waiaas.db.gate",
    }  # the gate of `init`


def test_a_link_that_leads_nowhere_is_a_missing_database__MIG_06(ready: Waiaas, elsewhere: Path) -> None:
    elsewhere.unlink()
    ran = ready("db", "check", "--json")
    assert ran.error["code"] == "database-missing"
    assert str(elsewhere) in ran.error["message"]
    assert not elsewhere.exists()


def test_settings_that_open_another_database_are_not_restored_with_this_one__BKUP_3(
    ready: Waiaas, data_dir: Path
) -> None:
    made = ready("backup", "create", "--json").document["id"]
    (data_dir / "data" / "waiaas.db").rename(data_dir / "moved.db")
    assert ready("config", "set", "database.path", "moved.db").code == 0
    before = (data_dir / "config.toml").read_text(), (data_dir / "moved.db").stat().st_ino
    error = ready("backup", "restore", made, "--yes", "--json").error
    assert error["code"] == "other-database"
    assert "--keep-config" in error["hint"]
    assert before == ((data_dir / "config.toml").read_text(), (data_dir / "moved.db").stat().st_ino)
    assert ready("backup", "restore", made, "--yes", "--keep-config").code == 0
    assert ready("db", "check").code == 0
    chosen = {"WAIAAS_DATABASE_PATH": "moved.db"}  # whatever the settings say
    assert ready("backup", "restore", made, "--yes", environ=chosen).code == 0
