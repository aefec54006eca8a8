"""Clients as raw sockets, an installation whose daemon has short deadlines, and what they cost it."""

import json
import re
import resource
import shlex
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.journeys.api import eventually, health
from tests.journeys.workshop import PYTHON, Site, Workshop, site

TIMEOUT = 4  # seconds: request_timeout and idle_timeout of the daemons below
SLACK = 6.0  # seconds that a busy machine may add to a deadline
WALLET = {
    "chain": "ethereum",
    "environment": "mainnet",
    "publicKey": "0x52908400098527886E0F7030069857D2E4169EE7",
}
POLL = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def place(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One installation for all tests; each starts a daemon of its own."""
    with site(tmp_path_factory.mktemp("clients"), workshop.current) as made:
        made.environ |= {
            "WAIAAS_DAEMON_UPDATE_CHECK": "false",
            "WAIAAS_DAEMON_REQUEST_TIMEOUT": str(TIMEOUT),
            "WAIAAS_DAEMON_IDLE_TIMEOUT": str(TIMEOUT),
        }
        made.ok("init")
        yield made


@contextmanager
def daemon(place: Site, before: str = "", **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    """A healthy daemon; `before` is shell that runs first in its process."""
    words = [PYTHON, "-I", str(place.program), "--data-dir", str(place.data), "start"]
    command = ["sh", "-c", f"{before}\nexec {shlex.join(words)} 2> log"]
    with subprocess.Popen(command, env={**place.environ, **environ}, cwd=place.folder) as process:
        try:
            eventually(lambda: place.daemon["pid"] == process.pid and health(place)["status"] == "ok")
            yield process
        finally:
            process.kill()


@pytest.fixture
def serving(place: Site) -> Iterator[Site]:
    with daemon(place):
        yield place


def connect(place: Site, port: int | None = None) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port or place.daemon["port"]), 20)


def answer(client: socket.socket) -> bytes:
    """Everything until the end of the connection; a reset is an end."""
    found = b""
    with suppress(ConnectionError):
        while chunk := client.recv(65536):
            found += chunk
    return found


def polled(place: Site) -> float:
    """`waiaas health` says all is well, before any client is sent away; seconds with the start of Python."""
    begun = time.monotonic()
    done = place.run("health", "--timeout", str(TIMEOUT - 1))
    assert done.code == 0, done
    return time.monotonic() - begun


def resident(pid: int) -> int:
    """KiB."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1])


def room_for(wanted: int) -> int:
    """How many connections this process may open; its soft limit is raised as far as that goes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted + 200:
        soft = hard if hard != resource.RLIM_INFINITY and hard < wanted + 200 else wanted + 200
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft < wanted + 200:
        print(f"only {soft - 200} of {wanted} connections: RLIMIT_NOFILE is {soft}")
    return min(wanted, soft - 200)


def post_of(place: Site, name: str) -> tuple[bytes, bytes]:
    """Head and body of a registration."""
    body = json.dumps({**WALLET, "name": name}).encode()
    head = f"POST /v1/wallets HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {place.token}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode(), body
