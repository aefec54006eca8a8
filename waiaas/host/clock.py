"""The one clock."""

import time
from datetime import UTC, datetime


class Clock:
    """Wall time in Unix seconds, monotonic time for durations, and waiting."""

    def now(self) -> float:
        return time.time()

    def seconds(self) -> int:
        """Whole Unix seconds, the unit of every time in the database."""
        return int(self.now())

    def utc(self) -> datetime:
        return datetime.fromtimestamp(self.now(), UTC)

    def stamp(self) -> str:
        """`20261120T224100Z`: sorts by time, fits in a file name."""
        return self.utc().strftime("%Y%m%dT%H%M%SZ")

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def iso(seconds: float) -> str:
    """Unix seconds as `2026-11-20T22:41:00Z`. Raises ValueError, OverflowError, OSError."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def shown(seconds: float) -> str:
    """The same for people; what no calendar holds (old databases have any 64-bit number) as it is."""
    try:
        return iso(seconds)
    except (ValueError, OverflowError, OSError):
        return str(seconds)
