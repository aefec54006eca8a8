"""Table `wallets`: listed, registered watch-only, renamed, suspended, resumed. Keys are never here."""

import os
import sqlite3

from waiaas.core.errors import UsageError, WaiaasError
from waiaas.core.value import frozen
from waiaas.host.sqlite import Connection
from waiaas.store.atomic import atomic

TYPE_CHECKING = False  # importing `typing` is one of the things that every command saves (PRF-3)
if TYPE_CHECKING:
    from typing import Final

ENVIRONMENTS = ("testnet", "mainnet")
MAX_NAME = 100  # characters
MAX_REASON = 500  # characters
SELECT: "Final" = (
    "SELECT id, name, chain, environment, default_network, public_key, status, owner_address,"
    " owner_verified, created_at, updated_at, suspended_at, suspension_reason FROM wallets"
)


@frozen
class Wallet:
    """One row; times in Unix seconds."""

    id: str
    name: str
    chain: str
    environment: str
    default_network: str | None
    public_key: str
    status: str
    owner_address: str | None
    owner_verified: bool
    created_at: int
    updated_at: int
    suspended_at: int | None
    suspension_reason: str | None


def listing(connection: Connection) -> list[Wallet]:
    """Every wallet, the oldest first."""
    return [_wallet(row) for row in connection.execute(f"{SELECT} ORDER BY created_at, id")]


def count(connection: Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM wallets").fetchone()[0])


def find(connection: Connection, wallet_id: str) -> Wallet | None:
    row = connection.execute(f"{SELECT} WHERE id = ?", (wallet_id,)).fetchone()
    return None if row is None else _wallet(row)


def register(
    connection: Connection, name: str, chain: str, environment: str, public_key: str, now: int
) -> Wallet:
    """Register a watch-only address as ACTIVE. UsageError for bad values, "wallet-exists" for a known one."""
    from waiaas.store.addresses import check_address

    name = _name(name)
    check_address(chain, public_key)
    if environment not in ENVIRONMENTS:
        raise UsageError(
            "bad-environment", f"{environment!r} is no environment", f"use one of: {', '.join(ENVIRONMENTS)}"
        )
    wallet_id = uuid7(now * 1000)
    with atomic(connection):
        _refuse_known(connection, chain, public_key)
        connection.execute(
            "INSERT INTO wallets (id, name, chain, environment, public_key, status, owner_verified,"
            " created_at, updated_at) VALUES (?, ?, ?, ?, ?, 'ACTIVE', 0, ?, ?)",
            (wallet_id, name, chain, environment, public_key, now, now),
        )
    return _existing(connection, wallet_id)


def rename(connection: Connection, wallet_id: str, name: str, now: int) -> Wallet:
    """Raises "wallet-not-found", "bad-name"."""
    name = _name(name)
    with atomic(connection):
        _existing(connection, wallet_id)
        connection.execute("UPDATE wallets SET name = ?, updated_at = ? WHERE id = ?", (name, now, wallet_id))
    return _existing(connection, wallet_id)


def suspend(connection: Connection, wallet_id: str, reason: str | None, now: int) -> Wallet:
    """ACTIVE becomes SUSPENDED. Raises "wallet-not-found", "wallet-not-active", "bad-reason"."""
    if reason is not None and len(reason) > MAX_REASON:
        raise UsageError("bad-reason", f"a reason has at most {MAX_REASON} characters", "shorten it")
    with atomic(connection):
        _require_status(connection, wallet_id, "ACTIVE", "wallet-not-active")
        connection.execute(
            "UPDATE wallets SET status = 'SUSPENDED', suspended_at = ?, suspension_reason = ?,"
            " updated_at = ? WHERE id = ?",
            (now, reason, now, wallet_id),
        )
    return _existing(connection, wallet_id)


def resume(connection: Connection, wallet_id: str, now: int) -> Wallet:
    """SUSPENDED becomes ACTIVE. Raises "wallet-not-found", "wallet-not-suspended"."""
    with atomic(connection):
        _require_status(connection, wallet_id, "SUSPENDED", "wallet-not-suspended")
        connection.execute(
            "UPDATE wallets SET status = 'ACTIVE', suspended_at = NULL, suspension_reason = NULL,"
            " updated_at = ? WHERE id = ?",
            (now, wallet_id),
        )
    return _existing(connection, wallet_id)


def uuid7(milliseconds: int) -> str:
    """A UUID of version 7 (RFC 9562, 5.7): 48 bits of Unix milliseconds, then random ones."""
    from uuid import UUID

    number = (milliseconds & (1 << 48) - 1) << 80 | int.from_bytes(os.urandom(10))
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    return str(UUID(int=number))


def _wallet(row: sqlite3.Row) -> Wallet:
    values = dict(row)
    return Wallet(**{**values, "owner_verified": bool(values["owner_verified"])})


def _existing(connection: Connection, wallet_id: str) -> Wallet:
    found = find(connection, wallet_id)
    if found is None:
        raise WaiaasError(
            "wallet-not-found", f"there is no wallet {wallet_id}", "list them: `waiaas wallets list`"
        )
    return found


def _require_status(connection: Connection, wallet_id: str, wanted: str, code: str) -> None:
    found = _existing(connection, wallet_id)
    if found.status != wanted:
        raise WaiaasError(
            code,
            f"wallet {wallet_id} is {found.status}, not {wanted}",
            f"look at it: `waiaas wallets show {wallet_id}`",
        )


def _refuse_known(connection: Connection, chain: str, public_key: str) -> None:
    """Ethereum addresses are the same in every mixture of cases; base58 is not."""
    collation = "NOCASE" if chain == "ethereum" else "BINARY"
    known = connection.execute(
        f"SELECT id FROM wallets WHERE public_key = ? COLLATE {collation}",  # noqa: S608 - two constants
        (public_key,),
    ).fetchone()
    if known is not None:
        raise WaiaasError(
            "wallet-exists",
            f"this address is already registered as wallet {known['id']}",
            f"look at it: `waiaas wallets show {known['id']}`",
        )


def _name(text: str) -> str:
    name = text.strip()
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise UsageError(
            "bad-name", f"a wallet's name has 1 to {MAX_NAME} printable characters", "choose another name"
        )
    return name
