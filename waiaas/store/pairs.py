"""Table `key_value_store`: one value, by its key."""

from waiaas.host.sqlite import Connection

LATEST, WITHDRAWN = "version_check_latest", "version_check_withdrawn"  # what the last check found


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


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 16 else None
