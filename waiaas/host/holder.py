"""The daemon, recognised by the lock that it holds."""

import os
from pathlib import Path

from waiaas.host.clock import Clock
from waiaas.host.records import holder, rightful_holder

LOOK = 0.1  # seconds between two looks where the kernel has no pidfds


class Holder:
    """The process that holds a lock, pinned so that its pid cannot be re-used under us (DIR-2)."""

    def __init__(self, pid: int, lock: Path, descriptor: int | None) -> None:
        self.pid = pid
        self._lock = lock
        self._descriptor = descriptor

    def signal(self, number: int) -> None:
        """Signal it; a process that is gone already is no error."""
        from signal import pidfd_send_signal

        try:
            if self._descriptor is None:
                os.kill(self.pid, number)
            else:
                pidfd_send_signal(self._descriptor, number)
        except ProcessLookupError:
            return

    def wait(self, seconds: float) -> bool:
        """True once it has ended, or, without a pidfd, has let go of the lock; False after `seconds`."""
        if self._descriptor is None:
            return Clock().until(lambda: holder(self._lock) != self.pid, seconds, LOOK)
        from select import select

        return bool(select([self._descriptor], [], [], max(0.0, seconds))[0])

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def lock_holder(lock: Path, uid: int | None = None) -> Holder | None:
    """Pin the process that holds `lock`: found by the lock itself, re-checked after pinning, and only if it
    is the rightful one (`records.py`), for it is not ours to signal another. Else None."""
    pid = holder(lock)
    if not pid:
        return None
    try:
        descriptor: int | None = os.pidfd_open(pid)
    except (AttributeError, OSError):
        descriptor = None
    found = Holder(pid, lock, descriptor)
    if rightful_holder(lock, uid) == pid:
        return found
    found.close()
    return None
