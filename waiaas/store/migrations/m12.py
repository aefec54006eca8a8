"""11 -> 12: two CHECKs learn one more value each."""

from waiaas.host.sqlite import Connection
from waiaas.store.alter import allow_values

VERSION = 12
DESCRIPTION = "Add X402_PAYMENT to transactions and X402_ALLOWED_DOMAINS to policies CHECK constraints"


def apply(connection: Connection, now: int) -> None:
    allow_values(
        connection,
        {"transactions": ("type", "X402_PAYMENT"), "policies": ("type", "X402_ALLOWED_DOMAINS")},
    )
