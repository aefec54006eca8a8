"""Asking a daemon how it is by its private socket, with no import but a socket (PRF-2).

The build copies this file to the top of the artefact, where `health` finds it before any of our packages.
"""

PATIENCE = 0.5  # seconds in all; who asks again has more
BUDGET = 1 << 16  # bytes


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def asked(path: "str | bytes", monotonic: "Callable[[], float]") -> "bytes | None":
    """The body of its answer where it is well. None: ask in the long way (`http.py`). Raises OSError, and
    ValueError once the patience is over."""
    import _socket

    end = monotonic() + PATIENCE
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        connection.settimeout(PATIENCE)
        connection.connect(path)
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        told, more = b"", b"more"
        while more and len(told) < BUDGET:
            connection.settimeout(end - monotonic())
            more = connection.recv(BUDGET)
            told += more
    finally:
        connection.close()
    head, _, body = told.partition(b"\r\n\r\n")
    promised = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0].strip()
    well = head.startswith(b"HTTP/1.1 200 ") and promised == str(len(body)).encode() and b'"status"' in body
    return body if well else None
