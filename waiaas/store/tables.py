"""The schema as data: every table, column, constraint and index, and since which schema it is there.

Written from the facts in legacy/schema.md (MIG-01). What a migration above 16 adds is not repeated
here: a new database gets schema 16 and then runs the migrations above it.
"""

from waiaas.store.columns import Table, flag, identity, moment, number, optional, text

BASE_SCHEMA = 16

MAIN_AND_TEST = (
    ("ethereum", "sepolia"),
    ("polygon", "amoy"),
    ("arbitrum", "sepolia"),
    ("optimism", "sepolia"),
    ("base", "sepolia"),
)
NETWORKS = (
    "mainnet",
    "devnet",
    "testnet",
    *(f"{chain}-{name}" for chain, test in MAIN_AND_TEST for name in ("mainnet", test)),
)
WALLET_STATUS = ("CREATING", "ACTIVE", "SUSPENDED", "TERMINATING", "TERMINATED")
TRANSACTION_TYPE = ("TRANSFER", "TOKEN_TRANSFER", "CONTRACT_CALL", "APPROVE", "BATCH", "SIGN")
TRANSACTION_STATUS = (
    *("PENDING", "QUEUED", "EXECUTING", "SUBMITTED", "CONFIRMED"),
    *("FAILED", "CANCELLED", "EXPIRED", "PARTIAL_FAILURE", "SIGNED"),
)
POLICY_TYPE = (
    *("SPENDING_LIMIT", "WHITELIST", "TIME_RESTRICTION", "RATE_LIMIT", "ALLOWED_TOKENS"),
    *("CONTRACT_WHITELIST", "METHOD_WHITELIST", "APPROVED_SPENDERS", "APPROVE_AMOUNT_LIMIT"),
    *("APPROVE_TIER_OVERRIDE", "ALLOWED_NETWORKS"),
)
X402 = 12  # the schema that widened the two type CHECKs

TABLES = (
    Table(
        "wallets",
        (
            identity("id"),
            text("name"),
            text("chain", among=("solana", "ethereum")),
            text("environment", among=("testnet", "mainnet")),
            optional("default_network", among=NETWORKS),
            text("public_key"),
            text("status", default="CREATING", among=WALLET_STATUS),
            optional("owner_address"),
            flag("owner_verified", default=0),
            number("created_at"),
            number("updated_at"),
            moment("suspended_at"),
            optional("suspension_reason"),
        ),
        {
            "idx_wallets_public_key": ("public_key",),
            "idx_wallets_status": ("status",),
            "idx_wallets_chain_environment": ("chain", "environment"),
            "idx_wallets_owner_address": ("owner_address",),
        },
        unique="idx_wallets_public_key",
    ),
    Table(
        "sessions",
        (
            identity("id"),
            text("wallet_id", references="wallets(id) ON DELETE CASCADE"),
            text("token_hash"),
            number("expires_at"),
            optional("constraints"),
            optional("usage_stats"),
            moment("revoked_at"),
            number("renewal_count", default=0),
            number("max_renewals", default=30),
            moment("last_renewed_at"),
            number("absolute_expires_at"),
            number("created_at"),
        ),
        {
            "idx_sessions_wallet_id": ("wallet_id",),
            "idx_sessions_expires_at": ("expires_at",),
            "idx_sessions_token_hash": ("token_hash",),
        },
    ),
    Table(
        "transactions",
        (
            identity("id"),
            text("wallet_id", references="wallets(id) ON DELETE RESTRICT"),
            optional("session_id", references="sessions(id) ON DELETE SET NULL"),
            text("chain"),
            optional("tx_hash"),
            text("type", among=TRANSACTION_TYPE, later=(X402, ("X402_PAYMENT",))),
            optional("amount"),
            optional("to_address"),
            optional("token_mint"),
            optional("contract_address"),
            optional("method_signature"),
            optional("spender_address"),
            optional("approved_amount"),
            optional("parent_id", references="transactions(id) ON DELETE CASCADE"),
            optional("batch_index", "INTEGER"),
            text("status", default="PENDING", among=TRANSACTION_STATUS),
            optional("tier", among=("INSTANT", "NOTIFY", "DELAY", "APPROVAL")),
            moment("queued_at"),
            moment("executed_at"),
            number("created_at"),
            optional("reserved_amount"),
            optional("amount_usd", "REAL", since=13),
            optional("reserved_amount_usd", "REAL", since=13),
            optional("error"),
            optional("metadata"),
            optional("network", among=NETWORKS),
        ),
        {
            "idx_transactions_wallet_status": ("wallet_id", "status"),
            "idx_transactions_session_id": ("session_id",),
            "idx_transactions_tx_hash": ("tx_hash",),
            "idx_transactions_queued_at": ("queued_at",),
            "idx_transactions_created_at": ("created_at",),
            "idx_transactions_type": ("type",),
            "idx_transactions_contract_address": ("contract_address",),
            "idx_transactions_parent_id": ("parent_id",),
        },
        unique="idx_transactions_tx_hash",
    ),
    Table(
        "policies",
        (
            identity("id"),
            optional("wallet_id", references="wallets(id) ON DELETE CASCADE"),
            text("type", among=POLICY_TYPE, later=(X402, ("X402_ALLOWED_DOMAINS",))),
            text("rules"),
            number("priority", default=0),
            number("enabled", default=1),
            optional("network", among=NETWORKS),
            number("created_at"),
            number("updated_at"),
        ),
        {
            "idx_policies_wallet_enabled": ("wallet_id", "enabled"),
            "idx_policies_type": ("type",),
            "idx_policies_network": ("network",),
        },
    ),
    Table(
        "pending_approvals",
        (
            identity("id"),
            text("tx_id", references="transactions(id) ON DELETE CASCADE"),
            number("required_by"),
            number("expires_at"),
            moment("approved_at"),
            moment("rejected_at"),
            optional("owner_signature"),
            optional("approval_channel", default="rest_api", since=16),
            number("created_at"),
        ),
        {
            "idx_pending_approvals_tx_id": ("tx_id",),
            "idx_pending_approvals_expires_at": ("expires_at",),
        },
    ),
    Table(
        "audit_log",
        (
            number("id", key="PRIMARY KEY AUTOINCREMENT"),
            number("timestamp"),
            text("event_type"),
            text("actor"),
            optional("wallet_id"),
            optional("session_id"),
            optional("tx_id"),
            text("details"),
            text("severity", default="info", among=("info", "warning", "critical")),
            optional("ip_address"),
        ),
        {
            "idx_audit_log_timestamp": ("timestamp",),
            "idx_audit_log_event_type": ("event_type",),
            "idx_audit_log_wallet_id": ("wallet_id",),
            "idx_audit_log_severity": ("severity",),
            "idx_audit_log_wallet_timestamp": ("wallet_id", "timestamp"),
        },
    ),
    Table("key_value_store", (identity("key"), text("value"), number("updated_at"))),
    Table(
        "notification_logs",
        (
            identity("id"),
            text("event_type"),
            optional("wallet_id"),
            text("channel"),
            text("status", among=("sent", "failed")),
            optional("error"),
            optional("message"),
            number("created_at"),
        ),
        {
            "idx_notification_logs_event_type": ("event_type",),
            "idx_notification_logs_wallet_id": ("wallet_id",),
            "idx_notification_logs_status": ("status",),
            "idx_notification_logs_created_at": ("created_at",),
        },
    ),
    Table(
        "token_registry",
        (
            identity("id"),
            text("network"),
            text("address"),
            text("symbol"),
            text("name"),
            number("decimals"),
            text("source", default="custom", among=("builtin", "custom")),
            number("created_at"),
        ),
        {
            "idx_token_registry_network_address": ("network", "address"),
            "idx_token_registry_network": ("network",),
        },
        unique="idx_token_registry_network_address",
    ),
    Table(
        "settings",
        (
            identity("key"),
            text("value"),
            flag("encrypted", default=0),
            text("category"),
            number("updated_at"),
        ),
        {"idx_settings_category": ("category",)},
    ),
    Table(
        "api_keys",
        (identity("provider_name"), text("encrypted_key"), number("created_at"), number("updated_at")),
        since=11,
    ),
    Table(
        "schema_version",
        (identity("version", "INTEGER"), number("applied_at"), text("description")),
    ),
    Table(
        "telegram_users",
        (
            identity("chat_id", "INTEGER"),
            optional("username"),
            text("role", default="PENDING", among=("PENDING", "ADMIN", "READONLY")),
            number("registered_at"),
            moment("approved_at"),
        ),
        {"idx_telegram_users_role": ("role",)},
        since=15,
    ),
    Table(
        "wc_sessions",
        (
            identity("wallet_id", references="wallets(id) ON DELETE CASCADE"),
            text("topic", key="UNIQUE"),
            optional("peer_meta"),
            text("chain_id"),
            text("owner_address"),
            optional("namespaces"),
            number("expiry"),
            number("created_at"),
        ),
        {"idx_wc_sessions_topic": ("topic",)},
        since=16,
    ),
    Table("wc_store", (identity("key"), text("value")), since=16),
)


def ddl(schema: int = BASE_SCHEMA) -> list[str]:
    """The statements that make an empty database of schema 10 .. 16."""
    return [statement for table in TABLES if table.since <= schema for statement in table.sql(schema)]


def table(name: str) -> Table:
    return next(found for found in TABLES if found.name == name)
