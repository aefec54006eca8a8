"""The guards of conftest.py bite (ARCHITECTURE rule 14)."""

import os
import socket
import time
from pathlib import Path

import pytest

from tests.conftest import GuardTripped


def test_home_cannot_be_found() -> None:
    with pytest.raises(GuardTripped):
        Path.home()
    assert "HOME" not in os.environ


def test_network_beyond_this_machine_cannot_be_reached() -> None:
    with socket.socket() as outgoing, pytest.raises(GuardTripped):
        outgoing.connect(("192.0.2.1", 443))


def test_loopback_can_be_reached() -> None:
    with socket.socket() as listener, socket.socket() as outgoing:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        outgoing.connect(listener.getsockname())


def test_sleep_is_refused() -> None:
    with pytest.raises(GuardTripped):
        time.sleep(0.001)


@pytest.mark.real_time
def test_sleep_is_allowed_where_a_test_asks() -> None:
    time.sleep(0.001)
