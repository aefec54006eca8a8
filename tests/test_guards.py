"""The guards of conftest.py bite (ARCHITECTURE rule 14)."""

import os
import socket
import subprocess
import sys
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


def test_the_end_of_a_child_can_be_awaited() -> None:
    """It closes its streams, and ends later."""
    late = "import os, sys, time; os.close(1); os.close(2); time.sleep(0.05)"
    child = subprocess.Popen([sys.executable, "-c", late], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    child.communicate(timeout=60)
    assert child.returncode == 0


@pytest.mark.real_time
def test_sleep_is_allowed_where_a_test_asks() -> None:
    time.sleep(0.001)
