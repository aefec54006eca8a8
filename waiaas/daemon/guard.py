"""Who may ask: the Host header against DNS rebinding, and the bearer token (DMN-6)."""

import hmac
import re
from collections.abc import Iterable

from waiaas.daemon.problem import Problem
from waiaas.daemon.wire import Request

ALWAYS = ("localhost", "127.0.0.1", "[::1]")
AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]\s]+)(?::[0-9]{0,5})?")
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
    """Compares the bearer token in constant time (RFC 6750)."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def allows(self, request: Request) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        same = hmac.compare_digest(given.strip().encode("latin-1", "replace"), self._token)
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


def _bracketed(name: str) -> str:
    name = name.strip().lower().rstrip(".")
    return f"[{name}]" if ":" in name and not name.startswith("[") else name
