"""Signs of life for a watchdog, from the loop itself (SRV-01)."""

import os
import selectors
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import FakeClock
from waiaas.daemon.pulse import Pulse, interval


class Idle(selectors.SelectSelector):
    """Sleeps on the clock of the test, however long it is told to."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self.clock = clock
        self.slept: list[float | None] = []

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.slept.append(timeout)
        self.clock.sleep(1000.0 if timeout is None else timeout)
        return []


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "n"))
        heard.setblocking(False)
        yield heard


def beats(manager: socket.socket) -> int:
    heard = 0
    while True:
        try:
            assert manager.recv(100) == b"WATCHDOG=1"
        except BlockingIOError:
            return heard
        heard += 1


def test_an_idle_loop_reports_twice_in_the_time_allowed__SRV_01(manager: socket.socket) -> None:
    clock = FakeClock()
    idle = Idle(clock)
    environ = {
        "NOTIFY_SOCKET": manager.getsockname(),
        "WATCHDOG_USEC": "60000000",
        "WATCHDOG_PID": str(os.getpid()),
    }
    pulse = Pulse(clock, environ)
    for _ in range(5):
        pulse.select(idle, None)
    assert idle.slept == [0.0, 30.0, 30.0, 30.0, 30.0]
    assert beats(manager) == 5


def test_a_busy_loop_sleeps_as_it_would_and_reports_in_time__SRV_01(manager: socket.socket) -> None:
    clock = FakeClock()
    idle = Idle(clock)
    pulse = Pulse(clock, {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "2000000"})
    turns = [pulse.select(idle, 0.25)[1] for _ in range(13)]
    assert turns[-1] == 3.0
    assert beats(manager) == 4  # at 0, 1, 2 and 3 seconds
    assert max(slept for slept in idle.slept if slept is not None) == 0.25


def test_where_nobody_watches_nobody_is_woken__SRV_01(manager: socket.socket) -> None:
    clock = FakeClock()
    idle = Idle(clock)
    pulse = Pulse(clock, {"NOTIFY_SOCKET": manager.getsockname()})
    for longest in (None, 0.25):
        pulse.select(idle, longest)
    assert idle.slept == [None, 0.25]
    assert beats(manager) == 0


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({"WATCHDOG_USEC": "60000000"}, 30.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "7"}, 30.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "8"}, None),  # meant for our parent
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "-1"}, None),
        ({}, None),
    ],
)
def test_what_the_manager_allows__SRV_01(environ: dict[str, str], seconds: float | None) -> None:
    assert interval(environ, 7) == seconds
