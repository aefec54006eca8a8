"""Waiting for a daemon to say that it is ready: the receiving end of sd_notify(3).

The same protocol systemd speaks, so a daemon has one way to announce itself, whoever started it.
Only the word of the process we started counts (SCM_CREDENTIALS).
"""

import os
import select
import socket
import struct
from typing import Self

CREDENTIALS = "3i"  # pid, uid, gid of the sender


class ReadySocket:
    """An abstract Unix datagram socket; `name` goes into the child's NOTIFY_SOCKET."""

    def __init__(self) -> None:
        self.name = f"@waiaas-{os.getpid()}-{os.urandom(8).hex()}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind("\0" + self.name[1:])

    def wait(self, child: "Child", seconds: float) -> str:
        """`ready`, `ended` (the child is gone) or `timeout`, whichever comes first."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        if child.descriptor is not None:
            poll.register(child.descriptor, select.POLLIN)
        events = dict(poll.poll(max(0, int(seconds * 1000))))
        if self._socket.fileno() in events:
            return "ready" if self._is_ready(child.pid) else "again"
        return "ended" if events else "timeout"

    def _is_ready(self, pid: int) -> bool:
        space = socket.CMSG_SPACE(struct.calcsize(CREDENTIALS))
        message, ancillary, _, _ = self._socket.recvmsg(4096, space)
        for level, kind, data in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
                sender = struct.unpack(CREDENTIALS, data[: struct.calcsize(CREDENTIALS)])[0]
                return sender == pid and b"READY=1" in message.split(b"\n")
        return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()


class Child:
    """A process that we started: its pid, and a descriptor that becomes readable when it ends."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        try:
            self.descriptor: int | None = os.pidfd_open(pid)
        except (AttributeError, OSError):
            self.descriptor = None

    def exit_code(self) -> int | None:
        """Its exit code once it has ended (negative: the signal), else None. Reaps it."""
        try:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            return -1
        return os.waitstatus_to_exitcode(status) if pid else None

    def ended(self, seconds: float) -> bool:
        """Wait up to `seconds` for its end."""
        if self.descriptor is None:
            return False
        return bool(select.select([self.descriptor], [], [], max(0.0, seconds))[0])

    def close(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None
