"""Servers that lie, drip or hang, also where the daemon should be: refused, and in time (FEED-2, VCHK-03).
Real sockets, no waiting but where the deadline itself is on trial."""

import socket
import threading
import time

import pytest

from tests.host.conftest import Serve, network, problem_of
from tests.wire import Answer, reply
from waiaas.host.http import local_health
from waiaas.host.problems import NetworkProblem

SOON = 0.2  # seconds: a deadline on trial


# --- lies


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/html; charset=utf-8", b"<h1>Sign in</h1>"),
        ("application/json", b"\xef\xbb\xbf \n<!DOCTYPE HTML><title>Sign in"),
        ("application/octet-stream", b"<html><body>Sign in"),
    ],
)
def test_a_captive_portal_is_recognised__VCHK_03(serve: Serve, kind: str, body: bytes) -> None:
    found = problem_of(serve(reply(body, kind)).url)
    assert found.code == "network-web-page"
    assert "captive portal" in found.message


def test_an_answer_larger_than_its_budget_is_cut_off__FEED_2(serve: Serve) -> None:
    def endless(connection: socket.socket, _head: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    assert problem_of(serve(endless).url).code == "network-too-large"


@pytest.mark.parametrize(
    "endless", [b"X-Header: more\r\n", b"x" * 1000], ids=["endless headers", "endless header line"]
)
def test_endless_headers_are_cut_off__FEED_2(serve: Serve, endless: bytes) -> None:
    def talk(connection: socket.socket, _head: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(endless)

    assert problem_of(serve(talk).url).code == "network-protocol"


def test_compression_that_nobody_asked_for_is_refused__FEED_2(serve: Serve) -> None:
    answer = reply(b"\x1f\x8b", extra="Content-Encoding: gzip\r\n")
    assert problem_of(serve(answer).url).code == "network-encoding"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhalf",
        b"",
    ],
    ids=["half a body", "half a chunk", "nothing at all"],
)
def test_an_answer_that_breaks_off_is_no_answer(serve: Serve, answer: bytes) -> None:
    assert problem_of(serve(answer).url).code == "network-broken"


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH_9.6\r\n", b"\0" * 100 + b"\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_what_speaks_no_http_is_said(serve: Serve, answer: bytes) -> None:
    assert problem_of(serve(answer).url).code == "network-protocol"


# --- time


def elapsed_of(url: str) -> float:
    before = time.monotonic()
    assert problem_of(url, SOON).code == "network-timeout"
    return time.monotonic() - before


def drip(start: bytes, drop: bytes) -> Answer:
    def talk(connection: socket.socket, _head: bytes) -> None:
        pause = threading.Event()
        connection.sendall(start)
        while not pause.wait(0.02):
            connection.sendall(drop)

    return talk


@pytest.mark.parametrize(
    ("start", "drop"),
    [
        (b"", b""),
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["silence", "status line", "header", "body", "body without length", "chunks", "continue"],
)
def test_a_dripping_server_meets_the_deadline__FEED_2(serve: Serve, start: bytes, drop: bytes) -> None:
    assert elapsed_of(serve(drip(start, drop)).url) < SOON + 1.0


def test_a_silent_tls_handshake_meets_the_deadline__FEED_2(serve: Serve) -> None:
    server = serve(drip(b"\x16", b""))
    assert elapsed_of(f"https://127.0.0.1:{server.port}") < SOON + 1.0


def test_a_full_backlog_meets_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        waiting = []
        for _ in range(4):  # nobody accepts: further connections get no answer at all
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(server.getsockname())
            waiting.append(client)
        assert elapsed_of(f"http://127.0.0.1:{server.getsockname()[1]}") < SOON + 1.0
        for client in waiting:
            client.close()


def test_a_hanging_resolver_meets_the_deadline__FEED_10(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: released.wait(10))
    assert elapsed_of("https://feed.example.test") < SOON + 1.0
    released.set()


def test_a_deadline_that_has_passed_opens_no_connection(serve: Serve) -> None:
    server = serve(reply(b"{}"))
    assert problem_of(server.url, -1.0).code == "network-timeout"
    assert server.heads == []


def test_a_reader_who_stops_early_frees_the_connection(serve: Serve) -> None:
    chunks = network().fetch(serve(reply(b"x" * 200_000)).url, time.monotonic() + 5, 10**6)
    assert next(chunks)
    chunks.close()  # type: ignore[attr-defined]
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join(1.0)
            assert not thread.is_alive()


# --- the daemon's health


def test_the_daemon_s_health_is_read_with_a_socket__PRF_2(serve: Serve) -> None:
    server = serve(reply(b'{"status": "ok"}'))
    assert local_health("127.0.0.1", server.port, 2.0) == (200, b'{"status": "ok"}')
    assert server.heads[0].startswith(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1:")


def test_an_unhealthy_daemon_s_body_is_read_too(serve: Serve) -> None:
    assert local_health("127.0.0.1", serve(reply(b"{}", status="503 X")).port, 2.0) == (503, b"{}")


def test_a_daemon_that_listens_everywhere_is_asked_here(serve: Serve) -> None:
    assert local_health("0.0.0.0", serve(reply(b"{}")).port, 2.0)[0] == 200


def test_a_kept_open_connection_is_not_waited_for(serve: Serve) -> None:
    def keeps_open(connection: socket.socket, _head: bytes) -> None:
        connection.sendall(reply(b"{}"))
        connection.recv(1)

    before = time.monotonic()
    assert local_health("127.0.0.1", serve(keeps_open).port, 5.0) == (200, b"{}")
    assert time.monotonic() - before < 2.0


@pytest.mark.parametrize(
    "answer", [b"", b"SSH-2.0-OpenSSH_9.6\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200"]
)
def test_something_else_on_the_daemon_s_port(serve: Serve, answer: bytes) -> None:
    with pytest.raises(NetworkProblem) as caught:
        local_health("127.0.0.1", serve(answer).port, 2.0)
    assert caught.value.code == "network-protocol"


@pytest.mark.parametrize("drop", [b"", b"x"])
def test_a_daemon_that_hangs_meets_the_timeout(serve: Serve, drop: bytes) -> None:
    before = time.monotonic()
    with pytest.raises(NetworkProblem) as caught:
        local_health("127.0.0.1", serve(drip(b"", drop)).port, SOON)
    assert caught.value.code == "network-timeout"
    assert time.monotonic() - before < SOON + 1.0


def test_no_daemon_at_all() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(NetworkProblem) as caught:
        local_health("127.0.0.1", port, 2.0)
    assert caught.value.code == "network-refused"
