"""14 -> 15: users of the Telegram bot."""

from waiaas.host.sqlite import Connection
from waiaas.store.alter import create_table

VERSION = 15
DESCRIPTION = "Create telegram_users table for Telegram Bot user management"


def apply(connection: Connection, now: int) -> None:
    create_table(connection, "telegram_users", VERSION)
