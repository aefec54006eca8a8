"""HTTP/1.x requests: bytes in, `Request` or `Refused` out. Pure (RFC 9112).

Strict where two readers of one byte stream could disagree: a bare CR or LF, NUL, a folded header, white
space before a colon, two Content-Length or Host, any Transfer-Encoding are refused, never repaired.
"""

import re
from typing import NamedTuple

from waiaas.core.value import frozen

MAX_FIELDS = 100  # header fields of one request
SINGLE = frozenset({"host", "content-length", "content-type", "authorization", "expect", "transfer-encoding"})


@frozen
class Limits:
    """Bounds of one request, in bytes; each is a setting (DMN-5)."""

    line: int
    headers: int
    body: int


class Request(NamedTuple):
    """One request. `path` and `query` are still percent-encoded; header names are lower case."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = {}  # noqa: RUF012 -- never changed
    body: bytes = b""
    minor: int = 1  # HTTP/1.<minor>
    keep_alive: bool = True


class Head(NamedTuple):
    """A request whose body, `length` bytes from `end` on, may still be on its way."""

    request: Request
    end: int
    length: int
    expects_continue: bool


class Refused(Exception):
    """No request can be made of these bytes: the status and the stable code of the answer."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail


TOO_MANY = Refused(503, "too-many-connections", "too many connections are open; try again in a moment")
BUSY = Refused(503, "busy", "too many requests wait already; try again in a moment")
TOO_SLOW = Refused(408, "request-timeout", "the request was not complete in time")

REQUEST_LINE = re.compile(rb"([A-Z]{1,20}) ([\x21-\x7e]+) HTTP/(\d)\.(\d)")
FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
ABSOLUTE = re.compile(r"http://([^/?#@]+)(.*)", re.IGNORECASE)
STRAY = re.compile(rb"\r(?!\n)|(?<!\r)\n|\x00")  # a line ending only some readers would see, or NUL
DIGITS = re.compile(r"[0-9]{1,18}")


def parse_head(data: bytes, limits: Limits) -> Head | None:
    """Read the head at the start of `data`; None while it is incomplete. Raises `Refused`."""
    start = 2 if data.startswith(b"\r\n") else 0  # RFC 9112 2.2: one empty line may come first
    end = data.find(b"\r\n\r\n", start)
    _check_bounds(data, start, end, limits)
    if end < 0:
        return None
    lines = data[start:end].split(b"\r\n")
    method, target, minor = _request_line(lines[0])
    headers = _fields(lines)
    path, query = _target(target, headers)
    if minor and "host" not in headers:
        raise Refused(400, "bad-request", "an HTTP/1.1 request names its Host")
    length = _body_length(headers, minor, limits)
    expects = _expects_continue(headers, minor)
    request = Request(method, path, query, headers, b"", minor, _keep_alive(headers, minor))
    return Head(request, end + 4, length, expects and length > 0)


def _check_bounds(data: bytes, start: int, end: int, limits: Limits) -> None:
    """Limits of line and headers, and the bytes that may occur nowhere in a head."""
    head = data if end < 0 else data[: end + 4]
    stray = STRAY.search(head)
    if stray and not (end < 0 and stray.group() == b"\r" and stray.end() == len(data)):
        raise Refused(400, "bad-request", "a line of the request head does not end in CR LF")
    line_end = data.find(b"\r\n", start)
    line = (len(data) if line_end < 0 else line_end) - start
    if line > limits.line:
        raise Refused(414, "request-line-too-long", f"the request line exceeds {limits.line} bytes")
    if len(head) - start - line - 4 > limits.headers:
        raise Refused(431, "headers-too-large", f"the headers exceed {limits.headers} bytes")


def _request_line(line: bytes) -> tuple[str, str, int]:
    match = REQUEST_LINE.fullmatch(line)
    if not match:
        raise Refused(400, "bad-request", "the request line is malformed")
    method, target, major, minor = match.groups()
    if major != b"1":
        raise Refused(505, "http-version", "this server speaks HTTP/1.1")
    return method.decode("ascii"), target.decode("ascii"), min(int(minor), 1)


def _fields(lines: list[bytes]) -> dict[str, str]:
    if len(lines) - 1 > MAX_FIELDS:
        raise Refused(431, "headers-too-large", f"more than {MAX_FIELDS} header fields")
    headers: dict[str, str] = {}
    for index in range(1, len(lines)):
        match = FIELD.fullmatch(lines[index])
        if not match:
            raise Refused(400, "bad-request", "a header field is malformed")
        name = match[1].decode("ascii").lower()
        value = match[2].rstrip(b" \t").decode("latin-1")
        if name in headers:
            if name in SINGLE:
                raise Refused(400, "bad-request", f"the header {name} occurs twice")
            value = f"{headers[name]}, {value}"
        headers[name] = value
    return headers


def _target(target: str, headers: dict[str, str]) -> tuple[str, str]:
    """Path and query. An absolute target replaces the Host header (RFC 9112 3.2.2)."""
    if target[0] != "/":
        match = ABSOLUTE.fullmatch(target)
        if match:
            headers["host"] = match[1]
            target = match[2] if match[2].startswith("/") else "/" + match[2]
        elif target != "*":
            raise Refused(400, "bad-request", "the request target is malformed")
    if "#" in target:
        raise Refused(400, "bad-request", "the request target has a fragment")
    path, _, query = target.partition("?")
    return path, query


def _body_length(headers: dict[str, str], minor: int, limits: Limits) -> int:
    """Bytes of the body, by Content-Length only (RFC 9112 6.3)."""
    text = headers.get("content-length")
    if "transfer-encoding" in headers:
        if text is not None or not minor:
            raise Refused(400, "bad-request", "the length of the body is ambiguous")
        raise Refused(501, "transfer-encoding", "send the body with Content-Length; no transfer coding")
    if text is None:
        return 0
    if not DIGITS.fullmatch(text):
        raise Refused(400, "bad-request", "Content-Length is not a number")
    if int(text) > limits.body:
        raise Refused(413, "body-too-large", f"the body exceeds {limits.body} bytes")
    return int(text)


def _expects_continue(headers: dict[str, str], minor: int) -> bool:
    text = headers.get("expect")
    if text is None or not minor:
        return False
    if text.lower() != "100-continue":
        raise Refused(417, "expectation-failed", "the only expectation understood is 100-continue")
    return True


def _keep_alive(headers: dict[str, str], minor: int) -> bool:
    text = headers.get("connection")
    if text is None:
        return bool(minor)
    options = {option.strip().lower() for option in text.split(",")}
    return "close" not in options and (bool(minor) or "keep-alive" in options)
