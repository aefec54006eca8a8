"""A daemon's parts on a real database in a temporary folder, with a clock that moves when told."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from tests.fakes import FakeClock
from waiaas.core.layout import Layout
from waiaas.core.settings import DaemonSettings
from waiaas.daemon.app import App
from waiaas.daemon.database import Database
from waiaas.daemon.guard import HostGuard, TokenGuard
from waiaas.daemon.log import Log, StreamSink
from waiaas.daemon.metrics import Metrics
from waiaas.daemon.parts import Parts
from waiaas.daemon.probe import Probe
from waiaas.daemon.reply import Response
from waiaas.daemon.server import Server
from waiaas.daemon.wire import Request
from waiaas.daemon.workers import Workers
from waiaas.host.clock import Clock
from waiaas.host.files import Files
from waiaas.store import schema

TOKEN = "0123456789abcdef0123456789abcdef"
ETHEREUM = "0x00112233445566778899aabbccddeeff00112233"
SWITCH = "/v1/admin/kill-switch"


class Lines:
    """A sink that remembers."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, line: str) -> None:
        self.lines.append(line)


def layout_in(folder: Path) -> Layout:
    """A data directory with a new database and a token."""
    layout = Layout(folder, folder / "data" / "waiaas.db", folder / "config.toml")
    layout.database.parent.mkdir(parents=True, exist_ok=True)
    schema.create(Files(), Clock(), layout.database)
    layout.admin_token.write_text(TOKEN + "\n")
    return layout


@dataclass
class Rig:
    """An application without a server."""

    layout: Layout
    clock: Clock
    database: Database
    probe: Probe
    workers: Workers
    sink: Lines
    probation: list[bool] = field(default_factory=lambda: [False])
    app: App = field(init=False)
    parts: Parts = field(init=False)
    log: Log = field(init=False)

    def ask(
        self, method: str, target: str, body: object = None, *, token: str | None = TOKEN, **headers: str
    ) -> Response:
        path, _, query = target.partition("?")
        given = {"host": "localhost:3100", **{name.replace("_", "-"): text for name, text in headers.items()}}
        if token is not None:
            given["authorization"] = f"Bearer {token}"
        data = b""
        if body is not None:
            given.setdefault("content-type", "application/json")
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.app.handle(Request(method, path, query, given, data))

    def json(self, method: str, target: str, body: object = None, **more: Any) -> tuple[int, Any]:
        response = self.ask(method, target, body, **more)
        return response.status, json.loads(response.body)


@contextmanager
def rig_in(folder: Path, clock: Clock | None = None, level: str = "debug") -> Iterator[Rig]:
    clock = clock or FakeClock()
    layout = layout_in(folder)
    database = Database(layout.database)
    probation = [False]
    sink = Lines()
    log = Log(clock, sink, level)
    log.hide(TOKEN)
    workers = Workers(log, clock)
    probe = Probe(database, clock, lambda: probation[0])
    rig = Rig(layout, clock, database, probe, workers, sink, probation)
    rig.log = log
    rig.parts = Parts(
        clock, layout, log, database, probe, workers, Metrics(), lambda: probation[0], lambda: 3100
    )
    rig.app = App(rig.parts, HostGuard(["127.0.0.1", "wallet.example"]), TokenGuard(TOKEN))
    try:
        yield rig
    finally:
        workers.stop_all()
        database.close()


@contextmanager
def server_for(rig: Rig, **settings: Any) -> Iterator[Server]:
    """A real server on a free port of loopback."""
    values = {"port": 0, "threads": 4, "max_connections": 64, **settings}
    private = rig.layout.data_dir / "d.sock"
    server = Server(rig.app, DaemonSettings(**values), rig.clock, rig.log, private)
    server.start()
    try:
        yield server
    finally:
        server.stop(2.0, lambda: True)


@dataclass
class Client:
    """A raw socket: what is sent is exactly what was said."""

    socket: socket.socket
    buffer: bytes = b""

    def send(self, data: bytes) -> "Client":
        self.socket.sendall(data)
        return self

    def response(self) -> tuple[int, dict[str, str], bytes]:
        """The next response: status, headers in lower case, body. Raises EOFError at the end."""
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
        length = int(headers.get("content-length", "0"))
        while len(self.buffer) < length:
            self._more()
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return int(lines[0].split()[1]), headers, body

    def closed(self) -> bool:
        """True when the server ends the connection without saying more."""
        try:
            return self.buffer == b"" and self.socket.recv(1) == b""
        except ConnectionError:
            return True

    def _more(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise EOFError(self.buffer)
        self.buffer += data


@contextmanager
def client_of(server: Server) -> Iterator[Client]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        yield Client(connection)


def until_seen(server: Server) -> None:
    """Until the server has looked at everything that was sent before: the second look comes after it. What
    is no HTTP is answered at once, whatever else is at work."""
    for _ in range(2):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(server.socket_path))
            assert Client(connection).send(b"NOT HTTP\r\n\r\n").response()[0] == 400


def get(path: str, *lines: str, version: str = "1.1") -> bytes:
    head = [f"GET {path} HTTP/{version}", "Host: localhost", *lines]
    return "\r\n".join(head).encode() + b"\r\n\r\n"


HEALTH = get("/health")
WALLETS = get("/v1/wallets", f"Authorization: Bearer {TOKEN}")


def text_log(level: str = "info", form: str = "text") -> tuple[Log, StringIO]:
    stream = StringIO()
    return Log(FakeClock(), StreamSink(stream), level, form), stream
