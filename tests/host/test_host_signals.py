"""Signals that ask a daemon to stop: none is lost, whatever its main thread is doing (DMN-2)."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

BUSY = """
import os, signal, sys, threading
from waiaas.host.processes import Processes
reading, writing = os.pipe()
Processes({}).on_stop(lambda: os.write(writing, b"x"))
threading.Thread(target=threading.Event().wait, daemon=True).start()  # the kernel gives the signal to it
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
print("ready", flush=True)
os.read(reading, 1)
print("asked", flush=True)
os.read(reading, 1)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_is_heard_while_the_main_thread_is_blocked__DMN_2(number: int) -> None:
    """As when it comes in the moment before a blocking call, of which Python tells no handler; the second
    one forces the end."""
    root = Path(__file__).parents[2]
    argv = [sys.executable, "-c", BUSY]
    with subprocess.Popen(argv, cwd=root, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as child:
        try:
            assert child.stdout
            assert child.stdout.readline() == "ready\n"
            child.send_signal(signal.SIGHUP)
            child.send_signal(number)
            assert child.stdout.readline() == "asked\n"
            child.send_signal(number)
            assert child.wait() == 128 + number
        finally:
            child.kill()
