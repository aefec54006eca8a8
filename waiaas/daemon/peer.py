"""One client connection: what it has sent, what it still has to receive, and until when.

    IDLE ──bytes──► READING ──request──► WORKING ──response──► IDLE
                       │ refused            │ socket full
                       ▼                    ▼
                    LINGERING ◄────────── WRITING

Only the server's thread touches a peer. It never blocks.
"""

import socket
from enum import Enum, auto

from waiaas.daemon.wire import Head, Limits, Request, parse_head

CHUNK = 65536  # bytes of one read
MAX_REQUESTS = 1000  # of one connection; then it is closed, so that none lives for ever
MAX_REMEMBERED = 512  # bytes of the last request's head that are kept
LINGER_SECONDS = 2.0  # a refused client may go on sending so long, else a reset eats our answer
LINGER_BYTES = 1 << 20


class State(Enum):
    """IDLE, READING and LINGERING wait for the client's bytes, WRITING for room, WORKING for the pool."""

    IDLE = auto()
    READING = auto()
    WORKING = auto()
    WRITING = auto()
    LINGERING = auto()


class Peer:
    """`deadline` is monotonic; a connection past it is closed. `watched` is what the selector knows."""

    __slots__ = (
        "_head",
        "_seen",
        "close_after",
        "continued",
        "deadline",
        "ended",
        "inbox",
        "lingered",
        "outbox",
        "private",
        "served",
        "socket",
        "state",
        "watched",
    )

    def __init__(self, connection: socket.socket, deadline: float, private: bool = False) -> None:
        self.socket = connection
        self.private = private  # came through the private socket
        self.deadline = deadline
        self.state = State.IDLE
        self.inbox = b""
        self.outbox = b""
        self.served = 0
        self.watched = 0
        self.lingered = 0
        self.ended = False  # the client has sent all it will
        self.continued = False
        self.close_after = False
        self._head: Head | None = None
        self._seen: tuple[bytes, Head] | None = None

    def worth(self) -> tuple[bool, float]:
        """Smallest for whom to close first: who has had an answer, then who would be closed first anyway."""
        return self.state is not State.LINGERING, self.deadline

    def receive(self) -> bool:
        """Take what has come; False when the connection broke."""
        try:
            data = self.socket.recv(CHUNK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if data:
            self.inbox = self.inbox + data if self.inbox else data
        else:
            self.ended = True
        return True

    def discard(self) -> bool:
        """Read and forget while lingering; False when it is time to close."""
        try:
            data = self.socket.recv(CHUNK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.lingered += len(data)
        return bool(data) and self.lingered <= LINGER_BYTES

    def next_request(self, limits: Limits) -> Request | None:
        """The next complete request; None while bytes are missing. Raises `wire.Refused`."""
        head = self._head
        if head is None:
            head = self._read_head(limits) if self.inbox else None
            if head is None:
                return None
        end = head.end + head.length
        if len(self.inbox) < end:
            self._head = head
            return None
        request = head.request
        if head.length:
            request = request._replace(body=self.inbox[head.end : end])
        self.inbox = self.inbox[end:]
        self._head = None
        self.continued = False
        return request

    def _read_head(self, limits: Limits) -> Head | None:
        """A monitor sends the same bytes again and again: what they mean is remembered."""
        seen = self._seen
        if seen is not None and seen[0] == self.inbox:
            return seen[1]
        head = parse_head(self.inbox, limits)
        if head is not None and head.end == len(self.inbox) <= MAX_REMEMBERED and not head.length:
            self._seen = self.inbox, head
        return head

    def wants_continue(self) -> bool:
        """True once for a request that waits for `100 Continue` before it sends its body."""
        head = self._head
        if head is None or not head.expects_continue or self.continued or len(self.inbox) > head.end:
            return False
        self.continued = True
        return True

    def send(self, data: bytes) -> bool:
        """Write as much as fits; the rest is in `outbox`. False when the connection broke."""
        try:
            sent = self.socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            return False
        self.outbox = data[sent:] if sent < len(data) else b""
        return True
