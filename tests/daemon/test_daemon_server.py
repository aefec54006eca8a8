"""A real server on loopback: keep-alive, the private socket, and the end (DMN-2, DMN-4, DMN-5)."""

import json
import os
import socket
import stat
import threading
from pathlib import Path

import pytest

from tests.daemon.daemon_kit import HEALTH, TOKEN, WALLETS, Client, Rig, client_of, get, server_for
from waiaas.core.errors import WaiaasError
from waiaas.core.settings import DaemonSettings
from waiaas.daemon.reply import Response
from waiaas.daemon.server import Server

LOG_LEVEL = "warning"


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


def _await_refused(port: int) -> None:
    """Until the listener is closed."""
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except ConnectionError:
            return
