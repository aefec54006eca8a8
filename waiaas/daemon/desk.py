"""Where the loop hands in requests that may wait for the disk, and fetches the responses."""

import os
from collections import deque
from collections.abc import Iterator
from contextlib import suppress

from waiaas.daemon.app import App
from waiaas.daemon.guard import OPEN_PATHS
from waiaas.daemon.peer import Peer
from waiaas.daemon.pool import Pool
from waiaas.daemon.reply import CLOSE, KEEP, encode
from waiaas.daemon.wire import Request
from waiaas.host.clock import Clock

PROBES = 1 << 17  # health polls that may wait: one a connection, so that none is ever refused (HLTH-02)
STOP_SECONDS = 0.5  # a thread that is still at work then is left behind


class Desk:
    """`bell` becomes readable when there is something to fetch, or when somebody rang."""

    def __init__(self, app: App, clock: Clock, threads: int) -> None:
        self._app = app
        self._clock = clock
        self._pool = Pool("http", threads)
        self._probes = Pool("probe", 1, PROBES)  # its own thread: it answers while all others are busy
        self._done: deque[tuple[Peer, bytes, bool]] = deque()
        self.bell, self._button = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.closing = False  # from now on every response ends its connection

    def submit(self, peer: Peer, request: Request, keep: bool) -> bool:
        """False when too many requests wait already."""
        pool = self._probes if request.path in OPEN_PATHS else self._pool
        return pool.submit(lambda: self._work(peer, request, keep))

    def ring(self) -> None:
        with suppress(OSError):  # full: it rings already; closed: nobody listens any more
            os.write(self._button, b"\0")

    def fetch(self) -> Iterator[tuple[Peer, bytes, bool]]:
        """Finished work: whose, the whole response, whether the connection stays."""
        with suppress(BlockingIOError):
            os.read(self.bell, 4096)
        while self._done:
            yield self._done.popleft()

    def stop(self) -> None:
        self._pool.stop(STOP_SECONDS)
        self._probes.stop(STOP_SECONDS)
        os.close(self.bell)
        bell, self._button = self._button, -1
        os.close(bell)

    def _work(self, peer: Peer, request: Request, keep: bool) -> None:
        """In a thread of a pool."""
        response = self._app.handle(request)
        keep = keep and not self.closing
        connection = CLOSE if not keep else b"" if request.minor else KEEP
        data = encode(response, self._clock.now(), connection=connection, head_only=request.method == "HEAD")
        self._done.append((peer, data, keep))
        self.ring()
