"""Errors as `application/problem+json` (RFC 9457) with a stable code (DMN-7)."""

import json
from collections.abc import Sequence
from http import HTTPStatus

from waiaas.core.errors import WaiaasError
from waiaas.daemon.reply import Response

CONTENT_TYPE = "application/problem+json"

SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "description": "Always about:blank; `code` tells errors apart."},
        "title": {"type": "string", "description": "The phrase of the status."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What happened, and whose fault it is."},
        "code": {"type": "string", "description": "Stable, lower-case-with-dashes."},
        "hint": {"type": "string", "description": "What to do next."},
        "problems": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Every mistake in the body.",
        },
    },
    "required": ["type", "title", "status", "detail", "code", "hint"],
}


class Problem(Exception):
    """A request that is answered with an error. `response()` is the answer."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        hint: str = "",
        *,
        headers: Sequence[tuple[str, str]] = (),
        problems: Sequence[str] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.hint = hint
        self.headers = tuple(headers)
        self.problems = tuple(problems)

    def response(self) -> Response:
        content: dict[str, object] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "hint": self.hint,
        }
        if self.problems:
            content["problems"] = list(self.problems)
        body = json.dumps(content, ensure_ascii=False).encode()
        return Response(self.status, body, CONTENT_TYPE, self.headers)


STATUS_OF_CODE = {
    "wallet-not-found": 404,
    "wallet-exists": 409,
    "wallet-not-active": 409,
    "wallet-not-suspended": 409,
    "database-busy": 503,
    "database-closed": 503,
}


def from_error(error: WaiaasError, status: int = 400) -> Problem:
    """The answer for an expected failure of a lower floor."""
    return Problem(STATUS_OF_CODE.get(error.code, status), error.code, error.message, error.hint)
