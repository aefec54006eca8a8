"""12 -> 13: what a transaction was worth in US dollars; NULL in old rows."""

from waiaas.host.sqlite import Connection
from waiaas.store.alter import add_column

VERSION = 13
DESCRIPTION = "Add amount_usd and reserved_amount_usd columns to transactions"


def apply(connection: Connection, now: int) -> None:
    add_column(connection, "transactions", "amount_usd", "REAL")
    add_column(connection, "transactions", "reserved_amount_usd", "REAL")
