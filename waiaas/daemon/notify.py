"""Telling the service manager how we are: the sending end of sd_notify(3)."""

import socket
from collections.abc import Mapping

READY = "READY=1"
STOPPING = "STOPPING=1"
MICRO = 1_000_000


def saying(status: str, *states: str) -> str:
    """`states` with one line for people, which `systemctl status` shows."""
    return "\n".join((*states, f"STATUS={status}"))


def patience(seconds: float) -> str:
    """Ask for so many more seconds to start or to stop, should the unit allow fewer."""
    return f"EXTEND_TIMEOUT_USEC={int(seconds * MICRO)}"


def notify(environ: Mapping[str, str], state: str) -> bool:
    """Send `state` to NOTIFY_SOCKET; False where nobody asked for it or nobody listens."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.settimeout(1.0)
            channel.sendto(state.encode(), address)
    except OSError:
        return False
    return True
