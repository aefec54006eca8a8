"""status, health, stop and restart against a daemon that runs (DIR-2, HLTH-01)."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Waiaas
from waiaas.core.errors import Exit
from waiaas.host.locks import holder

pytestmark = pytest.mark.real_time


@pytest.fixture
def serving(ready: Waiaas, data_dir: Path) -> Iterator[Waiaas]:
    """A daemon in the background, on any free port."""
    assert ready("config", "set", "daemon.port", "0").code == 0
    started = ready("start", "--detach")
    assert started.code == 0, started.err
    yield ready
    pid = holder(data_dir / "daemon.lock")
    if pid:
        os.kill(pid, signal.SIGKILL)


def test_daemon_is_told_healthy_and_stopped(serving: Waiaas, data_dir: Path) -> None:
    status = serving("status", "--json")
    assert status.code == 0
    assert status.document["pid"] == holder(data_dir / "daemon.lock")
    assert status.document["running"] is True
    assert status.document["schemaVersion"] == 16
    health = serving("health", "--json")
    assert (health.code, health.document["status"]) == (0, "ok")
    assert list(health.document)[:7] == [
        "status", "version", "latestVersion", "updateAvailable", "schemaVersion", "uptime", "timestamp",
    ]  # fmt: skip
    assert json.loads(serving("health").out)["implementation"] == "python"
    url = f"http://127.0.0.1:{status.document['port']}"
    assert serving("health", "--url", url).code == 0
    assert serving("health", "--url", f"{url}/health", "--timeout=2").code == 0
    assert serving("stop", "--json").document["pid"] == status.document["pid"]
    assert serving("status").code == Exit.NOT_READY
    assert serving("health").code == Exit.NOT_READY
    assert serving("health", "--url", url).code == Exit.NOT_READY


def test_looking_and_backing_up_beside_a_daemon_leaves_no_trace__BKUP_4(
    serving: Waiaas, data_dir: Path
) -> None:
    assert serving("backup", "create").code == 0
    assert serving("kill-switch", "on").code == 0
    assert serving("db", "check").code == 0
    assert serving("doctor").code == 0
    assert serving("db", "migrate", "--json").error["code"] == "daemon-running"
    assert serving("stop").code == 0
    assert sorted(p.name for p in (data_dir / "data").iterdir()) == ["waiaas.db", "waiaas.db.gate"]
    assert serving("kill-switch", "status", "--json").document["on"] is True


def test_restart_is_another_process(serving: Waiaas) -> None:
    before = serving("status", "--json").document["pid"]
    assert serving("restart").code == 0
    after = serving("status", "--json").document
    assert after["running"]
    assert after["pid"] != before
    assert serving("stop").code == 0


def test_foreign_process_named_in_daemon_json_is_never_signalled__DIR_2(
    ready: Waiaas, data_dir: Path
) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as bystander:
        known = {"pid": bystander.pid, "port": 1, "hostname": "127.0.0.1", "version": "1.8.0"}
        (data_dir / "daemon.json").write_text(json.dumps(known))
        assert ready("stop").code == Exit.NOT_READY
        assert ready("status", "--json").document["pid"] is None
        assert bystander.poll() is None
        bystander.communicate(b"\n")


def test_daemon_that_was_killed_is_not_running(serving: Waiaas, data_dir: Path) -> None:
    pid = holder(data_dir / "daemon.lock")
    assert pid
    descriptor = os.pidfd_open(pid)
    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    import select

    select.select([descriptor], [], [])
    os.close(descriptor)
    assert serving("status").code == Exit.NOT_READY
    assert serving("health").code == Exit.NOT_READY
    assert serving("start", "--detach").code == 0
    assert serving("stop").code == 0


HOLD = """
import fcntl, sys
held = open(sys.argv[1], "w")
fcntl.lockf(held, fcntl.LOCK_EX)
print(flush=True)
sys.stdin.read()
"""


def test_stop_and_restart_wait_for_no_dead_supervisor__UPGR_08(serving: Waiaas, data_dir: Path) -> None:
    """Beside a living one they touch nothing; who is dead holds no lock."""
    argv = [sys.executable, "-c", HOLD, str(data_dir / "upgrade.lock")]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as supervisor:
        assert supervisor.stdout is not None
        supervisor.stdout.readline()
        pid = holder(data_dir / "daemon.lock")
        for command in ("stop", "restart"):
            refused = serving(command, "--json")
            assert (refused.code, refused.error["code"]) == (Exit.BUSY, "upgrade-running")
            assert f"pid {supervisor.pid}" in refused.error["message"]
        assert holder(data_dir / "daemon.lock") == pid
        supervisor.kill()
    assert serving("stop").code == 0
