"""Table `audit_log`: who did what, when. Rows are added and read, never changed."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from waiaas.core.value import frozen
from waiaas.host.sqlite import Connection

MAX_PAGE = 500  # rows
COLUMNS = "id, timestamp, event_type, actor, wallet_id, session_id, tx_id, details, severity, ip_address"
RUNS = {  # how an upgrade run ended -> the event that tells of it (UPGR-08)
    "committed": "UPGRADE_COMMITTED",
    "rolled-back": "UPGRADE_ROLLED_BACK",
    "undone": "UPGRADE_UNDONE",  # by `upgrade --rollback`: nothing failed
    "refused": "UPGRADE_REFUSED",
    "failed": "UPGRADE_FAILED",
}


@frozen
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
    return [_entry(row) for row in rows]


def runs(connection: Connection, limit: int) -> list[Entry]:
    """The newest closed upgrade runs first; the id of a run is in its details."""
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM audit_log WHERE event_type IN ({_marks(RUNS)})"  # noqa: S608 - constants
        " ORDER BY id DESC LIMIT ?",
        (*RUNS.values(), limit),
    )
    return [_entry(row) for row in rows]


def outcomes(connection: Connection) -> dict[str, int]:
    """How many upgrade runs ended how; each outcome is there, with 0 at least."""
    rows = connection.execute(
        f"SELECT event_type, count(*) AS runs FROM audit_log"  # noqa: S608 - only marks
        f" WHERE event_type IN ({_marks(RUNS)}) GROUP BY event_type",
        tuple(RUNS.values()),
    )
    found = {str(row["event_type"]): int(row["runs"]) for row in rows}
    return {outcome: found.get(event, 0) for outcome, event in RUNS.items()}


def recorded(connection: Connection, event_types: Collection[str], key: str) -> set[str]:
    """The values of `details[key]` in all rows of these types: what has been entered already."""
    rows = connection.execute(
        f"SELECT details FROM audit_log WHERE event_type IN ({_marks(event_types)})",  # noqa: S608 - only marks
        tuple(event_types),
    )
    found = (_details(row["details"]) for row in rows)
    return {str(details[key]) for details in found if isinstance(details, dict) and key in details}


def _marks(values: Collection[str]) -> str:
    return ", ".join("?" * len(values))


def _entry(row: Any) -> Entry:
    return Entry(**{**dict(row), "details": _details(row["details"])})


def _details(text: str) -> Any:
    """The original wrote JSON without checking it: anything else comes back as it is."""
    try:
        return json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        return text
