"""Upgrade and roll back with the built artefact (scenarios 7 to 11; UPGR-01…05, 07, 08, 12)."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.api import contents, health, request, schema, stray, without
from tests.journeys.workshop import Feed, Site, Workshop, site, unpack

SEVEN = ["check", "stop", "backup", "swap", "migrate", "verify", "start"]
WALLET = {
    "name": "treasury",
    "chain": "ethereum",
    "environment": "mainnet",
    "publicKey": "0x52908400098527886E0F7030069857D2E4169EE7",
}


def test_check_says_what_is_offered_and_changes_nothing__UPGR_02(installed: Site, feed: Feed) -> None:
    """Scenario 7."""
    done = installed.ok("upgrade", "--check")
    assert "Upgrade available: 1.8.0 → 1.8.1" in done.out
    assert feed.downloads() == []
    document = installed.json("upgrade", "--check")
    assert document["updateAvailable"] is True
    assert (document["current"], document["latest"], document["path"]) == ("1.8.0", "1.8.1", ["1.8.1"])
    assert installed.run("upgrade", "--check", "--exit-code").code == 10


def test_seven_steps_in_order_and_a_healthy_new_version__UPGR_08(installed: Site, feed: Feed) -> None:
    """Scenarios 8 and 9: the steps as the history and the terminal tell them, and a complete backup."""
    installed.ok("start", "--detach")
    done = installed.ok("upgrade")
    numbered = [line.split("]")[0] + "]" for line in done.err.splitlines() if line.startswith("[")]
    assert numbered == [f"[{n}/7]" for n in range(1, 8)]
    assert "Upgraded: 1.8.0 → 1.8.1" in done.out
    assert health(installed)["version"] == "1.8.1"
    [run] = installed.json("upgrade", "--history")
    assert [step["name"] for step in run["steps"]] == SEVEN
    assert {step["outcome"] for step in run["steps"]} == {"done"}
    assert (run["from"], run["to"], run["outcome"]) == ("1.8.0", "1.8.1", "committed")
    assert 0 < run["downtimeSeconds"] < 60
    assert len(feed.downloads()) == 1


def test_backup_holds_database_config_artefact_and_manifest__BKUP_1(installed: Site) -> None:
    """Scenario 9."""
    before = installed.program.read_bytes()
    installed.ok("upgrade", "--no-start")
    [run] = installed.json("upgrade", "--history")
    folder = installed.data / "backups" / run["backup"]
    assert folder.name.startswith("pre-upgrade-1.8.0-")
    names = {path.name for path in folder.iterdir()}
    assert {"waiaas.db", "config.toml", "manifest.json"} <= names
    artefacts = [path for path in folder.iterdir() if path.read_bytes() == before]
    assert len(artefacts) == 1
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["version"] == "1.8.0"
    assert manifest["schemaVersion"] == 16
    assert installed.ok("backup", "verify", run["backup"])


def test_rollback_brings_program_and_data_back__UPGR_04(installed: Site) -> None:
    """Scenario 10: the database equals the moment of the backup, the old program runs."""
    installed.ok("start", "--detach")
    assert request(installed, "POST", "/v1/wallets", WALLET)[0] == 201
    installed.ok("stop")
    at_backup = contents(installed.database)
    before = installed.program.read_bytes()
    installed.ok("upgrade")
    newer = {**WALLET, "name": "later", "publicKey": "0x8617E340B3D01FA5F11F306F4090FD50E238070D"}
    assert request(installed, "POST", "/v1/wallets", newer)[0] == 201
    done = installed.ok("upgrade", "--rollback")
    assert "Rolled back: 1.8.1 → 1.8.0" in done.out
    assert "newer row" in done.err
    assert installed.program.read_bytes() == before
    assert health(installed)["version"] == "1.8.0"
    installed.ok("stop")
    assert contents(installed.database) == at_backup
    assert stray(installed) == []
    assert installed.run("upgrade", "--rollback").code == 1


def test_what_a_rollback_needs_is_not_pruned__BKUP_2(installed: Site) -> None:
    installed.ok("upgrade", "--no-start")
    [run] = installed.json("upgrade", "--history")
    for _ in range(2):
        installed.ok("backup", "create")
    installed.ok("backup", "prune", "--keep", "1", "--yes")
    assert run["backup"] in [kept["id"] for kept in installed.json("backup", "list")]
    installed.ok("upgrade", "--rollback", "--no-start")


def test_rollback_can_keep_the_data__UPGR_04(installed: Site) -> None:
    installed.ok("upgrade")
    assert request(installed, "POST", "/v1/wallets", WALLET)[0] == 201
    installed.ok("upgrade", "--rollback", "--keep-data")
    assert health(installed)["version"] == "1.8.0"
    status, page = request(installed, "GET", "/v1/wallets")
    assert status == 200
    assert [wallet["name"] for wallet in page["data"]] == ["treasury"]


def test_up_to_date_downloads_nothing__UPGR_01(workshop: Workshop, feed: Feed, tmp_path: Path) -> None:
    """Scenario 11, seen in the server's log."""
    with site(tmp_path / "newest", workshop.patch, feed.url) as newest:
        newest.ok("init")
        done = newest.ok("upgrade")
        assert "Already up to date" in done.out
        assert newest.json("upgrade")["outcome"] == "up-to-date"
    assert feed.downloads() == []


def test_an_installed_rc_stays_when_stable_is_older__UPGR_01(
    workshop: Workshop, feed: Feed, tmp_path: Path
) -> None:
    with site(tmp_path / "rc", workshop.build("1.9.0-rc.1"), feed.url) as candidate:
        candidate.ok("init")
        assert "Already up to date" in candidate.ok("upgrade").out
    assert feed.downloads() == []


def test_no_start_leaves_the_daemon_stopped__UPGR_05(installed: Site) -> None:
    installed.ok("start", "--detach")
    done = installed.ok("upgrade", "--no-start")
    assert "stays stopped" in done.err
    assert installed.run("--json", "status").json()["running"] is False
    assert installed.ok("--version").out.strip().endswith("1.8.1")


def test_to_an_exact_version_and_to_one_that_is_not_there__UPGR_03(installed: Site) -> None:
    assert installed.run("upgrade", "--to", "1.7.9").code == 1
    assert "1.8.1" in installed.ok("upgrade", "--to", "1.8.1", "--no-start").out


def test_dry_run_changes_nothing__UPGR_02(installed: Site, feed: Feed) -> None:
    before = installed.program.read_bytes()
    assert "Nothing was changed" in installed.ok("upgrade", "--dry-run").out
    assert installed.program.read_bytes() == before
    assert feed.downloads() == []


def test_a_second_run_at_the_same_time_is_busy__UPGR_08(installed: Site) -> None:
    """The lock is really held by another process, so a real second run meets it."""
    import fcntl

    place = installed.program.parent / ".waiaas"
    place.mkdir(mode=0o755)
    with (place / "lock").open("w") as stream:
        fcntl.lockf(stream, fcntl.LOCK_EX)
        done = installed.run("upgrade")
    assert done.code == 75
    assert "another upgrade" in done.err


@pytest.fixture
def grown(workshop: Workshop, tmp_path: Path, legacy: Path) -> Iterator[Site]:
    """A real 1.5.3 data directory, served by 1.8.0, with 1.9.0 (migration 17) in its feed."""
    feed = workshop.feed(tmp_path / "feed-17", workshop.current, workshop.minor)
    with site(tmp_path / "grown", workshop.current, feed.url) as made:
        unpack(legacy / "waiaas-1.5.3.tar.gz", made.data)
        made.ok("start", "--detach")
        made.ok("stop")
        yield made
    feed.close()


def test_a_migrating_upgrade_keeps_every_row_and_can_be_undone__UPGR_12(grown: Site) -> None:
    """1.8.0 → 1.9.0 on the legacy 1.5.3 directory, and back."""
    before = contents(grown.database)
    untouched = grown.database.stat().st_ino
    done = grown.ok("upgrade")
    assert health(grown)["schemaVersion"] == 17
    grown.ok("stop")
    after = contents(grown.database)
    assert without(after["wallets"], "label") == without(before["wallets"])
    for name in before.keys() - {"wallets", "schema_version"}:
        assert after[name] == before[name], name
    [run] = grown.json("upgrade", "--history")
    assert run["migrated"] is True
    assert (grown.data / "backups" / run["backup"] / "waiaas.db").stat().st_ino == untouched
    assert "UPGRADE_COMMITTED" in json.dumps(grown.json("audit"))
    assert done.err.count("[") >= 7
    grown.ok("upgrade", "--rollback")
    grown.ok("stop")
    assert schema(grown.database) == 16
    assert contents(grown.database) == before
    assert [r["kind"] for r in grown.json("upgrade", "--history")] == ["rollback", "upgrade"]
    assert stray(grown) == []
