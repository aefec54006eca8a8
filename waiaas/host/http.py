"""Reading from the network: bounded in time and bytes, and every failure is one plain sentence.

`Network.fetch` reads https, http on this machine only, and file. The deadline holds for the whole
request, name lookup, TLS handshake and dripping servers included; `host/web.py` says how. That
module and what it imports load with the first request that needs them, since most commands need none.
"""

import os
import stat
from collections.abc import Iterator, Mapping

from waiaas.host.clock import Clock
from waiaas.host.problems import CHUNK, HttpStatus, NetworkProblem, web_page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from socket import socket

HEALTH_BUDGET = 1 << 16  # bytes of a health answer
LOOK_AT = 512  # bytes that tell a web page from release data


class Network:
    """The one way out. `offline` refuses everything but `file:` (CLI-6)."""

    def __init__(self, environ: Mapping[str, str], clock: Clock, offline: bool = False) -> None:
        self._environ = environ
        self._clock = clock
        self.offline = offline

    def fetch(self, url: str, deadline: float, budget: int) -> Iterator[bytes]:
        """The body in chunks. `deadline` is monotonic time, `budget` the most bytes it may have.

        Raises HttpStatus (404 for a missing file too) and NetworkProblem, while iterating. A web
        page where data was asked for is a problem: that is how captive portals answer.
        """
        left = budget
        for number, chunk in enumerate(self._chunks(url, deadline)):
            if number == 0:
                _refuse_web_page(url, chunk)
            left -= len(chunk)
            if left < 0:
                raise NetworkProblem(
                    "network-too-large",
                    f"the answer to {url} is larger than the {budget} bytes it may have",
                    "tell whoever runs the server",
                )
            yield chunk

    def get(self, url: str, seconds: float, budget: int) -> bytes:
        """The whole body at once, within `seconds`. Raises as `fetch` does."""
        return b"".join(self.fetch(url, self._clock.monotonic() + seconds, budget))

    def _chunks(self, url: str, deadline: float) -> Iterator[bytes]:
        if url.lower().startswith("file:"):
            return _read_file(url)
        if self.offline:
            raise NetworkProblem(
                "network-offline",
                "this needs the network, and WAIaaS was told to stay offline",
                "leave out --offline and unset WAIAAS_OFFLINE, or use `waiaas upgrade --from BUNDLE`",
            )
        from waiaas.host import web  # ssl, urllib and threads: only for those who go out

        return web.read(url, deadline, self._clock, self._environ)


def _read_file(url: str) -> Iterator[bytes]:
    from urllib.parse import unquote, urlsplit

    parts = urlsplit(url)
    path = unquote(parts.path)
    if parts.netloc not in ("", "localhost") or not path.startswith("/"):
        raise NetworkProblem("network-url", f"{url} names no file", "write it like file:///srv/feed")
    try:
        # O_NONBLOCK: a FIFO in a feed's folder must not make us wait for ever
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError) as problem:
        raise HttpStatus(f"there is no file {path}", 404, "check the address of the feed") from problem
    except OSError as problem:
        raise _unreadable(path, problem.strerror) from problem
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _unreadable(path, "it is no plain file")
        while chunk := os.read(descriptor, CHUNK):
            yield chunk
    finally:
        os.close(descriptor)


def _unreadable(path: str, why: str | None) -> NetworkProblem:
    return NetworkProblem("network-file", f"cannot read {path}: {why}", f"check the rights of {path}")


def _refuse_web_page(url: str, chunk: bytes) -> None:
    start = chunk[:LOOK_AT].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        raise web_page(url)


def local_health(
    host: str,
    port: int,
    timeout: float,
    clock: Clock | None = None,
    private: str | None = None,
    *,
    sure: bool = False,
) -> tuple[int, bytes]:
    """`GET /health` of a daemon on this machine: status and body, within `timeout` seconds in all.

    `private` is its Unix socket, asked first: it answers however busy TCP is (DMN-5). `sure`: the daemon did
    make that socket, so nobody behind it means no daemon, whoever has its port by now. Made of nothing but
    a socket, because monitoring calls it all day (PRF-2). Raises NetworkProblem.
    """
    from socket import create_connection

    clock = clock or Clock()
    end = clock.monotonic() + timeout
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - told apart, not bound
    name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        with _private(private, timeout, sure) or create_connection((host, port), timeout) as connection:
            connection.sendall(
                f"GET /health HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode("ascii")
            )
            return _health_answer(connection, end, clock)
    except TimeoutError as problem:
        raise NetworkProblem("network-timeout", f"{name} did not answer within {timeout:g} s") from problem
    except (OSError, OverflowError, UnicodeError) as problem:  # the last two: no such port, no such name
        why = getattr(problem, "strerror", None) or str(problem)
        raise NetworkProblem("network-refused", f"nothing answers on {name}: {why}") from problem


def _private(path: str | None, timeout: float, sure: bool) -> "socket | None":
    """Connected to the private socket; None where there is none, or nobody listens: TCP decides then, unless
    we are `sure`. A folder that is not there at all is that of a container, say. Raises OSError."""
    from socket import AF_UNIX, socket

    if not path:
        return None
    connection = socket(AF_UNIX)
    connection.settimeout(timeout)
    try:
        connection.connect(path)
    except (OSError, ValueError) as problem:  # ValueError: a NUL in the path
        connection.close()
        gone = isinstance(problem, FileNotFoundError) and os.path.isdir(os.path.dirname(path))  # noqa: PTH112, PTH120
        if sure and (gone or isinstance(problem, ConnectionRefusedError)):
            raise
        return None
    return connection


def _health_answer(connection: "socket", end: float, clock: Clock) -> tuple[int, bytes]:
    answer = b""
    while len(answer) <= HEALTH_BUDGET and not _complete(answer):
        left = end - clock.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        chunk = connection.recv(CHUNK)
        if not chunk:
            break
        answer += chunk
    head, separator, body = answer.partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    if not separator or len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not words[1].isdigit():
        raise NetworkProblem("network-protocol", "what answers there does not speak HTTP")
    return int(words[1]), body


def _complete(answer: bytes) -> bool:
    """Whether the body has the length that the head promises; without a promise the close ends it."""
    head, separator, body = answer.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n")[1:] if separator else []:
        key, _, value = line.partition(b":")
        if key.strip().lower() == b"content-length" and value.strip().isdigit():
            return len(body) >= int(value)
    return False
