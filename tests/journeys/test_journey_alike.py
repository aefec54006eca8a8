"""A daemon comes back as it was started, whatever shell or timer the upgrade comes from (UPGR-05, UPGR-07);
where it could not come back, it is not stopped (UPGR-12)."""

import os
import shlex
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.journeys import sabotage
from tests.journeys.api import eventually, health, request
from tests.journeys.levers import Yard
from tests.journeys.test_journey_concurrency import kill_supervisor
from tests.journeys.witness import Witness, last_run, told
from tests.journeys.workshop import PYTHON, Site, Workshop, migration_17, site

WALLET = {
    "name": "treasury",
    "chain": "ethereum",
    "environment": "mainnet",
    "publicKey": "0x52908400098527886E0F7030069857D2E4169EE7",
}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@pytest.fixture
def cron(installed: Site) -> Site:
    """Commands have no settings in their environment, but what the tests need to be quick."""
    installed.environ.pop("WAIAAS_DAEMON_PORT")
    installed.ok("config", "set", "daemon.port", str(free_port()))
    return installed


def test_settings_of_its_environment_outlive_upgrade_and_roll_back__UPGR_05(cron: Site) -> None:
    """Those of [upgrade] are the run's own: `probation` is shorter here than the daemon has been told."""
    port = free_port()
    shell = {"WAIAAS_DAEMON_PORT": str(port), "WAIAAS_DAEMON_MAX_BODY": "2000"}
    shell["WAIAAS_UPGRADE_PROBATION"] = "9"
    cron.ok("start", "--detach", **shell)
    for words, version in (([], "1.8.1"), (["--rollback"], "1.8.0")):
        cron.ok("upgrade", *words)
        assert (cron.daemon["port"], health(cron)["version"]) == (port, version)
        wanted = {**shell, "WAIAAS_UPGRADE_PROBATION": "1"}
        assert wanted.items() <= cron.daemon["environment"].items()
        assert request(cron, "POST", "/v1/wallets", {**WALLET, "name": "x" * 3000})[0] == 413


def test_and_the_recovery_of_another_shell__UPGR_07(workshop: Workshop, tmp_path: Path) -> None:
    yard = Yard(workshop, tmp_path)
    cron, port = yard.site(tmp_path / "site"), free_port()
    try:
        cron.ok("start", "--detach", WAIAAS_DAEMON_PORT=str(port))
        kill_supervisor(cron, "swap.program:fsync-directory", "upgrade")
        cron.ok("upgrade", "--recover")
        assert (cron.daemon["port"], health(cron)["version"]) == (port, "1.8.0")
    finally:
        cron.close()
        yard.close()


@contextmanager
def elsewhere(cron: Site, name: str) -> Iterator[tuple[Path, dict[str, str], list[str]]]:
    """A daemon with another database, or other settings, than commands without its environment see."""
    path = cron.folder / name
    if name == "other.toml":
        path.write_text((cron.data / "config.toml").read_text())
        yield path, {}, ["--config", str(path)]
    else:
        path.write_bytes(cron.database.read_bytes())
        yield path, {"WAIAAS_DATABASE_PATH": str(path)}, []


@contextmanager
def kept_running(installed: Site, pause: str) -> Iterator[Path]:
    """By somebody who starts it again whenever it ends, as runit, launchd and many a script do; its log."""
    argv = [PYTHON, "-I", str(installed.program), "--data-dir", str(installed.data), "start"]
    loop = f'while :; do {shlex.join(argv)}; echo "ended $?"; sleep {pause}; done'
    log = installed.folder / "loop.log"
    with (
        log.open("w") as stream,
        subprocess.Popen(
            ["sh", "-c", loop], env=installed.environ, stdout=stream, stderr=stream, start_new_session=True
        ) as keeper,
    ):
        try:
            eventually(lambda: health(installed)["status"] == "ok")
            yield log
        finally:
            os.killpg(keeper.pid, signal.SIGKILL)


def child_of_the_loop(installed: Site) -> bool:
    """Not one that the upgrade has started, in a session of its own."""
    pid = installed.daemon["pid"]
    return os.getsid(pid) != pid


@pytest.mark.parametrize("pause", ["0", "1"])
def test_who_keeps_it_running_keeps_it__UPGR_05(installed: Site, pause: str) -> None:
    """However soon he starts it again: restart, upgrade, roll-back."""
    with kept_running(installed, pause):
        assert installed.json("restart")["pid"] == installed.daemon["pid"]
        assert child_of_the_loop(installed)
        for words, version in (([], "1.8.1"), (["--rollback"], "1.8.0")):
            installed.ok("upgrade", *words)
            assert (health(installed)["version"], child_of_the_loop(installed)) == (version, True)


@pytest.mark.parametrize("pause", ["0", "1"])
def test_a_broken_version_is_rolled_back_under_who_keeps_it_running__UPGR_07(
    workshop: Workshop, tmp_path: Path, pause: str
) -> None:
    broken = workshop.build("1.9.0", migration_17() | sabotage.exits_at_once(), name="kept-exits")
    feed = workshop.feed(tmp_path / "feed", workshop.current, broken)
    with site(tmp_path / "site", workshop.current, feed.url) as installed:
        installed.ok("init")
        with kept_running(installed, pause) as log:
            told(installed.run("upgrade"), 7)
            assert (health(installed)["version"], last_run(installed)["outcome"]) == ("1.8.0", "rolled-back")
            assert child_of_the_loop(installed)
            assert "I would rather not" in log.read_text()
    feed.close()


def test_a_daemon_of_another_program_is_not_stopped__UPGR_12(cron: Site) -> None:
    """It would come back as ours, and at the next boot as the old one that cannot read its data."""
    other = cron.folder / "other" / "waiaas"
    other.parent.mkdir()
    shutil.copy(cron.program, other)
    assert cron.run("start", "--detach", program=other).code == 0
    witness = Witness(cron)
    assert f"its program is {other}" in told(cron.run("upgrade"), 1)["error"]
    witness.nothing_happened()
    assert cron.run("upgrade", program=other).code == 0
    assert health(cron)["version"] == "1.8.1"


@pytest.mark.parametrize(
    ("name", "why"), [("other.toml", "the file of its settings is {}"), ("other.db", "its database is {}")]
)
def test_a_daemon_with_other_files_is_not_stopped__UPGR_12(cron: Site, name: str, why: str) -> None:
    with elsewhere(cron, name) as (path, environ, words):
        cron.ok(*words, "start", "--detach", **environ)
        witness, before = Witness(cron), path.read_bytes()
        assert why.format(path) in told(cron.run("upgrade"), 1)["error"]
        witness.nothing_happened()
        assert path.read_bytes() == before
        cron.ok(*words, "upgrade", **environ)
        assert health(cron)["version"] == "1.8.1"


def test_the_same_files_by_another_name_are_the_same__UPGR_12(cron: Site) -> None:
    link, hard = cron.folder / "link", cron.folder / "hard.toml"
    link.symlink_to(cron.data)
    hard.hardlink_to(cron.data / "config.toml")  # as a bind mount would be
    cron.ok("--config", str(link / "config.toml"), "start", "--detach")
    cron.ok("upgrade")
    cron.ok("--config", str(hard), "restart")
    cron.ok("upgrade", "--rollback")


def test_a_daemon_whose_next_address_is_taken_is_not_stopped__UPGR_12(cron: Site) -> None:
    """The operator has changed it, and has not restarted yet. `restart` leaves it up, too."""
    cron.ok("start", "--detach")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        cron.ok("config", "set", "daemon.port", str(port))
        witness = Witness(cron)
        for command in ("upgrade", "restart"):
            refused = told(cron.run(command), 1)
            assert f"another program listens on 127.0.0.1:{port}" in refused["error"]
            assert "daemon.port" in refused["hint"]
            witness.nothing_happened()
    cron.ok("upgrade")
    assert (cron.daemon["port"], health(cron)["version"]) == (port, "1.8.1")


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "{}",
        '{"pid": 1}',
        '{"pid": PID, "program": 7, "config": ["x"], "database": "\\u0007", "environment": 5}',
        '{"pid": PID, "environment": {"WAIAAS_DAEMON_PORT": "x", "WAIAAS_DAEMON_THREADS": {}}}',
        '{"pid": PID, "environment": {"LD_PRELOAD": "x", "PATH": 5}}',
    ],
)
def test_a_description_that_is_none_is_no_obstacle__UPGR_14(cron: Site, forged: str) -> None:
    """It belongs to the daemon's user, who may write anything into it."""
    cron.ok("start", "--detach")
    (cron.data / "daemon.json").write_text(forged.replace("PID", str(cron.daemon["pid"])))
    cron.ok("upgrade")
    assert health(cron)["version"] == "1.8.1"


def test_what_a_killed_daemon_wrote_down_is_no_obstacle__UPGR_12(cron: Site) -> None:
    """Its daemon.json is left behind, and tells of a database that is gone."""
    gone = cron.folder / "gone.db"
    gone.write_bytes(cron.database.read_bytes())
    cron.ok("start", "--detach", WAIAAS_DATABASE_PATH=str(gone))
    os.kill(cron.daemon["pid"], 9)
    eventually(lambda: cron.run("health").code == 3)
    cron.ok("upgrade")
    assert last_run(cron)["outcome"] == "committed"
    assert health(cron)["version"] == "1.8.1"
