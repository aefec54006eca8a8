"""Test doubles for the outside world: a clock that moves when told. Files and SQLite stay real."""

from datetime import UTC, datetime

from waiaas.host.clock import Clock


class FakeClock(Clock):
    """Starts at 2026-11-20T00:00:00Z; `sleep` moves it, nothing waits."""

    def __init__(self, start: float = datetime(2026, 11, 20, tzinfo=UTC).timestamp()) -> None:
        self.time = start
        self.ticks = 0.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.ticks

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        self.ticks += seconds
