"""A server of a few lines that does on a socket whatever a test wants: answer, drip, lie, hang.

server = Server(reply(b"{}"))             # fixed bytes, or a function of connection and head
server.url, server.port, server.heads     # where it is, and every request head it was sent
server.received, server.sent              # bytes on the wire, both ways
"""

import socket
import threading
from collections.abc import Callable

Answer = Callable[[socket.socket, bytes], None]


class Server:
    """Listens on loopback until `close`; each connection has a thread and one request."""

    def __init__(self, answer: Answer | bytes) -> None:
        self._answer = answer
        self.heads: list[bytes] = []
        self.sent = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def received(self) -> int:
        return sum(map(len, self.heads))

    def close(self) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection:
            try:
                head = read_head(connection)
                self.heads.append(head)
                if callable(self._answer):
                    self._answer(connection, head)
                else:
                    connection.sendall(self._answer)
                    self.sent += len(self._answer)
            except OSError:
                return


def read_head(connection: socket.socket) -> bytes:
    """Up to the empty line; of a TLS client, its first words."""
    head = b""
    while b"\r\n\r\n" not in head and head[:1] != b"\x16" and (chunk := connection.recv(65536)):
        head += chunk
    return head


def reply(body: bytes, kind: str = "application/json", status: str = "200 OK", extra: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
    return head.encode() + body
