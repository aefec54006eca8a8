"""Table `audit_log`: who did what, when. Rows are added and read, never changed."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from waiaas.host.sqlite import Connection

MAX_PAGE = 500  # rows
COLUMNS = "id, timestamp, event_type, actor, wallet_id, session_id, tx_id, details, severity, ip_address"


@dataclass(frozen=True)
class Entry:
    """One row; `timestamp` in Unix seconds, `details` the parsed JSON, or the text where it is none."""

    id: int
    timestamp: int
    event_type: str
    actor: str
    wallet_id: str | None
    session_id: str | None
    tx_id: str | None
    details: Any
    severity: str
    ip_address: str | None


def write(
    connection: Connection,
    event_type: str,
    actor: str,
    details: Mapping[str, Any],
    now: int,
    severity: str = "info",
    wallet_id: str | None = None,
) -> int:
    """Add a row and return its id. `severity` is info, warning or critical."""
    cursor = connection.execute(
        "INSERT INTO audit_log (timestamp, event_type, actor, wallet_id, details, severity)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (now, event_type, actor, wallet_id, json.dumps(dict(details), ensure_ascii=False), severity),
    )
    return cursor.lastrowid or 0


def page(
    connection: Connection, before: int | None = None, limit: int = 50, event_type: str | None = None
) -> list[Entry]:
    """The newest rows first, those with an id below `before` only; at most `MAX_PAGE`."""
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM audit_log"  # noqa: S608 - a constant
        " WHERE (:before IS NULL OR id < :before) AND (:event IS NULL OR event_type = :event)"
        " ORDER BY id DESC LIMIT :limit",
        {"before": before, "event": event_type, "limit": max(0, min(limit, MAX_PAGE))},
    )
    return [Entry(**{**dict(row), "details": _details(row["details"])}) for row in rows]


def recorded(connection: Connection, event_types: Collection[str], key: str) -> set[str]:
    """The values of `details[key]` in all rows of these types: what has been entered already."""
    marks = ", ".join("?" * len(event_types))
    rows = connection.execute(
        f"SELECT details FROM audit_log WHERE event_type IN ({marks})",  # noqa: S608 - only marks
        tuple(event_types),
    )
    found = (_details(row["details"]) for row in rows)
    return {str(details[key]) for details in found if isinstance(details, dict) and key in details}


def _details(text: str) -> Any:
    """The original wrote JSON without checking it: anything else comes back as it is."""
    try:
        return json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        return text
