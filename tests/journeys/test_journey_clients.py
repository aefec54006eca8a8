"""Hostile clients against the built artefact's daemon as a process: crowds, drips, nonsense (DMN-5, 6).

Times are deadlines that the daemon itself promises; what the machine adds is only printed.
"""

import json
import os
import re
import resource
import select
import shlex
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import pytest

from tests.journeys.api import eventually, health, request
from tests.journeys.observe import ended
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
    """`waiaas health --timeout 1` says all is well; seconds with the start of Python."""
    begun = time.monotonic()
    done = place.run("health", "--timeout", "1")
    assert done.code == 0, done
    return time.monotonic() - begun


def resident(pid: int) -> int:
    """KiB."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1])


def cpu(pid: int) -> float:
    """Seconds of CPU time, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def room_for(wanted: int) -> int:
    """How many connections this process may open; its soft limit is raised as far as that goes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted + 200:
        soft = hard if hard != resource.RLIM_INFINITY and hard < wanted + 200 else wanted + 200
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft < wanted + 200:
        print(f"only {soft - 200} of {wanted} connections: RLIMIT_NOFILE is {soft}")
    return min(wanted, soft - 200)


def wait_for_ends(crowd: list[socket.socket], seconds: float, dribbling: int = 0) -> list[float]:
    """When each connection was ended by the daemon, in seconds from now; the first few go on dribbling."""
    poller = select.poll()
    by_number = {client.fileno(): client for client in crowd}
    for number in by_number:
        poller.register(number, select.POLLIN | select.POLLHUP)
    begun, ends = time.monotonic(), []
    while by_number and time.monotonic() - begun < seconds:
        for client in crowd[:dribbling]:
            with suppress(OSError):
                client.send(b"x")
        for number, _ in poller.poll(200):
            try:
                data = by_number[number].recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                poller.unregister(number)
                del by_number[number]
                ends.append(time.monotonic() - begun)
    return ends


def test_two_thousand_idle_and_two_hundred_dribbling_connections__PRF_14(place: Site) -> None:
    count = room_for(2200)
    dribbling, quiet = count // 11, count - count // 11
    with daemon(place) as process, ExitStack() as stack:
        polled(place)
        alone, port = resident(process.pid), place.daemon["port"]
        crowd = [stack.enter_context(connect(place, port)) for _ in range(count)]
        for client in crowd[dribbling : dribbling + quiet // 2]:
            client.sendall(POLL)  # half of the idle ones have been served before
        most, slowest, begun = resident(process.pid), 0.0, time.monotonic()
        for byte in POLL[:8]:
            for client in crowd[:dribbling]:
                with suppress(ConnectionError):
                    client.sendall(bytes([byte]))
            slowest = max(slowest, polled(place))
            assert health(place)["status"] == "ok"
            most = max(most, resident(process.pid))
            if time.monotonic() - begun > TIMEOUT - 1:
                break
        ends = wait_for_ends(crowd, TIMEOUT + SLACK, dribbling)
        assert len(ends) == count
        assert most <= 2 * alone
        print(f"{count} connections: {alone} -> {most} KiB, slowest `waiaas health` {slowest:.2f} s")
        print(f"all ended within {max(ends):.2f} s of the last look, deadline {TIMEOUT} s")
        eventually(lambda: len(os.listdir(f"/proc/{process.pid}/fd")) < 64)


def test_past_the_bound_of_connections_both_ways_to_health_stay_open__DMN_5(place: Site) -> None:
    with daemon(place, WAIAAS_DAEMON_MAX_CONNECTIONS="32"), ExitStack() as stack:
        port = place.daemon["port"]
        for number in range(300):
            client = stack.enter_context(connect(place, port))
            client.sendall(b"GET /hea" if number % 2 else b"")
        polled(place)
        assert health(place)["status"] == "ok"


def test_without_descriptors_the_daemon_neither_spins_nor_dies__DMN_5(place: Site) -> None:
    """Started under `ulimit -n 64`, then left with six free descriptors, fewer than its least crowd."""
    with daemon(place, "ulimit -n 64") as process, ExitStack() as stack:
        limit = max(map(int, os.listdir(f"/proc/{process.pid}/fd"))) + 7
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (limit, limit))
        port = place.daemon["port"]
        crowd = [stack.enter_context(connect(place, port)) for _ in range(100)]
        for client in crowd:
            client.sendall(b"GET /")
        eventually(lambda: exhausted(place))
        slowest = max(polled(place) for _ in range(5))
        before, begun = cpu(process.pid), time.monotonic()
        ends = wait_for_ends(crowd, 2.0)
        used, took = cpu(process.pid) - before, time.monotonic() - begun
        print(f"EMFILE: {used:.2f} s of CPU in {took:.2f} s, {len(ends)} connections made room")
        print(f"EMFILE: slowest `waiaas health` {slowest:.2f} s")
        assert used < took / 3
        assert ends
        for client in crowd:
            client.close()
        eventually(lambda: polled(place) > 0)
        assert health(place)["status"] == "ok"
        assert exhausted(place) < 20 * (time.monotonic() - begun + 5)  # there is a pause between two
        process.terminate()
        assert process.wait(30) == 0


def exhausted(place: Site) -> int:
    """How often the daemon found no descriptor for a connection."""
    return (place.folder / "log").read_text().count("EMFILE")


POST = b"POST / HTTP/1.1\r\nHost: localhost\r\n"
SHAPES = {
    "giant-request-line": (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
    "giant-head": (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X-Y: " + b"a" * 70_000 + b"\r\n\r\n", 431),
    "many-fields": (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"a: b\r\n" * 200 + b"\r\n", 431),
    "two-lengths": (
        POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n12345",
        400,
    ),
    "a-list-of-lengths": (POST + b"Content-Length: 5, 5\r\n\r\n12345", 400),
    "a-signed-length": (POST + b"Content-Length: +5\r\n\r\n12345", 400),
    "length-and-chunks": (
        POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "chunks": (POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501),
    "hidden-chunks": (
        POST + b"Transfer-Encoding : chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        400,
    ),
    "bare-lf": (b"GET / HTTP/1.1\nHost: localhost\n\n", 400),
    "bare-cr": (b"GET / HTTP/1.1\r\nHost: localhost\rX: y\r\n\r\n", 400),
    "folded": (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n", 400),
    "nul": (b"GET / HTTP/1.1\r\nHost: local\0host\r\n\r\n", 400),
    "two-hosts": (b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", 400),
    "no-host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "old-http": (b"GET /\r\n\r\n", 400),
    "another-http": (b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", 505),
    "the-preface-of-http-2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "tls": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(64)) * 4, 400),
    "connect": (b"CONNECT localhost:22 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "too-large": (
        b"POST /v1/wallets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n",
        413,
    ),
}


def test_requests_that_two_readers_could_read_two_ways_are_refused_and_closed__DMN_5(serving: Site) -> None:
    for name, (data, status) in SHAPES.items():
        with connect(serving) as client:
            with suppress(ConnectionError):
                client.sendall(data + POLL)
            client.shutdown(socket.SHUT_WR)
            said = answer(client)
        assert said.startswith(b"HTTP/1.1 %d " % status), (name, said[:200])
        assert said.count(b"HTTP/1.1 ") - said.count(b"an HTTP/1.1 ") == 1, (
            name
        )  # what follows is never taken for a request
        assert b"\r\nConnection: close\r\n" in said, name
        assert b"application/problem+json" in said, name
    assert health(serving)["status"] == "ok"


def pour(place: Site, head: bytes, more: bytes, most: int) -> tuple[bytes, int]:
    """Send `head`, then `more` over and over until the daemon ends it; its answer, and the bytes it took."""
    with connect(place) as client:
        client.sendall(head)
        client.setblocking(False)
        sent, said = 0, b""
        with suppress(ConnectionError):
            while sent < most:
                readable, writable, _ = select.select([client], [client], [], 10)
                if readable:
                    chunk = client.recv(65536)
                    if not chunk and said:
                        break
                    said += chunk
                if writable:
                    sent += client.send(more)
        return said, sent


def test_endless_heads_and_bodies_are_cut_off_and_memory_stays_flat__DMN_5(serving: Site) -> None:
    pid = serving.daemon["pid"]
    polled(serving)
    alone, most = resident(pid), 64 << 20
    post = b"POST /v1/wallets HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
    endless = {
        "head": (b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"X-A: b\r\n" * 1000, 431),
        "line": (b"GET /", b"a" * 8000, 414),
        "body": (post + b"999999999999\r\n\r\n", b"a" * 65536, 413),
        "unannounced body": (POST + b"\r\n", b"a" * 65536, 405),
    }
    for name, (head, more, status) in endless.items():
        said, sent = pour(serving, head, more, most)
        assert said.startswith(b"HTTP/1.1 %d " % status), (name, said[:200])
        assert sent < most, name
    assert resident(pid) <= 1.5 * alone
    assert health(serving)["status"] == "ok"


@pytest.mark.parametrize(
    "name", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "user@localhost", "[::2]", ""]
)
def test_a_name_that_is_not_served_is_misdirected_even_with_the_token__DMN_6(
    serving: Site, name: str
) -> None:
    head = f"Host: {name}\r\nAuthorization: Bearer {serving.token}\r\nConnection: close\r\n\r\n".encode()
    for path in (b"/v1/wallets", b"/", b"/metrics", b"http://evil.example/v1/wallets"):
        with connect(serving) as client:
            client.sendall(b"GET " + path + b" HTTP/1.1\r\n" + head)
            assert answer(client).startswith(b"HTTP/1.1 421 "), path
    with connect(serving) as client:
        client.sendall(b"GET /health HTTP/1.1\r\n" + head)
        assert answer(client).startswith(b"HTTP/1.1 200 ")


def post_of(place: Site, name: str) -> tuple[bytes, bytes]:
    """Head and body of a registration."""
    body = json.dumps({**WALLET, "name": name}).encode()
    head = f"POST /v1/wallets HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {place.token}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode(), body


def test_a_body_that_drips_past_its_time_is_ended_and_nothing_is_written__DMN_5(serving: Site) -> None:
    head, body = post_of(serving, "slow")
    with connect(serving) as client:
        client.sendall(head)
        begun = time.monotonic()
        for byte in body:
            if select.select([client], [], [], 0.25)[0]:
                break
            client.sendall(bytes([byte]))
        said, took = answer(client), time.monotonic() - begun
    assert said.startswith(b"HTTP/1.1 408 ")
    assert TIMEOUT - 0.5 <= took <= TIMEOUT + SLACK
    assert request(serving, "GET", "/v1/wallets")[1]["data"] == []


def test_sigterm_amid_two_hundred_connections_finishes_the_request_in_flight__DMN_2(place: Site) -> None:
    with daemon(place) as process, ExitStack() as stack:
        port = place.daemon["port"]
        crowd = [stack.enter_context(connect(place, port)) for _ in range(200)]
        for number, client in enumerate(crowd):
            client.sendall((b"", POLL, b"GET /he", POLL + b"GET")[number % 4])
        head, body = post_of(place, "in flight")
        with connect(place) as client:
            client.sendall(head + body[:-1])
            assert health(place)["status"] == "ok"  # what came before this has been read
            begun = time.monotonic()
            process.terminate()
            eventually(lambda: refused(port))
            client.sendall(body[-1:])
            said = answer(client)
        assert process.wait(30) == 0
        took = time.monotonic() - begun
    assert said.startswith(b"HTTP/1.1 201 ")
    assert b"\r\nConnection: close\r\n" in said
    assert took <= 2 * TIMEOUT
    print(f"stopped amid 200 connections in {took:.2f} s")
    names = [wallet["name"] for wallet in place.json("wallets", "list")]
    assert names == ["in flight"]
    assert ended(process.pid)


def refused(port: int) -> bool:
    with closing(socket.socket()) as client:
        return client.connect_ex(("127.0.0.1", port)) != 0
