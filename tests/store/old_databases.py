"""Databases as the previous implementation left them, made by our own code from legacy/schema.md.

Every table gets rows, among them the traps of schema.md §6: integers beyond 2^53, a NUL inside a
text, extreme REALs, a sequence above the highest id, an orphan where asked for.
"""

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.tars import extract
from waiaas.core.layout import Layout
from waiaas.host.clock import Clock
from waiaas.host.locks import Gate
from waiaas.host.sqlite import connect
from waiaas.store.inspect import DatabaseState, inspect
from waiaas.store.schema import describe
from waiaas.store.tables import TABLES, ddl

LEGACY = Path(os.environ.get("WAIAAS_LEGACY_DIR", Path(__file__).parents[3] / "shared" / "legacy"))
THEN = 1_700_000_000
ORPHAN = ("tx-orphan", "wallet-gone")

Rows = list[dict[str, Any]]


def layout_of(folder: Path) -> Layout:
    (folder / "data").mkdir(parents=True, exist_ok=True)
    return Layout(folder, folder / "data" / "waiaas.db", folder / "config.toml")


def look_at(layout: Layout) -> DatabaseState:
    return inspect(layout.database, Gate(layout.gate, Clock()))


def old_database(path: Path, schema: int, *, seeded: bool = True, orphan: bool = False) -> Path:
    """A database of schema 10 .. 16, created fresh by that version, in WAL mode, closed."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        for statement in ddl(schema):
            connection.execute(statement)
        for version in range(1, schema + 1):
            suffix = "" if version == 1 else " (via pushSchema)"
            connection.execute(
                "INSERT INTO schema_version (version, applied_at, description) VALUES (?, ?, ?)",
                (version, THEN, describe(version) + suffix),
            )
        if seeded:
            _seed(connection, schema)
        if orphan:
            insert(connection, "transactions", _transaction(ORPHAN[0], wallet_id=ORPHAN[1]))
        connection.execute("COMMIT")
    return path


def insert(connection: sqlite3.Connection, table: str, values: dict[str, Any]) -> None:
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))


def contents(path: Path) -> dict[str, Rows]:
    """Every row of every table, columns by name, rows by key; what is NULL is left out."""
    with closing(connect(path, "ro")) as connection:
        names = [r[0] for r in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: _rows(connection, name) for name in sorted(names)}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def schema_diff(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the comparison that comes with the facts; skips where it is absent."""
    program = LEGACY / "schema_diff.py"
    if not program.is_file():
        pytest.skip(f"no legacy data at {LEGACY}")
    return subprocess.run(
        [sys.executable, "-I", str(program), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def legacy_directory(name: str, where: Path) -> Layout:
    """A real data directory of the previous implementation, unpacked; skips where it is absent."""
    archive = LEGACY / f"waiaas-{name}.tar.gz"
    if not archive.is_file():
        pytest.skip(f"no legacy data at {LEGACY}")
    with tarfile.open(archive) as opened:
        extract(opened, where)
    folder = where / f"waiaas-{name}"
    return Layout(folder, folder / "data" / "waiaas.db", folder / "config.toml")


def _rows(connection: sqlite3.Connection, table: str) -> Rows:
    keys = ", ".join(
        row["name"] for row in connection.execute("SELECT name FROM pragma_table_info(?) WHERE pk", (table,))
    )
    found = connection.execute(f'SELECT * FROM "{table}" ORDER BY {keys or "rowid"}')
    return [{key: row[key] for key in row.keys() if row[key] is not None} for row in found]  # noqa: SIM118


def _seed(connection: sqlite3.Connection, schema: int) -> None:
    rows = [
        ("wallets", _wallet("w1", "solana", None)),
        ("wallets", _wallet("w2", "ethereum", "base-sepolia")),
        ("sessions", _session()),
        ("transactions", _transaction("t1")),
        ("transactions", _transaction("t2", parent_id="t1", tx_hash="0xabc", batch_index=2**63 - 1)),
        ("transactions", _transaction("t3", type="SIGN", status="QUEUED", tier="DELAY", queued_at=-(2**63))),
        ("policies", _policy("p1", "SPENDING_LIMIT", None)),
        ("policies", _policy("p2", "ALLOWED_NETWORKS", "w2")),
        ("pending_approvals", _approval()),
        ("key_value_store", {"key": "jwt_secret_current", "value": "{}", "updated_at": THEN}),
        ("notification_logs", _notification()),
        ("token_registry", _token()),
        ("settings", _setting()),
    ]
    if schema >= 11:
        rows.append(("api_keys", _api_key()))
    if schema >= 12:
        rows.append(("transactions", _transaction("t4", type="X402_PAYMENT")))
    if schema >= 13:
        for number, value in enumerate((1e308, 1e-18, 9007199254740993.0, -0.0)):
            rows.append(("transactions", _transaction(f"u{number}", amount_usd=value)))
    if schema >= 15:
        for chat in (2**63 - 1, -(2**63)):
            rows.append(("telegram_users", {"chat_id": chat, "username": "x", "registered_at": THEN}))
    if schema >= 16:
        rows.append(("wc_sessions", _wc_session()))
        rows.append(("wc_store", {"key": "a", "value": "b"}))
    for table, values in rows:
        insert(connection, table, values)
    for number in range(3):
        insert(connection, "audit_log", _audit(number))
    connection.execute("UPDATE sqlite_sequence SET seq = 1000 WHERE name = 'audit_log'")
    seeded = {table for table, _ in rows} | {"audit_log", "schema_version"}
    assert seeded == {table.name for table in TABLES if table.since <= schema}


def _wallet(name: str, chain: str, network: str | None) -> dict[str, Any]:
    return {
        "id": name,
        "name": "Kasse \N{SNOWMAN}",
        "chain": chain,
        "environment": "testnet",
        "default_network": network,
        "public_key": f"key-{name}",
        "status": "ACTIVE",
        "created_at": THEN,
        "updated_at": 2**53 + 1,
    }


def _session() -> dict[str, Any]:
    times = dict.fromkeys(("expires_at", "absolute_expires_at", "created_at"), THEN)
    return {"id": "s1", "wallet_id": "w1", "token_hash": "ff", "constraints": "{", **times}


def _transaction(name: str, **more: Any) -> dict[str, Any]:
    usual = {
        "id": name,
        "wallet_id": "w1",
        "chain": "solana",
        "type": "TRANSFER",
        "amount": str(2**256 - 1),
        "created_at": 2**63 - 1,
        "metadata": "",
        "network": "devnet",
    }
    return {**usual, **more}


def _policy(name: str, kind: str, wallet: str | None) -> dict[str, Any]:
    times = {"created_at": THEN, "updated_at": THEN}
    return {"id": name, "wallet_id": wallet, "type": kind, "rules": json.dumps({"n": 1}), **times}


def _approval() -> dict[str, Any]:
    return {"id": "a1", "tx_id": "t1", "required_by": THEN, "expires_at": THEN, "created_at": THEN}


def _notification() -> dict[str, Any]:
    ids = {"id": "n1", "event_type": "E", "wallet_id": "system"}
    return {**ids, "channel": "telegram", "status": "sent", "message": "\n", "created_at": THEN}


def _token() -> dict[str, Any]:
    names = {"id": "k1", "network": "mainnet", "address": "0x1", "symbol": "T", "name": "T"}
    return {**names, "decimals": 18, "created_at": THEN}


def _setting() -> dict[str, Any]:
    return {"key": "a.b", "value": "x", "encrypted": 1, "category": "a", "updated_at": THEN}


def _api_key() -> dict[str, Any]:
    return {"provider_name": "p", "encrypted_key": "e", "created_at": THEN, "updated_at": THEN}


def _wc_session() -> dict[str, Any]:
    times = {"expiry": THEN, "created_at": THEN}
    return {"wallet_id": "w1", "topic": "t", "chain_id": "eip155:1", "owner_address": "0x2", **times}


def _audit(number: int) -> dict[str, Any]:
    details = ['{"a": 1}', "with a \0 inside", "not JSON"][number]
    return {"timestamp": THEN + number, "event_type": "E", "actor": "x", "details": details}
