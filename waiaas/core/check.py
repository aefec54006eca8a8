"""What one look at the feed found, on its way from the checking child to the daemon's database."""

from typing import Any

from waiaas.core.value import frozen


class CheckAbandoned(Exception):
    """Whoever asked is ending, so the look was cut short: there is no outcome."""


@frozen
class CheckOutcome:
    """`latest`: newest eligible version of my channel (VCHK-04), None when the check failed.

    `withdrawn`: `{"reason", "to", "severity"}` when the installed version was withdrawn, `to` being
    a version or None (FEED-5). `error`: one sentence, None when the check succeeded.
    """

    latest: str | None
    withdrawn: dict[str, str | None] | None
    error: str | None

    def to_json(self) -> dict[str, Any]:
        return {"latest": self.latest, "withdrawn": self.withdrawn, "error": self.error}

    @classmethod
    def from_json(cls, document: object) -> "CheckOutcome":
        """Reads what a child printed; anything but our own document is a failed check."""
        if not isinstance(document, dict):
            return cls(None, None, "the check printed no result")
        latest, error = (_text(document.get(key)) for key in ("latest", "error"))
        if latest is None and error is None:
            error = "the check printed no result"
        return cls(latest, _withdrawn(document.get("withdrawn")), error)


def _withdrawn(value: object) -> dict[str, str | None] | None:
    if not isinstance(value, dict):
        return None
    return {key: _text(value.get(key)) for key in ("reason", "to", "severity")}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
