"""The one clock."""

import time

TYPE_CHECKING = False  # here and in all that every command needs, an import is paid for at every start
if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

LAST_YEAR = 9999


class Clock:
    """Wall time in Unix seconds, monotonic time for durations, and waiting."""

    def now(self) -> float:
        return time.time()

    def seconds(self) -> int:
        """Whole Unix seconds, the unit of every time in the database."""
        return int(self.now())

    def utc(self) -> "datetime":
        from datetime import UTC, datetime

        return datetime.fromtimestamp(self.now(), UTC)

    def stamp(self) -> str:
        """`20261120T224100Z`: sorts by time, fits in a file name."""
        return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self.now()))

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def until(self, check: "Callable[[], object]", seconds: float, every: float) -> bool:
        """Look `every` so many seconds: True once `check` holds, False if it does not after `seconds`."""
        end = self.monotonic() + seconds
        while not check():
            left = end - self.monotonic()
            if left <= 0:
                return False
            self.sleep(min(every, left))
        return True


def iso(seconds: float) -> str:
    """Unix seconds as `2026-11-20T22:41:00Z`. Raises ValueError, OverflowError, OSError."""
    utc = time.gmtime(seconds)
    if not 1 <= utc.tm_year <= LAST_YEAR:
        raise ValueError(f"{seconds} is beyond the calendar (RFC 3339)")
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", utc)


def shown(seconds: float) -> str:
    """The same for people; what no calendar holds (old databases have any 64-bit number) as it is."""
    try:
        return iso(seconds)
    except (ValueError, OverflowError, OSError):
        return str(seconds)
