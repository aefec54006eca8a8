"""Who may ask: the Host header against DNS rebinding, and the bearer token (DMN-6).

A browser sends a Basic password again by itself, also with requests that another site made it send. So
the token as a password opens the status page, which changes nothing and which no other site can read;
every route of `/v1` wants it as a bearer token, which no browser adds by itself.
"""

import base64
import hmac
import re
from collections.abc import Iterable

from waiaas.daemon.problem import Problem
from waiaas.daemon.wire import Request

ALWAYS = ("localhost", "127.0.0.1", "[::1]")
AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]\s]+)(?::[0-9]{0,5})?")
PAGES = frozenset({"/", "/admin"})  # for browsers
OPEN_PATHS = frozenset({"/health", "/livez", "/readyz"})  # any monitor may poll these


class HostGuard:
    """Knows the names that this daemon serves, whatever the port."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(_bracketed(name) for name in (*ALWAYS, *names) if name)

    def require(self, request: Request) -> None:
        """Raises `Problem` 421 for a name that is not served."""
        if request.path in OPEN_PATHS:
            return
        match = AUTHORITY.fullmatch(request.headers.get("host", "").lower())
        if not match or match[1].rstrip(".") not in self._names:
            raise Problem(
                421,
                "unknown-host",
                "this daemon does not serve the name in the Host header",
                "ask it as localhost, or add the name to [daemon] allowed_hosts",
            )


class TokenGuard:
    """Compares the token in constant time: as a bearer token (RFC 6750), on the status page also as the
    password of any user (RFC 7617)."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def allows(self, request: Request) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        password = given.strip().encode("latin-1", "replace")
        if request.path in PAGES and scheme.lower() == "basic":
            scheme, password = "bearer", _password(password)
        same = hmac.compare_digest(password, self._token)
        return same and scheme.lower() == "bearer" and bool(self._token)

    def require(self, request: Request) -> None:
        """Raises `Problem` 401."""
        if not self.allows(request):
            raise Problem(
                401,
                "not-authorised",
                "this route needs the administration token",
                "send `Authorization: Bearer` with the content of admin.token in the data directory",
                headers=[("WWW-Authenticate", 'Bearer realm="waiaas"')],
            )


def _password(credentials: bytes) -> bytes:
    """Of `user:password` in Base64; empty where it is none."""
    try:
        return base64.b64decode(credentials, validate=True).partition(b":")[2]
    except ValueError:
        return b""


def _bracketed(name: str) -> str:
    name = name.strip().lower().rstrip(".")
    return f"[{name}]" if ":" in name and not name.startswith("[") else name
