"""Listening sockets: TCP, and a private Unix socket in the data directory."""

import errno
import os
import socket
import socketserver
from pathlib import Path

from waiaas.core.errors import WaiaasError
from waiaas.core.layout import FILE_MODE
from waiaas.core.words import PORT_TAKEN

BACKLOG = 1024  # connections that the system greets before we do
MAX_UNIX_PATH = 100  # bytes; sockaddr_un has 108


class TcpListener(socketserver.TCPServer):
    """`socketserver` for binding and accepting only: no thread, and no blocking call, is ever its own."""

    allow_reuse_address = True
    request_queue_size = BACKLOG
    private = False

    def __init__(self, hostname: str, port: int) -> None:
        """Raises WaiaasError "port-in-use", "cannot-listen"."""
        try:
            name = hostname.encode() if hostname.isascii() else hostname  # bytes need no codec for IDNA
            found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            self.address_family, address = found[0][0], found[0][4]
            super().__init__(address[:2], socketserver.BaseRequestHandler)  # type: ignore[arg-type]
        except OSError as problem:
            raise _cannot_listen(hostname, port, problem) from problem
        self.socket.setblocking(False)

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    def accept(self) -> socket.socket:
        """The next connection. Raises BlockingIOError, OSError."""
        connection, _ = self.socket.accept()
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def close(self) -> None:
        self.server_close()


class UnixListener(socketserver.UnixStreamServer):
    """For `waiaas health` and administration on this machine, however busy TCP is. Mode 0600."""

    request_queue_size = BACKLOG
    private = True  # its connections are counted apart

    def __init__(self, path: Path) -> None:
        """Replaces what is there: the caller holds the daemon's lock. Raises OSError."""
        self.path = path
        if len(os.fsencode(path)) + 8 > MAX_UNIX_PATH:
            raise OSError(f"the path is longer than a socket's may be: {path}")
        temporary = path.with_name(f".{path.name}.new")
        temporary.unlink(missing_ok=True)
        super().__init__(str(temporary), socketserver.BaseRequestHandler)
        temporary.chmod(FILE_MODE)
        temporary.rename(path)
        self.socket.setblocking(False)

    def accept(self) -> socket.socket:
        """The next connection. Raises BlockingIOError, OSError."""
        connection, _ = self.socket.accept()
        connection.setblocking(False)
        return connection

    def close(self) -> None:
        self.server_close()
        self.path.unlink(missing_ok=True)


Listener = TcpListener | UnixListener


def _cannot_listen(hostname: str, port: int, problem: OSError) -> WaiaasError:
    if problem.errno == errno.EADDRINUSE:
        return WaiaasError(
            "port-in-use",
            f"{PORT_TAKEN} {hostname}:{port}",
            "stop it, or choose another port: waiaas config set daemon.port PORT",
        )
    return WaiaasError(
        "cannot-listen",
        f"cannot listen on {hostname}:{port}: {problem.strerror or problem}",
        "check [daemon] hostname and port: waiaas config get daemon.hostname",
    )
