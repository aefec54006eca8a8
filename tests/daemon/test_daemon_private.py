"""The private socket: however crowded TCP is, a health poll of this machine is answered (DMN-5)."""

import json
import os
import socket
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.daemon.daemon_kit import HEALTH, WALLETS, Client, Rig, client_of, rig_in, server_for, until_seen
from waiaas.cli import health as command
from waiaas.cli.flags import Flags
from waiaas.core.errors import NotReady, WaiaasError
from waiaas.daemon.listener import UnixListener
from waiaas.daemon.loop import PRIVATE
from waiaas.daemon.reply import Response
from waiaas.daemon.server import Server
from waiaas.host.http import local_health
from waiaas.host.problems import NetworkProblem

LOG_LEVEL = "warning"


def privately(server: Server) -> Client:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(10)
    connection.connect(str(server.socket_path))
    return Client(connection)


def ask(server: Server, port: int | None = None) -> tuple[int, bytes]:
    return local_health("127.0.0.1", port or server.port, 5.0, private=str(server.socket_path))


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def test_health_is_asked_privately_and_over_tcp_where_that_cannot_be__DMN_5(rig: Rig, tmp_path: Path) -> None:
    with server_for(rig) as server:
        status, body = ask(server, closed_port())
        assert (status, json.loads(body)["status"]) == (200, "ok")
        for absent in (None, "", str(tmp_path / "absent"), str(tmp_path), "/" + "x" * 200, "a\0b"):
            assert local_health("127.0.0.1", server.port, 5.0, private=absent)[0] == 200
    with pytest.raises(NetworkProblem) as caught:
        ask(server)
    assert caught.value.code == "network-refused"


def test_a_private_socket_that_hangs_meets_the_timeout__DMN_5(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(tmp_path / "s"))
        deaf.listen()
        with pytest.raises(NetworkProblem) as caught:
            local_health("127.0.0.1", closed_port(), 0.1, private=str(tmp_path / "s"))
    assert caught.value.code == "network-timeout"


def test_where_tcp_has_no_room_the_private_socket_has__DMN_5(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every connection that may be open is at work, so a newcomer on TCP is turned away."""
    real, gate = rig.app.handle, threading.Event()
    monkeypatch.setattr(
        rig.app, "handle", lambda r: real(r) if r.path == "/health" else (gate.wait(10), real(r))[1]
    )
    with server_for(rig, max_connections=16, threads=4) as server, ExitStack() as stack:
        busy = [stack.enter_context(client_of(server)).send(WALLETS) for _ in range(16)]
        until_seen(server)
        with client_of(server) as newcomer:
            assert newcomer.response()[0] == 503
        for _ in range(3):
            assert ask(server)[0] == 200
        gate.set()
        assert [client.response()[0] for client in busy] == [200] * 16


def test_the_private_socket_is_bounded_too_and_its_crowd_harms_nobody_on_tcp__DMN_5(rig: Rig) -> None:
    with server_for(rig, max_connections=16) as server, ExitStack() as stack:
        public = stack.enter_context(client_of(server))
        assert public.send(HEALTH).response()[0] == 200
        crowd = [privately(server) for _ in range(3 * PRIVATE)]
        for client in crowd:
            stack.callback(client.socket.close)
        assert ask(server)[0] == 200
        assert server._loop is not None
        assert server._loop._privates <= PRIVATE
        assert public.send(HEALTH).response()[0] == 200
        assert len(server._loop._peers) - server._loop._privates == 1


def test_the_first_descriptor_that_is_freed_goes_to_the_private_socket__DMN_5(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's clock stands still, so the pause after EMFILE never ends here."""
    real, calls = UnixListener.accept, []

    def exhausted(self: UnixListener) -> socket.socket:
        calls.append(1)
        if len(calls) == 1:
            raise OSError(24, "Too many open files")
        return real(self)

    monkeypatch.setattr(UnixListener, "accept", exhausted)
    with server_for(rig) as server:
        client = privately(server)
        assert client.send(HEALTH).response()[0] == 200
        client.socket.close()
        assert len(calls) == 2


def test_no_health_poll_is_ever_too_many__HLTH_02(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty at once, while the one look at the database takes its time."""
    real, gate = rig.app.handle, threading.Event()
    monkeypatch.setattr(rig.app, "handle", lambda r: (gate.wait(10), real(r))[1])
    with server_for(rig) as server, ExitStack() as stack:
        crowd = [stack.enter_context(client_of(server)).send(HEALTH) for _ in range(60)]
        gate.set()
        assert [client.response()[0] for client in crowd] == [200] * 60


def test_a_large_answer_over_the_private_socket_arrives_whole__DMN_4(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rig.app, "handle", lambda _: Response(200, b"x" * 3_000_000))
    with server_for(rig) as server:
        client = privately(server)
        assert len(client.send(WALLETS).response()[2]) == 3_000_000
        client.socket.close()


# --- `waiaas health`


def poll(folder: Path) -> int:
    return int(command.answer([], Flags(data_dir=str(folder)), {}).exit_code)


@pytest.mark.parametrize("name", ["plain", 'a "quoted" é \\ name'])
def test_the_command_asks_the_socket_of_daemon_json__DMN_5(name: str) -> None:
    """In a folder of its own near the root: the path of a Unix socket has 107 bytes."""
    with tempfile.TemporaryDirectory() as near:
        _ask_the_socket(Path(near) / name)


def _ask_the_socket(folder: Path) -> None:
    folder.mkdir()
    with rig_in(folder, level="warning") as rig, server_for(rig) as server:
        known = {"pid": 1, "hostname": "127.0.0.1", "port": closed_port(), "socket": str(server.socket_path)}
        (folder / "daemon.json").write_text(json.dumps(known))
        assert poll(folder) == 0
        (folder / "daemon.json").write_text(json.dumps({**known, "socket": None}))
        with pytest.raises(NotReady):
            poll(folder)
        (folder / "daemon.json").write_text(json.dumps({**known, "socket": None, "port": server.port}))
        assert poll(folder) == 0


def test_a_daemon_that_was_killed_is_not_running_whoever_has_its_port_now__CLI_3(
    rig: Rig, tmp_path: Path
) -> None:
    """Its daemon.json and its socket are left behind, and another daemon took the port."""
    stale, folder = tmp_path / "stale.sock", tmp_path / "other"
    folder.mkdir()
    (folder / "config.toml").touch()
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(stale))
    with server_for(rig) as server:
        known = {"pid": 1, "hostname": "127.0.0.1", "port": server.port}
        for left in (stale, tmp_path / "deleted.sock"):
            (folder / "daemon.json").write_text(json.dumps({**known, "socket": str(left)}))
            with pytest.raises(NotReady) as caught:
                poll(folder)
            assert (caught.value.code, caught.value.exit_code) == ("not-running", 3)
        url = f"http://127.0.0.1:{server.port}"
        assert command.answer(["--url", url], Flags(data_dir=str(folder)), {}).exit_code == 0
        elsewhere = "/not-mounted-here/daemon.sock"  # as the daemon in a container calls it
        (folder / "daemon.json").write_text(json.dumps({**known, "socket": elsewhere}))
        assert poll(folder) == 0


def test_a_pipe_for_a_daemon_json_is_not_waited_for__CLI_2(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "daemon.json")
    with pytest.raises(NotReady):
        poll(tmp_path)


@pytest.mark.parametrize(
    "known",
    [
        b"",
        b"\xff\xfe\x00",
        b'{"port": "\xc2\xb2"}',
        b'{"port": 99999, "hostname": "127.0.0.1", "socket": "/\\x"}',
        b'{"port": 99999, "hostname": "127.0.0.1", "socket": null}',
        b'{"port": 1, "hostname": "' + b"a" * 300 + b'", "socket": []}',
        b'{"port": 1, "socket": "\\u0000"}',
    ],
)
def test_a_daemon_json_of_nobody_s_making_is_no_daemon__CLI_2(tmp_path: Path, known: bytes) -> None:
    (tmp_path / "config.toml").touch()
    (tmp_path / "daemon.json").write_bytes(known)
    with pytest.raises(WaiaasError):
        poll(tmp_path)
