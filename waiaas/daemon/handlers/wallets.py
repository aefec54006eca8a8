"""Routes of wallets: list, show, register watch-only, rename, suspend, resume."""

from waiaas.core.value import fields
from waiaas.daemon.handlers.admin import refuse_in_probation
from waiaas.daemon.parts import ACTOR, Call, Parts
from waiaas.daemon.problem import Problem
from waiaas.daemon.reply import Response, document
from waiaas.host.sqlite import Connection
from waiaas.store import audit, killswitch, wallets
from waiaas.store.wallets import Wallet


def listing(parts: Parts, _call: Call) -> Response:
    """The oldest first."""
    with parts.database.reading() as connection:
        found = wallets.listing(connection)
    return document({"data": [to_json(wallet) for wallet in found]})


def show(parts: Parts, call: Call) -> Response:
    with parts.database.reading() as connection:
        found = wallets.find(connection, call.path["id"])
    if found is None:
        raise Problem(
            404, "wallet-not-found", "there is no wallet with this id", "list them: GET /v1/wallets"
        )
    return document(to_json(found))


def register(parts: Parts, call: Call) -> Response:
    """Register a watch-only address."""
    refuse_in_probation(parts)
    now = parts.clock.seconds()
    name, chain, environment, key = (
        str(call.body[member]) for member in ("name", "chain", "environment", "publicKey")
    )
    with parts.database.writing() as connection:
        _refuse_switched_off(connection)
        wallet = wallets.register(connection, name, chain, environment, key, now)
        details = {"name": wallet.name, "chain": wallet.chain, "publicKey": wallet.public_key}
        audit.write(connection, "WALLET_CREATED", ACTOR, details, now, wallet_id=wallet.id)
    return document(to_json(wallet), 201, ("Location", f"/v1/wallets/{wallet.id}"))


def change(parts: Parts, call: Call) -> Response:
    """Rename, suspend or resume; all of what is asked for, or nothing."""
    refuse_in_probation(parts)
    if "reason" in call.body and call.body.get("status") != "SUSPENDED":
        raise Problem(400, "bad-request-body", "a reason goes with status SUSPENDED only")
    with parts.database.writing() as connection:
        _refuse_switched_off(connection)
        wallet = _changed(connection, call, parts.clock.seconds())
    return document(to_json(wallet))


def to_json(wallet: Wallet) -> dict[str, object]:
    """The columns under their names in camelCase."""
    return {_camel(field.name): getattr(wallet, field.name) for field in fields(wallet)}


def _changed(connection: Connection, call: Call, now: int) -> Wallet:
    wallet_id, wanted = call.path["id"], call.body.get("status")
    wallet: Wallet | None = None
    if "name" in call.body:
        wallet = wallets.rename(connection, wallet_id, str(call.body["name"]), now)
        audit.write(connection, "WALLET_RENAMED", ACTOR, {"name": wallet.name}, now, wallet_id=wallet_id)
    if wanted == "SUSPENDED":
        reason = str(call.body["reason"]) if "reason" in call.body else None
        wallet = wallets.suspend(connection, wallet_id, reason, now)
        audit.write(connection, "WALLET_SUSPENDED", ACTOR, {"reason": reason}, now, "warning", wallet_id)
    if wanted == "ACTIVE":
        wallet = wallets.resume(connection, wallet_id, now)
        audit.write(connection, "WALLET_RESUMED", ACTOR, {}, now, wallet_id=wallet_id)
    if wallet is None:
        raise Problem(400, "bad-request-body", "nothing to change: give name or status")
    return wallet


def _refuse_switched_off(connection: Connection) -> None:
    if killswitch.is_on(connection):
        raise Problem(
            409, "kill-switch-on", "the kill switch is on: nothing is changed", "run: waiaas kill-switch off"
        )


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
