"""A real server on loopback: keep-alive, bounds, and clients that misbehave."""

import json
import os
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.daemon.daemon_kit import TOKEN, Client, Rig, client_of, get, rig_in, server_for, until_seen
from tests.fakes import FakeClock
from waiaas.core.errors import WaiaasError
from waiaas.core.settings import DaemonSettings
from waiaas.daemon.listener import TcpListener
from waiaas.daemon.reply import Response
from waiaas.daemon.server import Server, connection_cap

HEALTH = get("/health")
WALLETS = get("/v1/wallets", f"Authorization: Bearer {TOKEN}")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with rig_in(tmp_path, level="warning") as made:
        yield made


@pytest.fixture
def server(rig: Rig) -> Iterator[Server]:
    with server_for(rig) as made:
        yield made


def advance(rig: Rig, seconds: float) -> None:
    """Move the server's clock; its next sweep, a quarter of a real second away at most, sees it."""
    assert isinstance(rig.clock, FakeClock)
    rig.clock.sleep(seconds)


# --- the protocol -----------------------------------------------------------------------------------


def test_a_connection_serves_many_requests__DMN_4(server: Server) -> None:
    with client_of(server) as client:
        for request in (HEALTH, WALLETS, HEALTH, get("/nope"), WALLETS, HEALTH):
            status, headers, body = client.send(request).response()
            assert status in (200, 404)
            assert "connection" not in headers
            json.loads(body)


def test_pipelined_requests_are_answered_in_order__DMN_4(server: Server) -> None:
    with client_of(server) as client:
        client.send(HEALTH + WALLETS + get("/nope") + HEALTH)
        kinds = [client.response()[2] for _ in range(4)]
    assert [b"uptime" in kinds[0], kinds[1], b"not-found" in kinds[2], b"uptime" in kinds[3]] == [
        True,
        b'{"data": []}',
        True,
        True,
    ]


def test_a_response_is_one_segment_of_head_and_body__DMN_4(server: Server) -> None:
    with client_of(server) as client:
        client.send(WALLETS)
        assert client.socket.recv(65536).endswith(b'\r\n\r\n{"data": []}')


@pytest.mark.parametrize(
    ("request_bytes", "connection", "stays"),
    [
        (HEALTH, None, True),
        (get("/health", "Connection: close"), "close", False),
        (get("/v1/wallets", "Connection: close"), "close", False),
        (get("/health", version="1.0"), "close", False),
        (get("/livez", version="1.0"), "close", False),
        (get("/health", "Connection: keep-alive", version="1.0"), "keep-alive", True),
        (b"GET /health HTTP/1.0\r\n\r\n", "close", False),
    ],
)
def test_the_connection_header_is_honoured_and_echoed__DMN_4(
    server: Server, request_bytes: bytes, connection: str | None, stays: bool
) -> None:
    with client_of(server) as client:
        for _ in range(2 if stays else 1):
            assert client.send(request_bytes).response()[1].get("connection") == connection
        if not stays:
            assert client.closed()


def test_head_has_the_headers_and_no_body__DMN_4(server: Server) -> None:
    with client_of(server) as client:
        client.send(b"HEAD /health HTTP/1.1\r\nHost: a\r\n\r\n" + get("/livez"))
        data = b""
        while data.count(b"HTTP/1.1 200") < 2:
            data += client.socket.recv(65536)
    head, _, rest = data.partition(b"\r\n\r\n")
    assert b"Content-Length: 2" in head
    assert rest.startswith(b"HTTP/1.1 200")


def test_a_body_may_come_in_pieces_and_after_100_continue__DMN_4(server: Server) -> None:
    body = b'{"on": true}'
    head = (
        f"POST /v1/admin/kill-switch HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
    ).encode()
    with client_of(server) as client:
        assert client.send(head).response()[0] == 100
        client.send(body[:5]).send(body[5:])
        assert client.response()[0] == 200


def test_half_a_close_still_gets_its_answer__DMN_4(server: Server) -> None:
    with client_of(server) as client:
        client.send(WALLETS + HEALTH)
        client.socket.shutdown(socket.SHUT_WR)
        assert [client.response()[0], client.response()[0]] == [200, 200]
        assert client.closed()


def test_after_a_thousand_requests_the_connection_is_renewed__DMN_5(server: Server) -> None:
    with client_of(server) as client:
        client.send(HEALTH * 1000)
        last = [client.response()[1].get("connection") for _ in range(1000)]
        assert last == [None] * 999 + ["close"]
        assert client.closed()


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


# --- the private socket and the end -----------------------------------------------------------------


def test_a_private_socket_serves_the_same_application__DMN_5(rig: Rig, server: Server) -> None:
    path = server.socket_path
    assert path is not None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        assert Client(connection).send(WALLETS).response()[0] == 200


def test_a_stale_private_socket_is_replaced_and_removed_at_the_end__DMN_5(rig: Rig) -> None:
    path = rig.layout.data_dir / "d.sock"
    path.write_text("left by a kill")
    with server_for(rig) as server:
        assert server.socket_path == path
        assert stat.S_ISSOCK(path.stat().st_mode)
    assert not path.exists()


def test_a_path_too_long_for_a_socket_costs_only_the_socket__DMN_5(rig: Rig) -> None:
    server = Server(rig.app, DaemonSettings(port=0), rig.clock, rig.log, Path("/tmp") / ("x" * 120))
    server.start()
    try:
        assert server.socket_path is None
        with client_of(server) as client:
            assert client.send(HEALTH).response()[0] == 200
    finally:
        server.stop(1.0)


def test_a_port_in_use_says_so__DMN_1(rig: Rig, server: Server) -> None:
    with pytest.raises(WaiaasError) as refused, server_for(rig, port=server.port):
        pass
    assert refused.value.code == "port-in-use"


def test_a_name_that_is_no_address_of_ours_says_so__DMN_1(rig: Rig) -> None:
    with pytest.raises(WaiaasError) as refused, server_for(rig, hostname="192.0.2.1"):
        pass
    assert refused.value.code == "cannot-listen"


def test_stopping_answers_what_is_in_flight_and_takes_nothing_new__DMN_2(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, gate, begun = rig.app.handle, threading.Event(), threading.Event()
    monkeypatch.setattr(rig.app, "handle", lambda r: (begun.set(), gate.wait(10), real(r))[2])
    with server_for(rig) as server, client_of(server) as busy, client_of(server) as idle:
        idle.send(get("/nope", "Connection: keep-alive"))
        busy.send(WALLETS)
        assert begun.wait(10)
        ended: list[bool] = []
        stopper = threading.Thread(target=lambda: ended.append(server.stop(10.0)))
        stopper.start()
        _await_refused(server.port)
        gate.set()
        status, _, _ = busy.response()
        assert (status, busy.closed(), idle.response()[0]) == (200, True, 404)
        stopper.join(10)
        assert ended == [True]


def test_a_second_signal_cuts_off_what_is_in_flight__DMN_2(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, begun = threading.Event(), threading.Event()
    monkeypatch.setattr(rig.app, "handle", lambda _: (begun.set(), gate.wait(10), Response(200))[2])
    with server_for(rig) as server, client_of(server) as client:
        client.send(WALLETS)
        assert begun.wait(10)
        assert server.stop(60.0, lambda: True) is False
        assert client.closed()
        gate.set()


def test_no_descriptor_is_left_behind__DMN_2(rig: Rig) -> None:
    rig.ask("GET", "/health")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with server_for(rig) as server, client_of(server) as client:
            client.send(HEALTH).response()
    assert len(os.listdir("/proc/self/fd")) == before


def _await(true: Callable[[], bool]) -> None:
    pause = threading.Event()
    while not true():
        pause.wait(0.01)


def _await_refused(port: int) -> None:
    """Until the listener is closed."""
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except ConnectionError:
            return
