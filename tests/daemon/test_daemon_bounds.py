"""A real server on loopback: its bounds, and clients that misbehave (DMN-5)."""

import json
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from tests.daemon.daemon_kit import HEALTH, WALLETS, Rig, client_of, get, server_for, until_seen
from tests.fakes import FakeClock
from waiaas.daemon.listener import TcpListener
from waiaas.daemon.reply import Response
from waiaas.daemon.server import Server, connection_cap

LOG_LEVEL = "warning"


def advance(rig: Rig, seconds: float) -> None:
    """Move the server's clock; its next sweep, a quarter of a real second away at most, sees it."""
    assert isinstance(rig.clock, FakeClock)
    rig.clock.sleep(seconds)


# --- bounds -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET /" + b"a" * 5000, 414),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20000, 431),
        (b"POST /v1/wallets HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nGET /", 400),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501),
        (b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400),
        (b"GET / HTTP/1.1\nHost: a\n\n", 400),
        (b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ],
)
def test_a_bad_request_is_answered_and_the_connection_closed__DMN_5(
    server: Server, data: bytes, status: int
) -> None:
    with client_of(server) as client:
        found, headers, body = client.send(data + HEALTH).response()
        assert (found, headers["connection"]) == (status, "close")
        assert json.loads(body)["status"] == status
        assert client.closed()


def test_a_refused_upload_sees_its_answer_not_a_reset__DMN_5(server: Server) -> None:
    with client_of(server) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n")
        client.send(b"x" * 500_000)
        assert client.response()[0] == 413


def test_a_dripping_request_ends_at_its_deadline_however_it_drips__DMN_5(rig: Rig) -> None:
    with server_for(rig, request_timeout=5) as server, client_of(server) as client:
        assert client.send(HEALTH).response()[0] == 200
        client.send(b"GET /hea")
        with client_of(server) as other:
            other.send(HEALTH).response()  # by now the first bytes were read
        for _ in range(2):
            advance(rig, 2)
            client.send(b"x")
        advance(rig, 2)
        assert client.response()[0] == 408
        assert client.closed()


def test_an_idle_connection_is_closed_without_a_word__DMN_5(rig: Rig) -> None:
    with server_for(rig, idle_timeout=30) as server, client_of(server) as client:
        client.send(HEALTH).response()
        advance(rig, 31)
        assert client.closed()


def test_a_connection_that_never_speaks_is_closed__DMN_5(rig: Rig) -> None:
    with server_for(rig, request_timeout=5) as server, client_of(server) as client:
        with client_of(server) as other:
            other.send(HEALTH).response()
        advance(rig, 6)
        assert client.closed()


def test_a_client_that_does_not_read_is_cut_off__DMN_5(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rig.app, "handle", lambda _: Response(200, b"x" * 20_000_000))
    with server_for(rig, request_timeout=5) as server, client_of(server) as client:
        client.send(WALLETS)
        client.socket.recv(1000)
        advance(rig, 1000)
        _await(lambda: not server._loop._peers)
        received = 1000
        while data := client.socket.recv(1 << 20):
            received += len(data)
        assert received < 20_000_000


def test_a_large_response_arrives_whole__DMN_4(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rig.app, "handle", lambda _: Response(200, b"x" * 20_000_000))
    with server_for(rig) as server, client_of(server) as client:
        for _ in range(2):
            assert len(client.send(WALLETS).response()[2]) == 20_000_000


def test_three_hundred_idle_and_dribbling_connections_leave_health_answering__DMN_5(rig: Rig) -> None:
    with server_for(rig, max_connections=64) as server, ExitStack() as stack:
        for number in range(300):
            crowd = stack.enter_context(client_of(server))
            if number % 3 == 0:
                crowd.send(b"GET /health HTT")
        before = threading.active_count()
        for _ in range(20):
            with client_of(server) as client:
                assert client.send(HEALTH).response()[0] in (200, 503)
        with client_of(server) as client:
            assert client.send(get("/livez")).response()[0] == 200
        assert threading.active_count() <= before + 2


def test_the_newcomer_is_refused_where_nobody_can_make_room__DMN_5(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    monkeypatch.setattr(rig.app, "handle", lambda _: Response(200 if gate.wait(10) else 500))
    with server_for(rig, max_connections=16, threads=4) as server, ExitStack() as stack:
        busy = [stack.enter_context(client_of(server)).send(WALLETS) for _ in range(16)]
        until_seen(server)
        with client_of(server) as client:
            status, headers, body = client.response()
        gate.set()
        assert (status, headers["connection"]) == (503, "close")
        assert json.loads(body)["code"] == "too-many-connections"
        assert [client.response()[0] for client in busy] == [200] * 16


def test_who_was_turned_away_or_refused_takes_nobody_s_place__DMN_5(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crowd that keeps its connections open after the answer is held to the cap, descriptors and all."""
    real, gate = rig.app.handle, threading.Event()
    monkeypatch.setattr(rig.app, "handle", lambda request: (gate.wait(10), real(request))[1])
    with server_for(rig, max_connections=16, threads=4) as server, ExitStack() as stack:
        busy = [stack.enter_context(client_of(server)).send(WALLETS) for _ in range(12)]
        refused = [stack.enter_context(client_of(server)).send(b"NOT HTTP\r\n\r\n") for _ in range(4)]
        assert [client.response()[0] for client in refused] == [400] * 4
        busy += [stack.enter_context(client_of(server)).send(WALLETS) for _ in range(4)]
        until_seen(server)
        for _ in range(20):
            newcomer = stack.enter_context(client_of(server))
            assert newcomer.response()[0] == 503
            assert newcomer.closed()
        assert server.connections["tcp"] == 16
        gate.set()
        assert [client.response()[0] for client in busy] == [200] * 16


def test_health_answers_while_every_thread_is_busy__DMN_5(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    real, gate = rig.app.handle, threading.Event()
    monkeypatch.setattr(
        rig.app, "handle", lambda r: real(r) if r.path == "/health" else (gate.wait(10), real(r))[1]
    )
    with server_for(rig, threads=2) as server, ExitStack() as stack:
        busy = [stack.enter_context(client_of(server)).send(WALLETS) for _ in range(10)]
        for _ in range(3):
            advance(rig, 1)
            with client_of(server) as client:
                assert client.send(HEALTH).response()[0] == 200
        gate.set()
        assert [client.response()[0] for client in busy] == [200] * 10


def test_too_many_waiting_requests_are_refused_at_once__DMN_5(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    monkeypatch.setattr(rig.app, "handle", lambda _: Response(200 if gate.wait(10) else 500))
    with server_for(rig, threads=1) as server, ExitStack() as stack:
        clients = [stack.enter_context(client_of(server)).send(WALLETS) for _ in range(18)]
        status, _, body = clients[-1].response()
        gate.set()
        assert (status, json.loads(body)["code"]) == (503, "busy")
        assert [client.response()[0] for client in clients[:-1]] == [200] * 17


def test_no_more_descriptors_pauses_accepting_instead_of_spinning__DMN_5(
    rig: Rig, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    real = TcpListener.accept

    def exhausted(self: TcpListener) -> socket.socket:
        calls.append(1)
        if len(calls) == 1:
            raise OSError(24, "Too many open files")
        return real(self)

    monkeypatch.setattr(TcpListener, "accept", exhausted)
    with client_of(server) as client:
        client.send(HEALTH)
        _await(lambda: any("EMFILE" in line for line in rig.sink.lines))
        assert calls == [1]
        advance(rig, 1)
        assert client.response()[0] == 200
    assert len(calls) <= 4


def test_a_reset_while_the_answer_is_made_harms_nobody__DMN_5(
    rig: Rig, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, gate, begun = rig.app.handle, threading.Event(), threading.Event()
    monkeypatch.setattr(rig.app, "handle", lambda r: (begun.set(), gate.wait(10), real(r))[2])
    with client_of(server) as client:
        client.send(WALLETS)
        assert begun.wait(10)
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    gate.set()
    with client_of(server) as client:
        assert client.send(WALLETS).response()[0] == 200
    assert rig.sink.lines == []


def test_the_cap_fits_the_descriptors_of_the_process__DMN_5() -> None:
    assert connection_cap(100, 4) == 100
    assert 16 <= connection_cap(10_000_000, 4) < 10_000_000
    assert connection_cap(10_000_000, 4) - connection_cap(10_000_000, 54) == 100


def _await(true: Callable[[], bool]) -> None:
    pause = threading.Event()
    while not true():
        pause.wait(0.01)
