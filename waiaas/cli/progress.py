"""How far something has come: a bar on a terminal, a few plain lines elsewhere (CLI-4).

`Progress` is told, by a download; `Activity` looks for itself, from a thread, while SQLite or a child is
at work. Nothing is shown of what is done within a second.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

from waiaas.host.clock import Clock
from waiaas.host.effort import bytes_read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from waiaas.cli.output import Output

QUIET_FOR = 1.0  # seconds before anything is shown: what is done by then needs no bar
REDRAW = 0.1  # seconds between two pictures on a terminal
WIDTH = 30  # characters of the bar
PLAIN_STEP = 25  # percent between two plain lines
PLAIN_PAUSE = 30.0  # seconds between two plain lines where nobody knows the end

Show = Callable[[str], None]
Measure = Callable[[], int]


def while_reading(out: "Output", label: str, total: int) -> "AbstractContextManager[object]":
    """Around work of this process that reads about `total` bytes, however it does."""
    begun = bytes_read()
    if begun is None:
        return out.activity(label)
    return out.activity(label, total, lambda: (bytes_read() or begun) - begun)


class Progress:
    """`update` with what is done so far, `done` at the end. `total` 0: nobody knows; then it is time
    that is told."""

    def __init__(
        self,
        show: Show,
        label: str,
        total: int,
        visible: bool,
        terminal: bool,
        clock: Clock | None = None,
    ) -> None:
        self._show, self._label, self._total = show, label, total
        self._visible, self._terminal = visible, terminal
        self._clock = clock or Clock()
        self._began = self._drawn = self._clock.monotonic()
        self._told = 0  # percent of the last plain line
        self._told_at = 0.0  # seconds after the beginning
        self._pictured = False
        self._lock = threading.RLock()

    def update(self, done: int) -> None:
        now = self._clock.monotonic()
        if not self._visible or now - self._began < QUIET_FOR:
            return
        with self._lock:
            if self._terminal:
                self._draw(done, now)
            else:
                self._tell(done, now - self._began)

    def done(self) -> None:
        """Take the bar away; safe to call twice."""
        with self._lock:
            if self._pictured:
                self._show("")
                self._pictured = False

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """While somebody else writes to the terminal."""
        with self._lock:
            self.done()
            yield

    def _draw(self, done: int, now: float) -> None:
        if now - self._drawn < REDRAW:
            return
        self._drawn, self._pictured = now, True
        self._show(
            self._bar(self._percent(done)) if self._total else f"{self._label} {now - self._began:.0f} s"
        )

    def _tell(self, done: int, seconds: float) -> None:
        percent = self._percent(done)
        if self._total and percent >= self._told + PLAIN_STEP:
            self._told = percent - percent % PLAIN_STEP
            self._show(f"{self._label}: {self._told} %")
        elif not self._total and seconds >= self._told_at + PLAIN_PAUSE:
            self._told_at = seconds
            self._show(f"{self._label}: {seconds:.0f} s so far")

    def _percent(self, done: int) -> int:
        return min(100, done * 100 // self._total) if self._total else 0

    def _bar(self, percent: int) -> str:
        filled = WIDTH * percent // 100
        return f"{self._label} [{'#' * filled}{'.' * (WIDTH - filled)}] {percent:3d} %"


class Activity:
    """`with Activity(…):` shows how far the block has come. `measure` says it in the unit of the total,
    and need not be exact; None: only the time is told."""

    def __init__(self, progress: Progress, measure: Measure | None = None) -> None:
        self._progress = progress
        self._measure = measure
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="progress", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._progress.done()

    def _watch(self) -> None:
        while not self._ended.wait(REDRAW):
            self._progress.update(self._measure() if self._measure else 0)
