"""Waiting for a daemon that was started: until it is ready, and as long as it asks for (DMN-1)."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from waiaas.core.errors import TimedOut
from waiaas.daemon.listener import _cannot_listen
from waiaas.host import ready
from waiaas.host.clock import Clock
from waiaas.host.files import Files
from waiaas.host.host import Host
from waiaas.host.http import Network
from waiaas.host.launch import ended, launch
from waiaas.host.processes import Processes
from waiaas.host.program import Program

SAYING = """
import os, pathlib, socket, sys, threading
said, go = sys.argv[1], pathlib.Path(sys.argv[2])
channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
channel.connect(chr(0) + os.environ["NOTIFY_SOCKET"][1:])
channel.send(said.encode())
while not go.exists():
    threading.Event().wait(0.01)
channel.send(b"STATUS=there\\nREADY=1")
"""


class Leaping(Clock):
    """At the third look a minute is gone: the daemon has spoken once, and `go`, if there is one, tells it to
    get ready."""

    def __init__(self, go: Path | None) -> None:
        self.go, self.looks = go, 0

    def monotonic(self) -> float:
        self.looks += 1
        if self.looks < 3:
            return 0.0
        if self.go:
            self.go.touch()
        return 60.0


def launched(tmp_path: Path, said: str, *, ready: bool) -> int:
    go = tmp_path / "go"
    clock = Leaping(go if ready else None)
    host = Host(clock, Files(), Network({}, clock), Processes({}), Program(None), {})
    argv = [sys.executable, "-c", SAYING, said, str(go)]
    return launch(host, argv, tmp_path / "logs" / "log", 30.0)


def test_a_daemon_that_asks_for_more_time_gets_it__DMN_1(tmp_path: Path) -> None:
    """It migrates a large database, say, for longer than `health_timeout`."""
    assert launched(tmp_path, "STATUS=migrating\nEXTEND_TIMEOUT_USEC=3600000000", ready=True) > 0


@pytest.mark.parametrize(
    "said",
    ["STATUS=hello", "EXTEND_TIMEOUT_USEC=", "EXTEND_TIMEOUT_USEC=-1", "EXTEND_TIMEOUT_USEC=" + "9" * 30,
     "X=EXTEND_TIMEOUT_USEC=3600000000"],
)  # fmt: skip
def test_a_daemon_that_asks_for_none_has_what_the_settings_give_it__DMN_1(tmp_path: Path, said: str) -> None:
    with pytest.raises(TimedOut, match="not ready within 30 s"):
        launched(tmp_path, said, ready=False)


def test_nobody_asks_for_more_than_an_hour__DMN_1() -> None:
    with ready.ReadySocket() as listening:
        assert listening._understood([b"EXTEND_TIMEOUT_USEC=18446744073709551615"]) == "more"
        assert listening.asked == 3600.0


def test_a_stranger_cannot_prolong_the_wait__DMN_1() -> None:
    """Nor say that the daemon is ready: only the process that was started is listened to."""
    code = (
        "import socket, sys; channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
        "channel.connect(chr(0) + sys.argv[1][1:])\n"
        "channel.send(b'READY=1\\nEXTEND_TIMEOUT_USEC=9000000')"
    )
    with ready.ReadySocket() as listening:
        stranger = subprocess.run([sys.executable, "-c", code, listening.name], check=True)
        assert stranger.returncode == 0
        child = ready.Child(1)
        assert listening.wait(child, 10.0) == "again"
        assert listening.asked == 0.0
        child.close()


def test_a_port_that_is_taken_has_its_own_code__CLI_2() -> None:
    """What the daemon says when it cannot listen, as `start --detach` tells it."""
    taken = _cannot_listen("127.0.0.1", 3100, OSError(errno.EADDRINUSE, "Address already in use"))
    told = ended(1, [f"waiaas: error: {taken.message}", f"hint: {taken.hint}"])
    assert (taken.code, told.code, told.hint) == ("port-in-use", "port-in-use", taken.hint)
    assert ended(1, ["waiaas: error: nothing works"]).code == "daemon-ended"
