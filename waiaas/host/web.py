"""HTTP over urllib with bounds that urllib lacks. Only `host/http.py` imports this, late.

* The opener is built by hand: no handler for ftp, data or file, none that follows redirects.
* Names are looked up in a thread that is left behind at the deadline; getaddrinfo knows no timeout.
* From the connection on, a watchdog shuts the socket down at the deadline, whatever it is doing
  then. It holds a duplicate of the descriptor, so neither TLS nor a re-used number can mislead it.
* Redirects: five at most, never to another scheme. Only identity encoding. Nothing is retried.
"""

import http.client
import re
import socket
import ssl
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from waiaas import __version__
from waiaas.host.clock import Clock
from waiaas.host.problems import CHUNK, NetworkProblem, web_page
from waiaas.host.proxy import Proxy, proxy_for
from waiaas.host.trouble import refused_status, translate

REDIRECTS = 5
REDIRECTING = (301, 302, 303, 307, 308)
IDLE = 30.0  # seconds without a single byte
LOOPBACK = re.compile(r"localhost|::1|127(\.[0-9]{1,3}){3}")


def read(url: str, deadline: float, clock: Clock, environ: Mapping[str, str]) -> Iterator[bytes]:
    """The body of `url`; raises NetworkProblem and HttpStatus."""
    for _ in range(REDIRECTS + 1):
        parts = check_address(url)
        proxy = proxy_for(parts, environ) if parts.scheme == "https" else None
        watchdog = Watchdog(deadline - clock.monotonic())
        try:
            with _open(url, proxy, watchdog, environ) as response:
                target = response.headers.get("Location")
                if response.status not in REDIRECTING or not target:
                    yield from _body(url, response)
                    if watchdog.expired and response.length != 0:
                        raise TimeoutError  # an end made by the watchdog looks like any other
                    return
                url = _redirected(url, target)
        except (OSError, http.client.HTTPException, ValueError) as problem:
            server = proxy.address if proxy else parts.netloc
            raise translate(server, problem, expired=watchdog.expired) from problem
        finally:
            watchdog.close()
    raise NetworkProblem("network-redirects", f"{parts.hostname} redirects in a circle", "check the address")


def check_address(url: str) -> SplitResult:
    """https anywhere, http on this machine only; raises NetworkProblem."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError as problem:
        raise NetworkProblem("network-url", f"not an address: {problem}", "check the address") from problem
    local = LOOPBACK.fullmatch(host) is not None
    if not host or parts.username is not None or not url.isascii() or any(c <= " " for c in url):
        raise NetworkProblem(
            "network-url", "not an address that can be fetched", "write it like https://host/path"
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise NetworkProblem(
            "network-scheme",
            f"{parts.scheme or 'no scheme'}: is not accepted for {host}",
            "use https://; http:// is accepted on this machine only",
        )
    return parts


def _open(url: str, proxy: Proxy | None, watchdog: "Watchdog", environ: Mapping[str, str]) -> Any:
    request = urllib.request.Request(url)  # noqa: S310 - the scheme was checked
    if proxy is not None:
        request.set_proxy(proxy.address, "http")
        if proxy.authorization:
            request.add_header("Proxy-Authorization", proxy.authorization)
    opener = urllib.request.OpenerDirector()
    opener.addheaders = [("User-Agent", f"waiaas/{__version__}")]
    # reading the machine's certificates takes a while: only for those who need them
    opener.add_handler(_Https(watchdog, environ) if request.type == "https" else _Http(watchdog))
    return opener.open(request, timeout=watchdog.patience)


def _body(url: str, response: Any) -> Iterator[bytes]:
    if response.status != 200:
        raise refused_status(url, response.status)
    headers = response.headers
    if headers.get_content_type() == "text/html" and "Content-Type" in headers:
        raise web_page(url)
    if headers.get("Content-Encoding", "identity").lower() != "identity":
        raise NetworkProblem(
            "network-encoding", f"{url} was answered compressed, though that was not asked for"
        )
    while chunk := response.read(CHUNK):
        yield chunk
    if response.length:  # bytes promised by Content-Length and not received
        raise http.client.IncompleteRead(b"", response.length)


def _redirected(url: str, target: str) -> str:
    new = urljoin(url, target)
    if urlsplit(new).scheme != urlsplit(url).scheme:
        raise NetworkProblem(
            "network-redirect-scheme",
            f"{urlsplit(url).hostname} redirects to another scheme ({urlsplit(new).scheme}:), "
            "which is never followed",
            "check the address, or whether this network wants you to sign in",
        )
    return new


class Watchdog:
    """Shuts the connection down when the time is over, and remembers that it did."""

    def __init__(self, seconds: float) -> None:
        self.expired = seconds <= 0
        self.patience = max(0.001, min(seconds, IDLE))
        self._guarded: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(max(0.0, seconds), self._bite)
        self._timer.daemon = True
        self._timer.start()

    def connect(self, address: tuple[str, int], *_: object, **__: object) -> socket.socket:
        """Like socket.create_connection, but the name lookup ends at the deadline too."""
        found = self._look_up(*address)
        problem: OSError = OSError("the name has no address")
        for family, kind, protocol, _name, where in found:
            connection = socket.socket(family, kind, protocol)
            try:
                # an address that swallows packets must leave time for the next one
                connection.settimeout(self.patience / len(found))
                self._guard(connection)
                connection.connect(where)
                connection.settimeout(self.patience)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError as caught:
                connection.close()
                problem = caught
            else:
                return connection
        raise problem

    def close(self) -> None:
        self._timer.cancel()
        with self._lock:
            if self._guarded is not None:
                self._guarded.close()
                self._guarded = None

    def _guard(self, connection: socket.socket) -> None:
        with self._lock:
            if self.expired:
                raise TimeoutError
            if self._guarded is not None:
                self._guarded.close()
            self._guarded = connection.dup()

    def _bite(self) -> None:
        with self._lock:
            self.expired = True
            if self._guarded is not None:
                try:
                    self._guarded.shutdown(socket.SHUT_RDWR)
                except OSError:
                    return  # it was not connected, or not any more

    def _look_up(self, host: str, port: int) -> list[Any]:
        answer: list[Any] = []

        def ask() -> None:
            try:
                answer.append(socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM))
            except (OSError, UnicodeError) as problem:
                answer.append(problem)

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        thread.join(self.patience)
        if not answer:
            raise TimeoutError
        if isinstance(answer[0], Exception):
            raise answer[0]
        return list(answer[0])


class _Http(urllib.request.HTTPHandler):
    def __init__(self, watchdog: Watchdog) -> None:
        super().__init__()
        self._watchdog = watchdog

    def http_open(self, request: urllib.request.Request) -> Any:
        return self.do_open(self._connection, request)

    def _connection(self, host: str, **options: Any) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(host, **options)
        connection._create_connection = self._watchdog.connect  # type: ignore[attr-defined]
        return connection


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, watchdog: Watchdog, environ: Mapping[str, str]) -> None:
        self._tls = tls_context(environ)
        super().__init__(context=self._tls)
        self._watchdog = watchdog

    def https_open(self, request: urllib.request.Request) -> Any:
        return self.do_open(self._connection, request)

    def _connection(self, host: str, **options: Any) -> http.client.HTTPSConnection:
        connection = http.client.HTTPSConnection(host, context=self._tls, **options)
        connection._create_connection = self._watchdog.connect  # type: ignore[attr-defined]
        return connection


def tls_context(environ: Mapping[str, str]) -> ssl.SSLContext:
    """The system's certificates, or those of SSL_CERT_FILE and SSL_CERT_DIR (CLI-6)."""
    file, folder = environ.get("SSL_CERT_FILE"), environ.get("SSL_CERT_DIR")
    try:
        context = ssl.create_default_context(cafile=file or None, capath=folder or None)
    except OSError as problem:
        raise NetworkProblem(
            "network-tls",
            f"cannot read the certificates in {file or folder}: {problem.strerror or problem}",
            "correct SSL_CERT_FILE and SSL_CERT_DIR, or unset them",
        ) from problem
    # Python 3.13 turns on a check that many companies' own authorities do not meet. What is
    # installed is decided by the feed's signatures, not by TLS.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
