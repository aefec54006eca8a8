"""Reading from the network and from files: what is asked, where it leads, who is to blame (VCHK-03, BNDL-2).
Real sockets, no waiting."""

import http.server
import os
import socket
import threading
from pathlib import Path

import pytest

from tests.host.conftest import Serve, network, problem_of
from tests.wire import reply
from waiaas import __version__
from waiaas.host.clock import Clock
from waiaas.host.http import Network
from waiaas.host.problems import HttpStatus, NetworkProblem

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
