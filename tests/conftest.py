"""Guards (ARCHITECTURE rule 14): a test cannot touch the home, the network beyond loopback, or sleep.

A test that needs real waiting says `@pytest.mark.real_time`; journeys do so as a whole.
`tests/test_guards.py` proves that the guards bite.
"""

import os
import socket
import sys
import time
from pathlib import Path

import pytest
from hypothesis import settings

EXAMPLES = 50 * int(os.environ.get("WAIAAS_FUZZ", "1"))
settings.register_profile(
    "ring", max_examples=EXAMPLES, deadline=None, derandomize="WAIAAS_FUZZ" not in os.environ
)
settings.load_profile("ring")


class GuardTripped(AssertionError):
    """A test tried something that could hurt the machine or make the suite slow."""


@pytest.fixture(autouse=True)
def no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """`Path.home()` and `~` raise; XDG and WAIAAS variables are gone."""
    for name in ("HOME", "WAIAAS_DATA_DIR", "WAIAAS_OFFLINE", "WAIAAS_NO_UPDATE_NOTIFY"):
        monkeypatch.delenv(name, raising=False)

    def refuse(*_: object) -> Path:
        raise GuardTripped("a test must choose its own data directory")

    monkeypatch.setattr(Path, "home", staticmethod(refuse))


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only loopback and Unix sockets may be reached."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise GuardTripped(f"a test may not connect to {address}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def no_sleep(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """`time.sleep` raises: await the event, or fake the clock. `subprocess` may: it has no event for a child
    that has closed its streams and not yet ended."""
    if request.node.get_closest_marker("real_time") or request.node.get_closest_marker("journey"):
        return

    sleep = time.sleep

    def refuse(seconds: float) -> None:
        if sys._getframe(1).f_globals["__name__"] != "subprocess":
            raise GuardTripped(f"a unit test may not sleep {seconds} s")
        sleep(seconds)

    monkeypatch.setattr(time, "sleep", refuse)
