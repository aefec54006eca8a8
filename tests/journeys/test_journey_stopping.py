"""A daemon that is slow to stop: whoever has asked it to, and then gives up, starts it again (UPGR-07).

A stopped process is the simplest one that hangs. It keeps the signal until it goes on, and obeys it then.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.journeys.api import eventually, health
from tests.journeys.levers import Yard
from tests.journeys.observe import ended
from tests.journeys.test_journey_concurrency import kill_supervisor
from tests.journeys.witness import last_run, told
from tests.journeys.workshop import PYTHON, Site, Workshop

FOREVER = "100"  # seconds of shutdown_timeout
INTENT = {"event": "intent", "step": "stop", "facts": {"running": True, "unit": None, "offline": False}}


@contextmanager
def hanging(installed: Site) -> Iterator[int]:
    """The daemon's pid; it hears nothing until the block is left."""
    installed.ok("start", "--detach")
    pid = int(installed.daemon["pid"])
    os.kill(pid, signal.SIGSTOP)
    try:
        yield pid
    finally:
        if not ended(pid):
            os.kill(pid, signal.SIGCONT)


@contextmanager
def started(installed: Site, *words: str) -> Iterator["subprocess.Popen[bytes]"]:
    argv = [PYTHON, "-I", str(installed.program), "--data-dir", str(installed.data), *words]
    nowhere = subprocess.DEVNULL
    with subprocess.Popen(argv, env=installed.environ, stdout=nowhere, stderr=nowhere) as process:
        try:
            yield process
        finally:
            process.kill()


def asked_to_stop(pid: int) -> bool:
    """SIGTERM waits for it."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    [pending] = [int(line.split()[1], 16) for line in lines if line.startswith("ShdPnd:")]
    return bool(pending >> (signal.SIGTERM - 1) & 1)


def serves_again(installed: Site, before: int) -> None:
    assert ended(before)
    assert (health(installed)["version"], health(installed)["status"]) == ("1.8.0", "ok")
    assert installed.daemon["pid"] != before
    assert last_run(installed)["outcome"] == "rolled-back"
    assert "nothing to recover" in installed.ok("upgrade", "--recover").out


def test_a_daemon_that_does_not_stop_in_its_time_is_replaced__UPGR_07(installed: Site) -> None:
    installed.environ["WAIAAS_DAEMON_SHUTDOWN_TIMEOUT"] = "1"
    with hanging(installed) as pid:
        refused = told(installed.run("upgrade"), 7)
    assert f"the daemon (pid {pid}) did not stop within 6 s" in refused["error"]
    serves_again(installed, pid)


def interrupted(installed: Site, upgrade: "subprocess.Popen[bytes]", pid: int) -> None:
    """Control-C: it undoes what it did, which takes until the daemon has obeyed."""
    upgrade.send_signal(signal.SIGINT)
    eventually(lambda: '"event": "failed"' in journal(installed))
    os.kill(pid, signal.SIGCONT)
    assert upgrade.wait(60) == 130


def killed(installed: Site, upgrade: "subprocess.Popen[bytes]", pid: int) -> None:
    """Nobody is left who waits for it; the next command does."""
    upgrade.kill()
    upgrade.wait()
    with started(installed, "upgrade", "--recover") as recovery:
        eventually(lambda: '"event": "attempt"' in journal(installed))
        os.kill(pid, signal.SIGCONT)
        assert recovery.wait(60) == 0


@pytest.mark.parametrize("gives_up", [interrupted, killed])
def test_an_upgrade_that_is_given_up_while_the_daemon_stops_starts_it_again__UPGR_07(
    installed: Site, gives_up: Callable[[Site, "subprocess.Popen[bytes]", int], None]
) -> None:
    installed.environ["WAIAAS_DAEMON_SHUTDOWN_TIMEOUT"] = FOREVER
    with hanging(installed) as pid, started(installed, "upgrade") as upgrade:
        eventually(lambda: asked_to_stop(pid))
        gives_up(installed, upgrade, pid)
    serves_again(installed, pid)


def test_a_daemon_that_was_not_asked_goes_on__UPGR_07(workshop: Workshop, tmp_path: Path) -> None:
    """The supervisor died when it had only written down that it would: recovery leaves the daemon alone."""
    yard = Yard(workshop, tmp_path)
    installed = yard.site(tmp_path / "site")
    try:
        installed.ok("start", "--detach")
        pid = installed.daemon["pid"]
        kill_supervisor(installed, "journal.intent:append", "upgrade")
        with (installed.program.parent / ".waiaas" / "journal").open("a") as stream:
            stream.write(json.dumps(INTENT | {"at": time.time()}) + "\n")
        installed.ok("upgrade", "--recover")
        assert last_run(installed)["outcome"] == "rolled-back"
        assert installed.daemon["pid"] == pid
        assert health(installed)["status"] == "ok"
    finally:
        installed.close()
        yard.close()


def journal(installed: Site) -> str:
    return (installed.program.parent / ".waiaas" / "journal").read_text()
