"""`waiaas logs` beside a real daemon (SPEC §4, first hour)."""

import os
import signal
import subprocess

from tests.journeys.api import request
from tests.journeys.workshop import Site


def test_following_shows_what_the_daemon_does_and_ends_with_control_c(installed: Site) -> None:
    installed.ok("start", "--detach")
    assert " ready port=" in installed.ok("logs", "-n", "20").out
    argv = [installed.python, "-I", str(installed.program), "--data-dir", str(installed.data)]
    with subprocess.Popen(
        [*argv, "logs", "-f", "-n", "1"],
        env=installed.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.readline()
        assert request(installed, "POST", "/v1/admin/kill-switch", {"on": True})[0] == 200
        while b"kill switch on" not in child.stdout.readline():
            continue
        child.send_signal(signal.SIGINT)
        assert child.wait(20) == 130
        assert b"error" not in child.stderr.read()


def test_following_ends_once_its_reader_has_gone(installed: Site) -> None:
    installed.ok("start", "--detach")
    argv = [installed.python, "-I", str(installed.program), "--data-dir", str(installed.data), "logs", "-f"]
    with subprocess.Popen(argv, env=installed.environ, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline()
        child.stdout.close()
        assert request(installed, "POST", "/v1/admin/kill-switch", {"on": True})[0] == 200
        assert child.wait(20) == 0


def test_a_daemon_in_the_foreground_logs_there_and_that_is_said(installed: Site) -> None:
    assert installed.run("--json", "logs").json()["error"]["code"] == "no-log"
    argv = [installed.python, "-I", str(installed.program), "--data-dir", str(installed.data), "start"]
    with subprocess.Popen(argv, env=installed.environ, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        while '"ready"' not in child.stderr.readline():
            continue
        (installed.data / "logs").mkdir(exist_ok=True)
        old = installed.data / "logs/waiaas.log"
        old.write_text("from before\n")
        os.utime(old, (1, 1))
        told = installed.ok("logs")
        child.terminate()
    assert told.out == "from before\n"
    assert "runs in the foreground and logs there" in told.err
