"""The daemon, recognised by the lock that it holds."""

import os
from pathlib import Path

from waiaas.host.records import holder


class Holder:
    """The process that holds a lock, pinned so that its pid cannot be re-used under us (DIR-2)."""

    def __init__(self, pid: int, descriptor: int | None) -> None:
        self.pid = pid
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
        """True once it has ended. Without pidfds the caller watches the lock instead."""
        from select import select

        if self._descriptor is None:
            return False
        return bool(select([self._descriptor], [], [], max(0.0, seconds))[0])

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def lock_holder(lock: Path, uid: int | None = None) -> Holder | None:
    """Pin the process that holds `lock`: found by the lock itself, re-checked after pinning,
    and only if it runs as the owner of the lock's folder. Else None. `uid`: who that is, where we are root
    and he could exchange the folder for another one, whose daemon it is not ours to signal (UPGR-14)."""
    pid = holder(lock)
    if not pid:
        return None
    try:
        descriptor: int | None = os.pidfd_open(pid)
    except (AttributeError, OSError):
        descriptor = None
    found = Holder(pid, descriptor)
    expected = lock.parent.stat().st_uid if uid is None else uid
    if holder(lock) == pid and _owner(pid) in (None, expected):
        return found
    found.close()
    return None


def _owner(pid: int) -> int | None:
    try:
        return Path(f"/proc/{pid}").stat().st_uid
    except OSError:
        return None
