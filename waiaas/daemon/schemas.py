"""The JSON Schemas of the API: published in the OpenAPI document and applied to every request body."""

from waiaas.core import health
from waiaas.daemon import problem

Schema = dict[str, object]

TEXT: Schema = {"type": "string"}
OPTIONAL_TEXT: Schema = {"type": ["string", "null"]}
NUMBER: Schema = {"type": "integer"}
OPTIONAL_NUMBER: Schema = {"type": ["integer", "null"]}
FLAG: Schema = {"type": "boolean"}


def closed(properties: dict[str, Schema], optional: tuple[str, ...] = (), **more: object) -> Schema:
    """An object that has these members and no others."""
    required = [name for name in properties if name not in optional]
    found: Schema = {"type": "object", "properties": properties, "additionalProperties": False, **more}
    return {**found, "required": required} if required else found


def paged(item: str) -> Schema:
    """A page: `next` is the value of `before` for the page after it, null on the last."""
    return {
        "type": "object",
        "properties": {"data": {"type": "array", "items": reference(item)}, "next": OPTIONAL_TEXT},
        "required": ["data", "next"],
    }


def reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def record(properties: dict[str, Schema]) -> Schema:
    """An object that has at least these members."""
    return {"type": "object", "properties": properties, "required": list(properties)}


SCHEMAS: dict[str, Schema] = {
    "HealthResponse": health.json_schema(),
    "Problem": problem.SCHEMA,
    "Ready": record({"status": TEXT}),
    "AdminStatus": record(
        {
            "running": FLAG,
            "pid": NUMBER,
            "version": TEXT,
            "port": NUMBER,
            "dataDir": TEXT,
            "schemaVersion": NUMBER,
            "uptime": NUMBER,
            "openRun": {"type": ["object", "null"]},
            "health": reference("HealthResponse"),
            "killSwitch": TEXT,
            "wallets": NUMBER,
            "backups": record({"count": NUMBER, "newest": OPTIONAL_NUMBER}),
            "versionCheck": {"type": "object"},
            "workers": {"type": "array", "items": {"type": "object"}},
        }
    ),
    "AuditEntry": record(
        {
            "id": NUMBER,
            "timestamp": NUMBER,
            "eventType": TEXT,
            "actor": TEXT,
            "walletId": OPTIONAL_TEXT,
            "sessionId": OPTIONAL_TEXT,
            "txId": OPTIONAL_TEXT,
            "details": {},
            "severity": TEXT,
        }
    ),
    "AuditPage": paged("AuditEntry"),
    "Backup": record(
        {
            "id": TEXT,
            "kind": TEXT,
            "version": TEXT,
            "schemaVersion": NUMBER,
            "createdAt": NUMBER,
            "bytes": NUMBER,
            "path": TEXT,
        }
    ),
    "BackupPage": paged("Backup"),
    "KillSwitch": record(
        {"on": FLAG, "state": {"type": "string", "enum": ["ACTIVE", "SUSPENDED", "LOCKED"]}}
    ),
    "KillSwitchRequest": closed({"on": FLAG}),
    "Wallet": record(
        {
            "id": TEXT,
            "name": TEXT,
            "chain": TEXT,
            "environment": TEXT,
            "defaultNetwork": OPTIONAL_TEXT,
            "publicKey": TEXT,
            "status": TEXT,
            "ownerAddress": OPTIONAL_TEXT,
            "ownerVerified": FLAG,
            "createdAt": NUMBER,
            "updatedAt": NUMBER,
            "suspendedAt": OPTIONAL_NUMBER,
            "suspensionReason": OPTIONAL_TEXT,
        }
    ),
    "WalletList": record({"data": {"type": "array", "items": reference("Wallet")}}),
    "WalletCreate": closed(
        {
            "name": {"type": "string", "minLength": 1, "maxLength": 100},
            "chain": {"type": "string", "enum": ["solana", "ethereum"]},
            "environment": {"type": "string", "enum": ["testnet", "mainnet"]},
            "publicKey": {"type": "string", "minLength": 1, "maxLength": 128},
        }
    ),
    "WalletChange": closed(
        {
            "name": {"type": "string", "minLength": 1, "maxLength": 100},
            "status": {"type": "string", "enum": ["ACTIVE", "SUSPENDED"]},
            "reason": {"type": "string", "maxLength": 500},
        },
        optional=("name", "status", "reason"),
        minProperties=1,
    ),
}
