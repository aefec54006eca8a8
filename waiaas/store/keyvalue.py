"""Table `key_value_store`: what the program remembers, and the keys of the version check (VCHK-02)."""

from typing import TYPE_CHECKING, Any

from waiaas.core.value import frozen
from waiaas.host.sqlite import Connection

if TYPE_CHECKING:
    from waiaas.core.check import CheckOutcome

LATEST = "version_check_latest"
CHECKED_AT = "version_check_checked_at"
NOTIFIED_AT = "version_check_notified_at"
ERROR = "version_check_error"
WITHDRAWN = "version_check_withdrawn"


@frozen
class StoredCheck:
    """The last check, as stored; times in Unix seconds."""

    latest: str | None
    checked_at: int | None
    notified_at: int | None
    error: str | None
    withdrawn: dict[str, Any] | None


def get(connection: Connection, key: str) -> str | None:
    row = connection.execute("SELECT value FROM key_value_store WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row["value"])


def number(connection: Connection, key: str) -> int | None:
    """A stored whole number; one that cannot be read counts as absent."""
    return _number(get(connection, key))


def put(connection: Connection, key: str, value: str, now: int) -> None:
    """Insert or overwrite; `now` in Unix seconds."""
    connection.execute(
        "INSERT INTO key_value_store (key, value, updated_at) VALUES (?, ?, ?)"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
        (key, value, now),
    )


def delete(connection: Connection, key: str) -> None:
    connection.execute("DELETE FROM key_value_store WHERE key = ?", (key,))


def store_check(connection: Connection, outcome: "CheckOutcome", now: int) -> None:
    """Store a check in one transaction; a failed one touches no key but the error (VCHK-02, VCHK-03)."""
    import json

    from waiaas.store.atomic import atomic

    with atomic(connection):
        if outcome.error is not None:
            put(connection, ERROR, outcome.error, now)
            return
        withdrawn = None if outcome.withdrawn is None else json.dumps(outcome.withdrawn, ensure_ascii=False)
        _set(connection, LATEST, outcome.latest, now)
        _set(connection, CHECKED_AT, str(now), now)
        _set(connection, WITHDRAWN, withdrawn, now)
        _set(connection, ERROR, None, now)


def stored_check(connection: Connection) -> StoredCheck:
    """What is stored; a value that cannot be read counts as absent."""
    return StoredCheck(
        latest=get(connection, LATEST),
        checked_at=number(connection, CHECKED_AT),
        notified_at=number(connection, NOTIFIED_AT),
        error=get(connection, ERROR),
        withdrawn=_document(get(connection, WITHDRAWN)),
    )


def mark_notified(connection: Connection, now: int) -> None:
    """Remember that the notice was shown, for its 24 hours (VCHK-06)."""
    put(connection, NOTIFIED_AT, str(now), now)


def _set(connection: Connection, key: str, value: str | None, now: int) -> None:
    if value is None:
        delete(connection, key)
    else:
        put(connection, key, value, now)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 16 else None


def _document(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    import json

    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
