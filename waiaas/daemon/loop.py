"""The one thread that owns every socket: it waits in a selector and in nothing else.

Bounds (DMN-5): a request must be complete `request_timeout` seconds after its first byte, however it
trickles in; an idle connection lives `idle_timeout` seconds; past `max_connections` those that would
end first make room, and where nobody waits the newcomer gets 503. Connections of the private socket are
counted apart, so that no crowd on TCP can turn `waiaas health` away.
"""

import errno
import selectors
import socket
from collections.abc import Sequence
from contextlib import suppress

from waiaas.core.settings import DaemonSettings
from waiaas.daemon.app import App
from waiaas.daemon.desk import Desk
from waiaas.daemon.doors import Doors
from waiaas.daemon.listener import Listener
from waiaas.daemon.log import Log
from waiaas.daemon.peer import LINGER_SECONDS, MAX_REQUESTS, Peer, State
from waiaas.daemon.pulse import Pulse
from waiaas.daemon.reply import CLOSE, CONTINUE, encode
from waiaas.daemon.wire import BUSY, TOO_MANY, TOO_SLOW, Limits, Refused, Request
from waiaas.host.clock import Clock

PRIVATE = 32  # connections that the private socket may have open; of the descriptors in reserve
GREETED = 64  # connections accepted in one go; the others have waited long enough then
SWEEP = 0.25  # seconds between two looks at the deadlines
MIN_RATE = 65536  # bytes a second at which a client must take a response
DRAIN_READING = 1.0  # seconds a half-sent request is waited for while stopping
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
WAITING = (State.IDLE, State.READING)


class Loop:
    """`run` until stopped. `drain`, `abort` and finished work may come from any thread."""

    def __init__(
        self,
        app: App,
        settings: DaemonSettings,
        clock: Clock,
        log: Log,
        listeners: Sequence[Listener],
        cap: int,
        pulse: Pulse,
    ) -> None:
        self._app, self._clock, self._log = app, clock, log
        self._cap, self._pulse = cap, pulse
        self._limits = Limits(settings.max_request_line, settings.max_headers, settings.max_body)
        self._request_timeout = float(settings.request_timeout)
        self._idle_timeout = float(settings.idle_timeout)
        self._desk = Desk(app, clock, settings.threads)
        self._peers: set[Peer] = set()
        self._privates = 0  # how many of them came through the private socket
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._desk.bell, READ, None)
        self._doors = Doors(self._selector, listeners)
        self._draining = self._aborted = False
        self._now = clock.monotonic()

    @property
    def connections(self) -> dict[str, int]:
        """Open now, by the door they came through; exact to the moment it was asked."""
        return {"tcp": len(self._peers) - self._privates, "private": self._privates}

    def run(self) -> None:
        """Serve until drained or aborted; every socket is closed then."""
        sweep_at = 0.0
        while not self._finished():
            longest = SWEEP if self._peers or self._doors.paused else None
            events, self._now = self._pulse.select(self._selector, longest)
            for key, mask in events:
                self._handle(key.data, mask)
            if self._draining and not self._doors.closed:
                self._close_down()
            if self._now >= sweep_at:
                self._sweep()
                sweep_at = self._now + SWEEP
        self._shut()

    def drain(self) -> None:
        """Accept nothing more, answer what is in flight, then end."""
        self._draining = True
        self._desk.closing = True
        self._desk.ring()

    def abort(self) -> None:
        self._aborted = True
        self._desk.ring()

    def _finished(self) -> bool:
        return self._aborted or (self._draining and self._doors.closed and not self._peers)

    def _handle(self, subject: Peer | Listener | None, mask: int) -> None:
        try:
            if isinstance(subject, Peer):
                self._ready(subject, mask)
            elif subject is None:
                self._finish_work()
            else:
                self._accept(subject)
        except Exception as bug:  # noqa: BLE001 -- one connection fails, the server goes on
            self._log.error(f"connection failed: {bug}", kind=type(bug).__name__)
            if isinstance(subject, Peer):
                self._close(subject)

    def _accept(self, listener: Listener) -> None:
        for _ in range(GREETED):
            try:
                connection = listener.accept()
            except BlockingIOError:
                return
            except ConnectionError:
                continue  # it was gone before we took it
            except OSError as problem:
                self._pause(problem)
                return
            self._admit(connection, listener.private)

    def _admit(self, connection: socket.socket, private: bool) -> None:
        peer = Peer(connection, self._now + self._request_timeout, private)
        self._peers.add(peer)
        self._privates += private
        open_now, cap = self._crowd(private)
        if open_now > cap and not self._make_room(peer):
            self._turn_away(peer, answer=True)
        else:
            self._ready(peer, READ)

    def _crowd(self, private: bool) -> tuple[int, int]:
        """Connections of this kind: how many there are, and may be."""
        return (self._privates, PRIVATE) if private else (len(self._peers) - self._privates, self._cap)

    def _pause(self, problem: OSError) -> None:
        """The system has no more descriptors or memory: make some, and breathe."""
        name = errno.errorcode.get(problem.errno or 0, "?")
        self._log.warning(f"cannot accept connections: {problem.strerror}", error=name)
        self._doors.pause(self._now)
        self._make_room(None)
        for connection in self._doors.privately():
            self._admit(connection, private=True)

    def _make_room(self, newcomer: Peer | None) -> bool:
        """Close the sixteenth part of all, those first that have least to lose; False if nobody waits."""
        private = newcomer is not None and newcomer.private
        alike = [peer for peer in self._peers if peer.private is private and peer is not newcomer]
        waiting = sorted((p for p in alike if p.state in (State.LINGERING, *WAITING)), key=Peer.worth)
        _, cap = self._crowd(private)
        for peer in waiting[: max(1, cap // 16)]:
            self._turn_away(peer, answer=peer.state is State.READING)
        return bool(waiting)

    def _ready(self, peer: Peer, mask: int) -> None:
        if peer.state in WAITING:
            if peer.receive():
                self._advance(peer)
            else:
                self._close(peer)
        elif peer.state is State.WRITING and mask & WRITE:
            self._deliver(peer, peer.outbox, not peer.close_after)
        elif peer.state is State.LINGERING and not peer.discard():
            self._close(peer)

    def _advance(self, peer: Peer) -> None:
        """Answer every request that has arrived whole, in order."""
        while peer.state in WAITING:
            try:
                request = peer.next_request(self._limits)
            except Refused as refused:
                self._refuse(peer, refused)
                return
            if request is None:
                self._await(peer)
                return
            peer.served += 1
            keep = request.keep_alive and peer.served < MAX_REQUESTS and not self._draining
            answer = self._app.quick(request, keep)
            if answer is None:
                self._dispatch(peer, request, keep)
                return
            if not self._write(peer, answer, keep):
                return

    def _await(self, peer: Peer) -> None:
        """Wait for more bytes of this request, or for the next one."""
        if peer.ended or (self._draining and not peer.inbox):
            self._close(peer)
            return
        if peer.inbox and peer.state is State.IDLE:
            peer.state = State.READING
            peer.deadline = self._now + self._request_timeout
        if peer.wants_continue():
            peer.send(CONTINUE)
        self._watch(peer, READ)

    def _dispatch(self, peer: Peer, request: Request, keep: bool) -> None:
        peer.state = State.WORKING
        self._watch(peer, 0)  # a selector would report its end over and over
        if not self._desk.submit(peer, request, keep):
            self._refuse(peer, BUSY)

    def _finish_work(self) -> None:
        for peer, data, keep in self._desk.fetch():
            if peer in self._peers:
                self._deliver(peer, data, keep)

    def _deliver(self, peer: Peer, data: bytes, keep: bool) -> None:
        if self._write(peer, data, keep):
            self._advance(peer)

    def _write(self, peer: Peer, data: bytes, keep: bool) -> bool:
        """Send a response; True when the connection is ready for its next request."""
        if not peer.send(data):
            self._close(peer)
            return False
        if peer.outbox:
            if peer.state is not State.WRITING:  # the deadline is for the whole response
                peer.deadline = self._now + self._request_timeout + len(peer.outbox) / MIN_RATE
            peer.close_after = not keep
            peer.state = State.WRITING
            self._watch(peer, WRITE)
            return False
        if not keep:
            self._close(peer)
            return False
        peer.state = State.IDLE
        peer.deadline = self._now + self._idle_timeout
        return True

    def _refuse(self, peer: Peer, refused: Refused) -> None:
        """Answer, stop sending, and swallow what the client still sends, so that it sees the answer."""
        if not peer.send(self._refusal(refused)) or peer.outbox or peer.ended:
            self._close(peer)
            return
        peer.state = State.LINGERING
        peer.inbox = b""
        peer.deadline = self._now + LINGER_SECONDS
        with suppress(OSError):
            peer.socket.shutdown(socket.SHUT_WR)
        self._watch(peer, READ)

    def _turn_away(self, peer: Peer, answer: bool) -> None:
        """Close at once: to linger would take the place that we do not have. What the client has sent is
        read, else a reset would eat the answer."""
        if answer and peer.receive():
            peer.send(self._refusal(TOO_MANY))
        self._close(peer)

    def _refusal(self, refused: Refused) -> bytes:
        return encode(self._app.refuse(refused), self._clock.now(), connection=CLOSE)

    def _sweep(self) -> None:
        self._doors.resume(self._now)
        for peer in [peer for peer in self._peers if peer.deadline <= self._now]:
            if peer.state is State.READING:
                peer.send(self._refusal(TOO_SLOW))
            if peer.state is not State.WORKING:
                self._close(peer)

    def _close_down(self) -> None:
        """Take whom the system has already greeted, then close the doors and the idle connections."""
        for connection, private in self._doors.waiting():
            self._admit(connection, private)
        self._doors.close()
        for peer in list(self._peers):
            if peer.state is State.IDLE:
                self._ready(peer, READ)
            if peer.state in (State.IDLE, State.LINGERING):
                self._close(peer)
            elif peer.state is State.READING:
                peer.deadline = min(peer.deadline, self._now + DRAIN_READING)

    def _shut(self) -> None:
        self._doors.close()
        for peer in list(self._peers):
            self._close(peer)
        self._selector.close()
        self._desk.stop()

    def _watch(self, peer: Peer, mask: int) -> None:
        if peer.watched == mask:
            return
        if not mask:
            self._selector.unregister(peer.socket)
        elif peer.watched:
            self._selector.modify(peer.socket, mask, peer)
        else:
            self._selector.register(peer.socket, mask, peer)
        peer.watched = mask

    def _close(self, peer: Peer) -> None:
        if peer not in self._peers:
            return
        self._peers.discard(peer)
        self._privates -= peer.private
        if peer.watched:
            self._watch(peer, 0)
        peer.socket.close()
