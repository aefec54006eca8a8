"""Responses, and their bytes: head and body in one piece, so that they leave in one write."""

import json
from datetime import UTC, datetime
from http import HTTPStatus
from typing import NamedTuple

JSON = "application/json"
REASONS = {status.value: status.phrase for status in HTTPStatus}
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CLOSE = b"Connection: close\r\n"
KEEP = b"Connection: keep-alive\r\n"


class Response(NamedTuple):
    """What a handler returns. `headers` come on top of those that `encode` writes itself."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


def document(value: object, status: int = 200, *headers: tuple[str, str]) -> Response:
    """`value` as JSON."""
    return Response(status, json.dumps(value, ensure_ascii=False).encode(), JSON, headers)


def encode(response: Response, now: float, *, connection: bytes = b"", head_only: bool = False) -> bytes:
    """The whole response. `connection` is CLOSE, KEEP or empty (HTTP/1.1's default); `now` Unix seconds.

    Nothing is ever cached: every answer is about this moment.
    """
    lines = [
        f"HTTP/1.1 {response.status} {REASONS.get(response.status, '')}",
        f"Date: {http_date(now)}",
        f"Content-Type: {response.content_type}",
        f"Content-Length: {len(response.body)}",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        *(f"{name}: {value}" for name, value in response.headers),
    ]
    head = "\r\n".join(lines).encode("ascii") + b"\r\n" + connection + b"\r\n"
    return head if head_only else head + response.body


def http_date(now: float) -> str:
    """`Fri, 20 Nov 2026 22:41:00 GMT`, whatever the locale."""
    at = datetime.fromtimestamp(int(now), UTC)
    return (
        f"{DAYS[at.weekday()]}, {at.day:02} {MONTHS[at.month - 1]} {at.year} "
        f"{at.hour:02}:{at.minute:02}:{at.second:02} GMT"
    )
