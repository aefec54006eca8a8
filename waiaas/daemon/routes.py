"""The one table of what this daemon answers: dispatch, 405 and the OpenAPI document derive from it."""

import re
from typing import NamedTuple
from urllib.parse import unquote

from waiaas.daemon import openapi
from waiaas.daemon.handlers import admin, probes, wallets
from waiaas.daemon.parts import Call, Parts
from waiaas.daemon.reply import Response, document
from waiaas.daemon.route import Route
from waiaas.daemon.schemas import Schema

LIMIT: Schema = {"type": "integer", "minimum": 1, "maximum": 500, "description": "Rows of a page, else 50."}
AUDIT_QUERY: dict[str, Schema] = {
    "limit": LIMIT,
    "before": {"type": "integer", "minimum": 1, "description": "Only entries with a lower id."},
    "eventType": {"type": "string", "minLength": 1, "maxLength": 100},
}
BACKUP_QUERY: dict[str, Schema] = {
    "limit": LIMIT,
    "before": {"type": "string", "minLength": 1, "maxLength": 255, "description": "Older than this backup."},
}


def openapi_document(_parts: Parts, _call: Call) -> Response:
    return document(openapi.build(ROUTES))


TEXT, HTML = "text/plain", "text/html"

ROUTES: tuple[Route, ...] = (
    Route("GET", "/health", "health", "Health, version and update", probes.health, "HealthResponse", False),
    Route("GET", "/livez", "livez", "The process answers", probes.livez, "Ready", False),
    Route("GET", "/readyz", "readyz", "The daemon can serve", probes.readyz, "Ready", False),
    Route("GET", "/metrics", "metrics", "Metrics for Prometheus", probes.metrics, None, content_type=TEXT),
    Route("GET", "/", "statusPage", "Status page", probes.status_page, None, False, content_type=HTML),
    Route("GET", "/admin", "adminPage", "The whole page", probes.admin_page, None, False, content_type=HTML),
    Route("GET", "/openapi.json", "openapi", "This document", openapi_document, None, False),
    Route("GET", "/v1/admin/status", "adminStatus", "All about the daemon", admin.status, "AdminStatus"),
    Route(
        "GET",
        "/v1/admin/audit-log",
        "auditLog",
        "Who did what, newest first",
        admin.audit_log,
        "AuditPage",
        query=AUDIT_QUERY,
    ),
    Route(
        "GET",
        "/v1/admin/backups",
        "backups",
        "Backups, newest first",
        admin.backups,
        "BackupPage",
        query=BACKUP_QUERY,
    ),
    Route(
        "POST",
        "/v1/admin/kill-switch",
        "killSwitch",
        "Switch everything that acts off or on again",
        admin.kill_switch,
        "KillSwitch",
        request="KillSwitchRequest",
    ),
    Route("GET", "/v1/wallets", "listWallets", "Wallets, oldest first", wallets.listing, "WalletList"),
    Route("GET", "/v1/wallets/{id}", "showWallet", "One wallet", wallets.show, "Wallet"),
    Route(
        "POST",
        "/v1/wallets",
        "registerWallet",
        "Register a watch-only address",
        wallets.register,
        "Wallet",
        request="WalletCreate",
        status=201,
    ),
    Route(
        "PATCH",
        "/v1/wallets/{id}",
        "changeWallet",
        "Rename, suspend or resume a wallet",
        wallets.change,
        "Wallet",
        request="WalletChange",
    ),
)


class Match(NamedTuple):
    """The route of a method and path, the values of its `{…}`, and all methods of that path."""

    route: Route | None
    values: dict[str, str]
    allowed: tuple[str, ...]


def find(method: str, path: str) -> Match:
    """`route` is None for an unknown path (`allowed` is empty) and for a wrong method. HEAD is GET."""
    wanted = "GET" if method == "HEAD" else method
    chosen: Route | None = None
    values: dict[str, str] = {}
    allowed: list[str] = []
    for route, pattern in PATTERNS:
        match = pattern.fullmatch(path)
        if not match:
            continue
        allowed += [route.method] + (["HEAD"] if route.method == "GET" else [])
        if route.method == wanted:
            chosen, values = route, {name: unquote(text) for name, text in match.groupdict().items()}
    return Match(chosen, values, tuple(allowed))


def _pattern(path: str) -> re.Pattern[str]:
    pieces = re.split(r"\{(\w+)\}", path)
    return re.compile(
        "".join(
            f"(?P<{piece}>[^/]+)" if index % 2 else re.escape(piece) for index, piece in enumerate(pieces)
        )
    )


PATTERNS = tuple((route, _pattern(route.path)) for route in ROUTES)
