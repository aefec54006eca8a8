"""Throwing the kill switch, and allowing everything again; each is audited."""

from waiaas.host.sqlite import Connection
from waiaas.store import audit, pairs
from waiaas.store.atomic import atomic
from waiaas.store.killswitch import ACTIVATED_AT, ACTIVATED_BY, STATE, state

TYPE_CHECKING = False  # a name for annotations alone
if TYPE_CHECKING:
    from waiaas.store.killswitch import State

THROWN = ("SUSPENDED", "LOCKED", "ACTIVATED")  # the last one before schema 14


def switch(connection: Connection, on: bool, actor: str, now: int) -> "State":
    """Set it, audited, in one transaction; returns the new state. What is so already is left alone."""
    with atomic(connection):
        before = state(connection)
        if on == (before != "ACTIVE"):
            return before
        if on:
            _suspend(connection, actor, now)
        else:
            _activate(connection, actor, now, before)
        return state(connection)


def throw(connection: Connection, actor: str, now: int) -> None:
    """It is on afterwards, whatever schema the database has: before 14 NORMAL was the word for off."""
    with atomic(connection):
        if pairs.get(connection, STATE) not in THROWN:
            _suspend(connection, actor, now)


def _suspend(connection: Connection, actor: str, now: int) -> None:
    pairs.put(connection, STATE, "SUSPENDED", now)
    pairs.put(connection, ACTIVATED_AT, str(now), now)
    pairs.put(connection, ACTIVATED_BY, actor, now)
    audit.write(connection, "KILL_SWITCH_ACTIVATED", actor, {"state": "SUSPENDED"}, now, "critical")


def _activate(connection: Connection, actor: str, now: int, before: "State") -> None:
    pairs.put(connection, STATE, "ACTIVE", now)
    pairs.delete(connection, ACTIVATED_AT)
    pairs.delete(connection, ACTIVATED_BY)
    audit.write(
        connection, "KILL_SWITCH_RECOVERED", actor, {"state": "ACTIVE", "from": before}, now, "warning"
    )
