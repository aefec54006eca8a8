"""13 -> 14: the words of the kill switch. Any other word, and a missing row, stay as they are."""

from waiaas.host.sqlite import Connection

VERSION = 14
DESCRIPTION = "Migrate kill_switch_state values: NORMAL->ACTIVE, ACTIVATED->SUSPENDED"
WORDS = {"NORMAL": "ACTIVE", "ACTIVATED": "SUSPENDED", "RECOVERING": "ACTIVE"}


def apply(connection: Connection, now: int) -> None:
    row = connection.execute("SELECT value FROM key_value_store WHERE key = 'kill_switch_state'").fetchone()
    if row is not None and row["value"] in WORDS:
        connection.execute(
            "UPDATE key_value_store SET value = ?, updated_at = ? WHERE key = 'kill_switch_state'",
            (WORDS[row["value"]], now),
        )
