"""Hostile clients against the built artefact's daemon as a process: nonsense, floods, drips (DMN-5, 6).

Times are deadlines that the daemon itself promises; what the machine adds is only printed.
"""

import select
import socket
import time
from contextlib import suppress

import pytest

from tests.journeys.api import health, request
from tests.journeys.clients import (
    POLL,
    SLACK,
    TIMEOUT,
    answer,
    connect,
    place,
    polled,
    post_of,
    resident,
    serving,
)
from tests.journeys.workshop import Site

__all__ = ["place", "serving"]

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
