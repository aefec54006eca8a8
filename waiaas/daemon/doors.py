"""The listening sockets as the loop sees them: open, shut for a moment, or closed for good."""

import selectors
import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress

from waiaas.daemon.listener import BACKLOG, Listener

PAUSE = 0.1  # seconds without accepting after the system refused: EMFILE would spin otherwise


class Doors:
    """`paused` says that the loop must come back by itself, because nobody can knock."""

    def __init__(self, selector: selectors.BaseSelector, listeners: Sequence[Listener]) -> None:
        self._selector = selector
        self._listeners = list(listeners)
        self._resume_at: float | None = None
        self._open()

    @property
    def paused(self) -> bool:
        return self._resume_at is not None

    @property
    def closed(self) -> bool:
        return not self._listeners

    def pause(self, now: float) -> None:
        if not self.paused:
            for listener in self._listeners:
                self._selector.unregister(listener.socket)
        self._resume_at = now + PAUSE

    def resume(self, now: float) -> None:
        """Open again once the pause is over."""
        if self._resume_at is not None and now >= self._resume_at:
            self._open()

    def waiting(self) -> Iterator[tuple[socket.socket, bool]]:
        """Everybody whom the system has greeted already and nobody has let in; True: privately."""
        for listener in self._listeners:
            with suppress(OSError):
                for _ in range(BACKLOG):  # those who come while we look could keep us for ever
                    yield listener.accept(), listener.private

    def privately(self) -> Iterator[socket.socket]:
        """Whoever waits longest at the private socket: let in first when there is hardly any room."""
        for listener in self._listeners:
            if listener.private:
                with suppress(OSError):
                    yield listener.accept()

    def close(self) -> None:
        for listener in self._listeners:
            if not self.paused:
                self._selector.unregister(listener.socket)
            listener.close()
        self._listeners = []
        self._resume_at = None

    def _open(self) -> None:
        for listener in self._listeners:
            self._selector.register(listener.socket, selectors.EVENT_READ, listener)
        self._resume_at = None
