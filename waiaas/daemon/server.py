"""The HTTP server: listeners, the loop's thread, and stopping it in good order (DMN-2)."""

import resource
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from waiaas.core.settings import DaemonSettings
from waiaas.daemon.app import App
from waiaas.daemon.listener import Listener, TcpListener, UnixListener
from waiaas.daemon.log import Log
from waiaas.daemon.loop import Loop
from waiaas.daemon.pulse import Pulse
from waiaas.host.clock import Clock

RESERVED = 64  # descriptors for the private socket, the database, the log, the feed
EACH = 2  # descriptors of a thread: the database and its WAL
SLICE = 0.05  # seconds between two looks whether a second signal forces


class Server:
    """`start` binds and returns; requests are answered from then on."""

    def __init__(
        self,
        app: App,
        settings: DaemonSettings,
        clock: Clock,
        log: Log,
        socket_path: Path | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """`socket_path`: where the private Unix socket goes; `environ`: where a watchdog would be named."""
        self._pulse = Pulse(clock, environ or {})
        self._app = app
        self._settings = settings
        self._clock = clock
        self._log = log
        self._wanted_socket = socket_path
        self._loop: Loop | None = None
        self._ended = threading.Event()
        self.port = 0  # the bound one, once started
        self.socket_path: Path | None = None  # where it could be made

    @property
    def connections(self) -> dict[str, int]:
        """Connections open now, by the door they came through; empty before the start."""
        return self._loop.connections if self._loop else {}

    def start(self) -> None:
        """Raises WaiaasError "port-in-use", "cannot-listen"."""
        tcp = TcpListener(self._settings.hostname, self._settings.port)
        self.port = tcp.port
        listeners: list[Listener] = [tcp]
        private = self._private_listener()
        if private is not None:
            listeners.append(private)
            self.socket_path = private.path
        cap = connection_cap(self._settings.max_connections, self._settings.threads)
        self._loop = Loop(self._app, self._settings, self._clock, self._log, listeners, cap, self._pulse)
        threading.Thread(target=self._serve, args=(self._loop,), name="http", daemon=True).start()

    def stop(self, grace: float, forced: Callable[[], bool] = lambda: False) -> bool:
        """Answer what is in flight for up to `grace` seconds; False if something had to be cut off."""
        if self._loop is None:
            return True
        self._loop.drain()
        end = self._clock.monotonic() + grace
        while not self._ended.wait(SLICE):
            if forced() or self._clock.monotonic() >= end:
                self._loop.abort()
                self._ended.wait(1.5)
                return False
        return True

    def _serve(self, loop: Loop) -> None:
        try:
            loop.run()
        finally:
            self._ended.set()

    def _private_listener(self) -> UnixListener | None:
        if self._wanted_socket is None:
            return None
        try:
            return UnixListener(self._wanted_socket)
        except OSError as problem:
            self._log.warning(f"no private socket: {problem}")
            return None


def connection_cap(wanted: int, threads: int) -> int:
    """As many as were asked for, if the process may open so many files; the soft limit is raised."""
    reserved = RESERVED + EACH * threads
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted + reserved and soft < hard:
        soft = min(wanted + reserved, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(16, min(wanted, soft - reserved))
