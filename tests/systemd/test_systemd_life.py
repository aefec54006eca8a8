"""What systemd does for the daemon, and what an operator's commands do to it there (SRV-01, UPGR-10)."""

import json

import pytest

from tests.systemd.installed import RECOVERY, UNIT, USER, Installed, documented, typed
from tests.systemd.machine import soon

NEWER = """
import sqlite3
with sqlite3.connect("/var/lib/waiaas/data/waiaas.db") as database:
    for key, value in (("version_check_latest", "9.9.9"), ("version_check_notified_at", "0")):
        database.execute("INSERT OR REPLACE INTO key_value_store VALUES (?, ?, 0)", (key, value))
"""
DATA = ("--data-dir", "/var/lib/waiaas")


def test_a_killed_daemon_is_started_again__SRV_01(installed: Installed) -> None:
    pid = installed.pid
    installed.machine.ok("sh", "-c", f"kill -KILL {pid}")
    soon(lambda: installed.pid not in (pid, "0"))
    installed.serves("1.8.0")
    assert installed.unit("NRestarts") == {"NRestarts": "1"}


def test_a_daemon_that_hangs_is_ended_and_started_again__SRV_01(installed: Installed) -> None:
    """The watchdog: a stopped process is the simplest one that hangs. A sound one is left alone."""
    installed.drop_in("[Service]\nWatchdogSec=5\nLimitCORE=0\n")
    installed.machine.ok("systemctl", "restart", UNIT)
    pid = installed.pid
    installed.machine.ok("sleep", "7")
    assert (installed.pid, installed.unit("NRestarts")) == (pid, {"NRestarts": "0"})
    installed.machine.ok("sh", "-c", f"kill -STOP {pid}")
    soon(lambda: installed.pid not in (pid, "0"))
    installed.serves("1.8.0")
    assert installed.unit("NRestarts") == {"NRestarts": "1"}
    assert any("watchdog" in line.lower() for line in installed.told_by_systemd())


@pytest.mark.parametrize("way", ["systemctl", "root", "owner"])
def test_a_stopped_daemon_stays_down__SRV_01(installed: Installed, way: str) -> None:
    """By systemctl, by root's `waiaas stop`, and by that of the daemon's own user."""
    if way == "systemctl":
        installed.machine.ok("systemctl", "stop", UNIT)
    else:
        done = installed.waiaas("stop", *DATA, user=USER if way == "owner" else "")
        assert done.code == 0, done
    soon(lambda: installed.unit("ActiveState") == {"ActiveState": "inactive"})
    assert installed.unit("Result", "ExecMainStatus") == {"Result": "success", "ExecMainStatus": "0"}
    assert not (installed.data / "daemon.json").exists()
    status = installed.waiaas("status", *DATA)
    assert (status.code, "not running" in status.out) == (3, True)


def test_start_and_restart_go_through_the_unit__UPGR_10(installed: Installed) -> None:
    """As root; anybody else is told the command. No data directory has to be named, and nothing of root's
    is left in it: not by the notice of a newer version either."""
    machine = installed.machine
    machine.ok("/usr/bin/python3", "-I", "-c", NEWER, user=USER)
    pid = installed.pid
    done = installed.waiaas("restart", "--json")
    assert done.code == 0, done
    assert str(done.json()["pid"]) == installed.pid != pid
    busy = installed.waiaas("start", "--detach", "--json")
    assert (busy.code, busy.json()["error"]["code"]) == (75, "locked")
    machine.ok("systemctl", "stop", UNIT)
    started = installed.waiaas("start", "--detach")
    assert f", {UNIT}) on 127.0.0.1:3100" in started.out
    assert "Update available: 1.8.0 → 9.9.9" in started.err
    assert machine.ok("find", "/var/lib/waiaas", "-ignore_readdir_race", "!", "-user", USER) == ""
    installed.serves("1.8.0")
    status = json.loads(installed.waiaas("status", *DATA, "--json", user=USER).out)
    assert (str(status["pid"]), status["unit"]) == (installed.pid, UNIT)
    machine.ok("systemctl", "stop", UNIT)
    for verb in (["start", "--detach"], ["restart"]):
        refused = installed.waiaas(*verb, *DATA, user=USER)
        assert (refused.code, f"hint: sudo systemctl start {UNIT}" in refused.err) == (1, True), refused


def test_what_another_start_would_not_mend_is_not_tried_again__UPGR_13(installed: Installed) -> None:
    """Not initialised: exit 3, no restart, and recovery finds nothing to do."""
    installed.machine.ok("systemctl", "stop", UNIT)
    (installed.data / "installation.json").rename(installed.data / "aside.json")
    (installed.data / "config.toml").rename(installed.data / "config.aside")
    (installed.data / "data").rename(installed.data / "data.aside")
    assert installed.machine.run("systemctl", "start", UNIT).code == 1
    ended = installed.unit("ActiveState", "ExecMainStatus", "NRestarts")
    assert ended == {"ActiveState": "failed", "ExecMainStatus": "3", "NRestarts": "0"}
    soon(lambda: installed.unit("ActiveState", name=RECOVERY) == {"ActiveState": "inactive"})


def test_a_daemon_that_cannot_start_is_given_up__UPGR_13(installed: Installed) -> None:
    """After some starts in vain, and no loop between the unit and its recovery."""
    installed.drop_in("[Service]\nExecStart=\nExecStart=/bin/false\n")
    installed.machine.run("systemctl", "restart", UNIT)
    over = "Start request repeated too quickly"
    soon(lambda: any(over in line for line in installed.told_by_systemd()))
    soon(lambda: installed.unit("ActiveState", name=RECOVERY) == {"ActiveState": "inactive"})
    assert installed.unit("ActiveState") == {"ActiveState": "failed"}
    assert 4 <= sum("status=1/FAILURE" in line for line in installed.told_by_systemd()) <= 6


def test_a_daily_check_tells_of_a_newer_version__UPGR_02(installed: Installed) -> None:
    """The documented timer; its service fails with exit code 10, as the daemon's user."""
    machine = installed.machine
    for name in ("waiaas-check.service", "waiaas-check.timer"):
        (machine.tree / "root" / name).write_text(documented(name))
    typed(machine, "timer")
    assert machine.show("waiaas-check.timer", "ActiveState") == {"ActiveState": "active"}
    with (installed.data / "config.toml").open("a") as settings:
        settings.write('[upgrade]\nfeed_url = "file:///srv/feeds/minor/"\n')
    assert machine.run("systemctl", "start", "waiaas-check.service").code == 1
    assert machine.show("waiaas-check.service", "ExecMainStatus") == {"ExecMainStatus": "10"}
    assert "Upgrade available: 1.8.0 → 1.9.0" in installed.told("-u", "waiaas-check", "-o", "cat")


def test_the_data_may_lie_elsewhere__SRV_01(installed: Installed) -> None:
    """The documented drop-in; root's commands follow the unit."""
    machine = installed.machine
    machine.ok("systemctl", "stop", UNIT)
    machine.ok("mv", "/var/lib/waiaas", "/srv/waiaas")
    installed.drop_in(documented("drop-in"))
    machine.ok("systemctl", "start", UNIT)
    status = json.loads(installed.waiaas("status", "--json").out)
    assert (status["dataDir"], str(status["pid"]), status["unit"]) == ("/srv/waiaas", installed.pid, UNIT)
    assert json.loads(installed.waiaas("health").out)["status"] == "ok"
