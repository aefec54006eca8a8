"""Waiting for a daemon to say that it is ready: the receiving end of sd_notify(3).

The same protocol systemd speaks, so a daemon has one way to announce itself, whoever started it.
Only the word of the process we started counts (SCM_CREDENTIALS). It may ask for more time.
"""

import os
import select
import socket
import struct
from typing import Self

from waiaas.host.clock import Clock

CREDENTIALS = "3i"  # pid, uid, gid of the sender
EXTEND = b"EXTEND_TIMEOUT_USEC="
MICRO = 1_000_000
LONGEST = 3600.0  # seconds that it may ask for at once
LOOK = 0.1  # seconds between two looks at a child where the kernel has no pidfds


class ReadySocket:
    """An abstract Unix datagram socket; `name` goes into the child's NOTIFY_SOCKET."""

    def __init__(self) -> None:
        self.name = f"@waiaas-{os.getpid()}-{os.urandom(8).hex()}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind("\0" + self.name[1:])
        self.asked = 0.0  # seconds from its last word on that the child wants

    def wait(self, child: "Child", seconds: float) -> str:
        """`ready`, `ended` (the child is gone), `timeout`, whichever comes first; `more`: it wants `asked`
        seconds from now; `again`: something else was said."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        if child.descriptor is not None:
            poll.register(child.descriptor, select.POLLIN)
        patience = seconds if child.descriptor is not None else min(seconds, LOOK)
        events = dict(poll.poll(max(0, int(patience * 1000))))
        if self._socket.fileno() in events:
            return self._heard(child.pid)
        if events or child.exit_code() is not None:
            return "ended"
        return "timeout" if patience == seconds else "again"

    def _heard(self, pid: int) -> str:
        space = socket.CMSG_SPACE(struct.calcsize(CREDENTIALS))
        message, ancillary, _, _ = self._socket.recvmsg(4096, space)
        for level, kind, data in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
                sender = struct.unpack(CREDENTIALS, data[: struct.calcsize(CREDENTIALS)])[0]
                return self._understood(message.split(b"\n")) if sender == pid else "again"
        return "again"

    def _understood(self, said: list[bytes]) -> str:
        if b"READY=1" in said:
            return "ready"
        for wish in said:
            amount = wish.removeprefix(EXTEND)
            if amount != wish and amount.isdigit() and len(amount) <= len(str(2**64)):
                self.asked = min(int(amount) / MICRO, LONGEST)
                return "more"
        return "again"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()


class Child:
    """A process that we started: its pid, and a descriptor that becomes readable when it ends; None where
    the kernel has no pidfds."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None
        try:
            self.descriptor: int | None = os.pidfd_open(pid)
        except (AttributeError, OSError):
            self.descriptor = None

    def exit_code(self) -> int | None:
        """Its exit code once it has ended (negative: the signal), else None. Reaps it."""
        if self._code is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                pid, status = self.pid, 1  # SIGHUP: nobody knows
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code

    def ended(self, seconds: float) -> bool:
        """Wait up to `seconds` for its end."""
        if self.descriptor is None:
            return Clock().until(lambda: self.exit_code() is not None, seconds, LOOK)
        return bool(select.select([self.descriptor], [], [], max(0.0, seconds))[0])

    def close(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None
