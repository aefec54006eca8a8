"""The watchdog of a service manager: a sign of life from the thread that answers (sd_watchdog_enabled(3)).

Sent by the loop that owns the sockets, between two turns: a loop that hangs sends none, and its process
is killed and started again. Where nobody watches, nothing is sent and nobody is woken for it.
"""

import os
import selectors
from collections.abc import Mapping

from waiaas.daemon.notify import MICRO, notify
from waiaas.host.clock import Clock

ALIVE = "WATCHDOG=1"
Events = list[tuple[selectors.SelectorKey, int]]


class Pulse:
    """Tells the manager twice in the time that it allows."""

    def __init__(self, clock: Clock, environ: Mapping[str, str]) -> None:
        self._clock = clock
        self._environ = environ
        self._every = interval(environ, os.getpid())
        self._due = 0.0

    def select(self, selector: selectors.BaseSelector, longest: float | None) -> tuple[Events, float]:
        """Wait as the selector does, up to `longest` seconds (None: for ever), but not past the next sign
        of life. The events, and the monotonic time of waking up."""
        if self._every is not None:
            left = max(0.0, self._due - self._clock.monotonic())
            longest = left if longest is None else min(longest, left)
        events = selector.select(longest)
        now = self._clock.monotonic()
        if self._every is not None and now >= self._due:
            notify(self._environ, ALIVE)
            self._due = now + self._every
        return events, now


def interval(environ: Mapping[str, str], pid: int) -> float | None:
    """Half of what the manager allows, in seconds; None where it does not watch this process."""
    allowed, meant = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not (allowed.isascii() and allowed.isdigit() and int(allowed)) or meant not in ("", str(pid)):
        return None
    return int(allowed) / MICRO / 2
