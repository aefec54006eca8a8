"""Reading from the network, against servers that misbehave (FEED-2, VCHK-03). Real sockets, no waiting
but where the deadline itself is on trial."""

import http.server
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.wire import Answer, Server, reply
from waiaas import __version__
from waiaas.host.clock import Clock
from waiaas.host.http import Network, local_health
from waiaas.host.problems import HttpStatus, NetworkProblem

SOON = 0.2  # seconds: a deadline on trial


@pytest.fixture
def serve() -> Iterator["Serve"]:
    servers: list[Server] = []

    def start(answer: Answer | bytes) -> Server:
        servers.append(Server(answer))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


Serve = Callable[[Answer | bytes], Server]


def network(**environ: str) -> Network:
    return Network(environ, Clock())


def problem_of(url: str, seconds: float = 5.0, budget: int = 10_000, **environ: str) -> NetworkProblem:
    with pytest.raises(NetworkProblem) as caught:
        network(**environ).get(url, seconds, budget)
    assert caught.value.message
    assert "\n" not in caught.value.message
    return caught.value


# --- what is asked and answered


def test_the_body_is_what_was_sent(serve: Serve) -> None:
    body = bytes(range(256)) * 1000
    assert network().get(serve(reply(body)).url, 5.0, len(body)) == body


def test_the_request_says_the_version_and_nothing_of_who_asks__FEED_7(serve: Serve) -> None:
    server = serve(reply(b"{}"))
    network().get(f"{server.url}/metadata/1.root.json", 5.0, 100)
    first, *headers = server.heads[0].decode().strip().split("\r\n")
    assert first == "GET /metadata/1.root.json HTTP/1.1"
    assert sorted(headers) == [
        "Accept-Encoding: identity",
        "Connection: close",
        f"Host: 127.0.0.1:{server.port}",
        f"User-Agent: waiaas/{__version__}",
    ]


def test_a_body_without_a_length_ends_with_the_connection(serve: Serve) -> None:
    assert network().get(serve(b"HTTP/1.0 200 OK\r\n\r\n{}").url, 5.0, 100) == b"{}"


def test_chunks_are_joined(serve: Serve) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert network().get(serve(head + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n").url, 5.0, 100) == b"abcde"


@pytest.mark.parametrize("status", [304, 400, 401, 403, 404, 407, 410, 429, 500, 502, 503, 504, 511])
def test_a_status_is_told_not_retried__VCHK_03(serve: Serve, status: int) -> None:
    server = serve(reply(b"<html>", "text/html", f"{status} X", "Retry-After: 86400\r\n"))
    found = problem_of(server.url)
    assert isinstance(found, HttpStatus)
    assert found.status == status
    assert str(status) in found.message
    assert len(server.heads) == 1


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


# --- redirects


def redirect(target: str, status: str = "302 Found") -> bytes:
    return reply(b"", status=status, extra=f"Location: {target}\r\n")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed(serve: Serve, status: int) -> None:
    goal = serve(reply(b"{}"))
    server = serve(redirect(f"{goal.url}/there", f"{status} X"))
    assert network().get(server.url, 5.0, 100) == b"{}"


def test_a_relative_redirect_is_followed(serve: Serve) -> None:
    def talk(connection: socket.socket, head: bytes) -> None:
        connection.sendall(reply(b"{}") if head.startswith(b"GET /b/d ") else redirect("d"))

    assert network().get(f"{serve(talk).url}/b/c", 5.0, 100) == b"{}"


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "https://127.0.0.1/", "ftp://127.0.0.1/", "data:,x"]
)
def test_no_redirect_to_another_scheme__FEED_2(serve: Serve, target: str) -> None:
    assert problem_of(serve(redirect(target)).url).code == "network-redirect-scheme"


def test_no_redirect_to_plain_http_elsewhere__FEED_2(serve: Serve) -> None:
    assert problem_of(serve(redirect("http://feed.example.test/")).url).code == "network-scheme"


def test_redirects_in_a_circle_end(serve: Serve) -> None:
    server = serve(redirect("/again"))
    assert problem_of(server.url).code == "network-redirects"
    assert len(server.heads) == 6


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


# --- who is to blame


def test_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    found = problem_of(f"http://127.0.0.1:{port}")
    assert (found.code, f"127.0.0.1:{port}" in found.message) == ("network-refused", True)


def test_an_unknown_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    found = problem_of("https://feed.example.test/x")
    assert (found.code, "feed.example.test" in found.message) == ("network-dns", True)


def test_an_unreachable_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", fail)
    assert problem_of("https://127.0.0.1:9").code == "network-unreachable"


def test_a_second_address_is_tried(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(reply(b"{}"))
    with socket.create_server(("127.0.0.1", 0)) as closed:
        dead = closed.getsockname()
    both = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", where) for where in (dead, ("127.0.0.1", server.port))
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: both)
    assert network().get(server.url, 5.0, 100) == b"{}"


def test_tls_where_there_is_none(serve: Serve) -> None:
    server = serve(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    assert problem_of(f"https://127.0.0.1:{server.port}").code == "network-tls"


# --- addresses


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://feed.example.test/", "network-scheme"),
        ("http://127.0.0.1.evil.test/", "network-scheme"),
        ("http://10.0.0.1/", "network-scheme"),
        ("ftp://127.0.0.1/", "network-scheme"),
        ("data:text/plain,x", "network-url"),
        ("//127.0.0.1/x", "network-scheme"),
        ("https://", "network-url"),
        ("https://user:secret@feed.example.test/", "network-url"),
        ("https://feed.example.test:99999/", "network-url"),
        ("https://[::1/", "network-url"),
        ("https://feed.example.test/a b", "network-url"),
        ("https://feed.example.test/\r\nX: y", "network-url"),
        ("https://bücher.test/", "network-url"),
        ("", "network-url"),
    ],
)
def test_addresses_that_are_not_accepted__FEED_2(url: str, code: str) -> None:
    found = problem_of(url)
    assert found.code == code
    assert "secret" not in found.message


def test_offline_means_no_connection_at_all__CLI_6(serve: Serve, tmp_path: Path) -> None:
    server = serve(reply(b"{}"))
    away = Network({}, Clock(), offline=True)
    with pytest.raises(NetworkProblem) as caught:
        away.get(server.url, 5.0, 100)
    assert caught.value.code == "network-offline"
    assert server.heads == []
    (tmp_path / "x").write_bytes(b"data")
    assert away.get((tmp_path / "x").as_uri(), 5.0, 100) == b"data"


# --- files


def test_a_file_is_read_like_any_answer__BNDL_2(tmp_path: Path) -> None:
    place = tmp_path / "a file#1.json"
    place.write_bytes(b"x" * 200_000)
    assert network().get(place.as_uri(), 5.0, 200_000) == b"x" * 200_000
    assert problem_of(place.as_uri(), budget=199_999).code == "network-too-large"


def test_a_missing_file_is_a_404(tmp_path: Path) -> None:
    found = problem_of((tmp_path / "absent").as_uri())
    assert isinstance(found, HttpStatus)
    assert found.status == 404
    (tmp_path / "x").touch()
    assert isinstance(problem_of((tmp_path / "x" / "y").as_uri()), HttpStatus)


def test_a_pipe_or_a_folder_is_no_file_and_hangs_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert problem_of((tmp_path / "pipe").as_uri()).code == "network-file"
    assert problem_of(tmp_path.as_uri()).code == "network-file"


def test_a_file_of_another_machine_is_refused() -> None:
    assert problem_of("file://server/share/x").code == "network-url"
    assert problem_of("file:relative").code == "network-url"


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


class Handler(http.server.SimpleHTTPRequestHandler):
    """Python's own server, as the makers of private feeds use it."""

    def log_message(self, *_: object) -> None:
        return


def test_python_s_own_web_server_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.json").write_bytes(b"{}")
    monkeypatch.chdir(tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        assert network().get(f"{url}/x.json", 5.0, 100) == b"{}"
        assert isinstance(problem_of(f"{url}/absent.json"), HttpStatus)
        server.shutdown()
        thread.join()
