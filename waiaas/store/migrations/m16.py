"""15 -> 16: WalletConnect sessions, and through which channel an approval came."""

from waiaas.host.sqlite import Connection
from waiaas.store.alter import add_column, create_table

VERSION = 16
DESCRIPTION = "Add WC infra: wc_sessions table, wc_store table, pending_approvals.approval_channel"


def apply(connection: Connection, now: int) -> None:
    add_column(connection, "pending_approvals", "approval_channel", "TEXT DEFAULT 'rest_api'")
    create_table(connection, "wc_sessions", VERSION)
    create_table(connection, "wc_store", VERSION)
