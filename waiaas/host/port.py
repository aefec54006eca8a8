"""Whether a daemon could listen at an address."""

import errno
import socket


def taken(hostname: str, port: int) -> bool:
    """Another program listens there. False where that cannot be told: whoever listens will say why not."""
    try:
        found = socket.getaddrinfo(hostname, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, address = found[0][0], found[0][4]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the daemon does
            probe.bind(address)
    except OSError as problem:
        return problem.errno == errno.EADDRINUSE
    return False
