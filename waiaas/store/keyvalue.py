"""Table `key_value_store`: what the program remembers, and the keys of the version check (VCHK-02)."""

from waiaas.core.value import frozen
from waiaas.host.sqlite import Connection
from waiaas.store.pairs import LATEST, WITHDRAWN
from waiaas.store.pairs import delete as delete  # callers know the four from here
from waiaas.store.pairs import get as get
from waiaas.store.pairs import number as number
from waiaas.store.pairs import put as put

TYPE_CHECKING = False  # importing `typing` is one of the things that every command saves (PRF-3)
if TYPE_CHECKING:
    from typing import Any

    from waiaas.core.check import CheckOutcome

CHECKED_AT = "version_check_checked_at"
NOTIFIED_AT = "version_check_notified_at"
ERROR = "version_check_error"


@frozen
class StoredCheck:
    """The last check, as stored; times in Unix seconds."""

    latest: str | None
    checked_at: int | None
    notified_at: int | None
    error: str | None
    withdrawn: "dict[str, Any] | None"


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


def _document(text: str | None) -> "dict[str, Any] | None":
    if text is None:
        return None
    import json

    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
