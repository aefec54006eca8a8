"""How far something has come: a bar on a terminal, four plain lines elsewhere (CLI-4)."""

from collections.abc import Callable

from waiaas.host.clock import Clock

QUIET_FOR = 1.0  # seconds before anything is shown: what is done by then needs no bar
REDRAW = 0.1  # seconds between two pictures on a terminal
WIDTH = 30  # characters of the bar
PLAIN_STEP = 25  # percent between two plain lines


class Progress:
    """`update` with what is done so far, `done` at the end. `total` 0: unknown."""

    def __init__(
        self,
        show: Callable[[str], None],
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
        self._pictured = False

    def update(self, done: int) -> None:
        now = self._clock.monotonic()
        if not self._visible or now - self._began < QUIET_FOR:
            return
        percent = min(100, done * 100 // self._total) if self._total else 0
        if self._terminal:
            if now - self._drawn >= REDRAW:
                self._drawn, self._pictured = now, True
                self._show(self._bar(percent))
        elif percent >= self._told + PLAIN_STEP:
            self._told = percent - percent % PLAIN_STEP
            self._show(f"{self._label}: {self._told} %")

    def done(self) -> None:
        """Take the bar away; safe to call twice."""
        if self._pictured:
            self._show("")
            self._pictured = False

    def _bar(self, percent: int) -> str:
        filled = WIDTH * percent // 100
        return f"{self._label} [{'#' * filled}{'.' * (WIDTH - filled)}] {percent:3d} %"
