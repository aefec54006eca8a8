"""The daemon as a process: started, killed, signalled, cut off from its terminal (DMN-1, DMN-2, DIR-2)."""

import json
import re
import shlex
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.journeys.api import contents, eventually, health, request
from tests.journeys.observe import bystander, digests, ended, foreground, kill_9
from tests.journeys.workshop import PYTHON, Feed, Site

WALLET = {
    "name": "treasury",
    "chain": "ethereum",
    "environment": "mainnet",
    "publicKey": "0x52908400098527886E0F7030069857D2E4169EE7",
}


def side_files(installed: Site) -> list[str]:
    """What SQLite left beside the database."""
    return [path.name for path in installed.database.parent.glob("waiaas.db-*")]


def test_after_a_kill_the_next_start_works_at_once__DIR_2(installed: Site) -> None:
    """The stale daemon.json, socket and WAL are no obstacle, and nothing that was answered is lost."""
    installed.ok("start", "--detach")
    assert request(installed, "POST", "/v1/wallets", WALLET)[0] == 201
    killed = kill_9(installed)
    assert (installed.data / "daemon.json").exists()
    status = installed.run("--json", "status")
    assert (status.code, status.json()["running"], status.json()["pid"]) == (3, False, None)
    assert installed.run("health").code == 3
    assert [w["name"] for w in installed.json("wallets", "list")] == ["treasury"]
    installed.ok("start", "--detach")
    assert installed.daemon["pid"] != killed
    assert [w["name"] for w in request(installed, "GET", "/v1/wallets")[1]["data"]] == ["treasury"]
    installed.ok("stop")
    assert side_files(installed) == []
    assert not (installed.data / "daemon.json").exists()


def test_a_second_start_is_busy_and_the_first_goes_on__DIR_2(installed: Site) -> None:
    installed.ok("start", "--detach")
    first = installed.daemon
    for words in (["start"], ["start", "--detach"]):
        second = installed.run(*words)
        assert second.code == 75
        assert f"another daemon is running (pid {first['pid']})" in second.err
    assert installed.run("db", "migrate").code == 75
    assert installed.daemon == first
    assert health(installed)["status"] == "ok"
    status = installed.json("status")
    assert (status["running"], status["pid"], status["port"]) == (True, first["pid"], first["port"])
    assert {"version", "dataDir", "schemaVersion", "uptime", "openRun"} <= set(status)


def test_stopping_what_does_not_run_is_said__CLI_3(installed: Site) -> None:
    for _ in range(2):
        stopped = installed.run("stop")
        assert stopped.code == 3
        assert "the daemon is not running" in stopped.err
        assert "hint: `waiaas start --detach" in stopped.err
    assert installed.run("--json", "stop").json()["error"]["code"] == "not-running"
    assert installed.run("--json", "health").json()["error"]["code"] == "not-running"


def test_a_foreign_process_in_daemon_json_is_never_signalled__DIR_2(installed: Site, feed: Feed) -> None:
    """Neither when the daemon is dead, nor when it runs and the file lies."""
    known = installed.data / "daemon.json"

    def lie(pid: int) -> None:
        known.write_text(json.dumps({**json.loads(known.read_text()), "pid": pid}))

    with bystander() as foreign:
        installed.ok("start", "--detach")
        kill_9(installed)
        lie(foreign.pid)
        for words in (["stop"], ["status"], ["health"]):
            assert installed.run(*words).code == 3, words
        installed.ok("restart")
        running = installed.daemon["pid"]
        lie(foreign.pid)
        assert installed.json("status")["pid"] == running
        assert f"pid {running}" in installed.ok("stop").out
        assert ended(running)
        installed.ok("start", "--detach")
        kill_9(installed)
        lie(foreign.pid)
        assert "1.8.1" in installed.ok("upgrade").out
        assert health(installed)["version"] == "1.8.1"
        lie(foreign.pid)
        assert "1.8.0" in installed.ok("upgrade", "--rollback").out
        assert foreign.poll() is None


@contextmanager
def stuck_request(installed: Site) -> Iterator[tuple[socket.socket, sqlite3.Connection]]:
    """A POST that the daemon has taken and cannot finish before `ROLLBACK`: its client and the blocker."""
    body = json.dumps(WALLET).encode()
    head = f"POST /v1/wallets HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {installed.token}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with (
        closing(sqlite3.connect(installed.database, isolation_level=None)) as blocker,
        socket.create_connection(("127.0.0.1", installed.daemon["port"]), 10) as client,
    ):
        blocker.execute("BEGIN IMMEDIATE")
        client.sendall(head.encode() + body)
        assert health(installed)["status"] == "ok"  # the one loop has read what came before this
        yield client, blocker


def refuses_connections(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) != 0


def test_sigterm_finishes_what_is_in_flight_and_leaves_no_wal__DMN_2(installed: Site) -> None:
    with foreground(installed) as daemon:
        port = installed.daemon["port"]
        with stuck_request(installed) as (client, blocker):
            daemon.terminate()
            eventually(lambda: refuses_connections(port))
            assert daemon.poll() is None
            blocker.execute("ROLLBACK")
            blocker.close()
            assert client.recv(65536).startswith(b"HTTP/1.1 201 ")
        _, log = daemon.communicate(timeout=30)
    assert daemon.returncode == 0
    said = [json.loads(line)["message"] for line in log.splitlines() if line.startswith("{")]
    steps = [
        "step 1",
        "step 2",
        "step 3",
        "step 4",
        "ready",
        "stop: http closed",
        "stop: database",
        "stopped",
    ]
    found = [next((n for n, line in enumerate(said) if line.startswith(step)), -1) for step in steps]
    assert found == sorted(found), said
    assert -1 not in found, said
    assert side_files(installed) == []
    assert len(contents(installed.database)["wallets"]) == 1
    assert not (installed.data / "daemon.json").exists()


def test_a_second_signal_forces__DMN_2(installed: Site) -> None:
    with foreground(installed) as daemon:
        port = installed.daemon["port"]
        with stuck_request(installed):
            daemon.send_signal(signal.SIGINT)
            eventually(lambda: refuses_connections(port))
            daemon.send_signal(signal.SIGINT)
            assert daemon.wait(10) == 130
    assert "running" in installed.ok("start", "--detach").out
    assert contents(installed.database)["wallets"] == []


def test_neither_a_closed_stdout_nor_a_hangup_kills__DMN_2(installed: Site) -> None:
    """`waiaas start | head`, then the terminal goes away."""
    with foreground(installed) as daemon:
        assert daemon.stdout
        assert daemon.stderr
        daemon.stdout.close()
        daemon.stderr.close()
        daemon.send_signal(signal.SIGHUP)
        for on in (True, False):  # each is a line of the log
            assert request(installed, "POST", "/v1/admin/kill-switch", {"on": on})[0] == 200
        assert health(installed)["status"] == "ok"
        daemon.terminate()
        assert daemon.wait(30) == 0
    assert side_files(installed) == []


@pytest.mark.parametrize("closed", [">&- 2>&-", "<&- >&- 2>&-"])
def test_a_daemon_born_without_streams_serves__DMN_2(installed: Site, closed: str) -> None:
    """No descriptor of the database or a socket may land on 1 or 2 and be written to as if it were a log."""
    words = [PYTHON, "-I", str(installed.program), "--data-dir", str(installed.data), "start"]
    command = f"exec {shlex.join(words)} {closed}"
    before = digests(installed.data / "keystore")
    with subprocess.Popen(["sh", "-c", command], env=installed.environ, cwd=installed.folder) as daemon:
        try:
            eventually(lambda: installed.daemon["pid"] == daemon.pid and health(installed)["status"] == "ok")
            assert request(installed, "POST", "/v1/wallets", WALLET)[0] == 201
            assert request(installed, "POST", "/v1/admin/kill-switch", {"on": True})[0] == 200
            daemon.terminate()
            assert daemon.wait(30) == 0
        finally:
            daemon.kill()
    assert installed.json("db", "check")["ok"] is True
    assert digests(installed.data / "keystore") == before


def test_restart_of_a_daemon_that_could_not_start_again_leaves_it_up__DMN_1(installed: Site) -> None:
    installed.ok("start", "--detach")
    pid = installed.daemon["pid"]
    config = installed.data / "config.toml"
    sound = config.read_text()
    config.write_text(sound + "\n[daemon.nonsense]\n")
    assert installed.run("restart").code == 2
    assert health(installed)["status"] == "ok"
    assert installed.daemon["pid"] == pid
    config.write_text(sound)
    installed.ok("restart")
    assert installed.daemon["pid"] != pid


def test_a_port_in_use_fails_the_start_in_its_own_words__DMN_1(installed: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        failed = installed.run("start", "--detach", WAIAAS_DAEMON_PORT=port)
        assert failed.code == 1
        assert re.search(rf"did not start:.*\b{port}\b", failed.err)
        assert installed.run("start", WAIAAS_DAEMON_PORT=port).code == 1
    assert installed.run("status").code == 3
    assert side_files(installed) == []


def test_no_python_variable_reaches_the_daemon__SHP_2(installed: Site) -> None:
    """PYTHON* variables could run other code with the daemon's rights."""
    evil = installed.folder / "evil"
    evil.mkdir()
    (evil / "sitecustomize.py").write_text("raise SystemExit('taken over')")
    installed.ok("start", "--detach", PYTHONPATH=str(evil), PYTHONSTARTUP=str(evil), PYTHONINSPECT="1")
    block = Path(f"/proc/{installed.daemon['pid']}/environ").read_bytes().split(b"\0")
    assert [name for name in block if name.startswith(b"PYTHON")] == []
    assert health(installed)["status"] == "ok"
