"""The kill switch: one word in `key_value_store`, shared with the previous implementation.

ACTIVE is normal service, SUSPENDED and LOCKED stop everything that acts. A word we do not know
counts as SUSPENDED: in doubt the switch is on. The words of older schemas mean what migration 14 will
make of them, for as long as it is to come.
"""

from typing import Literal

from waiaas.host.sqlite import Connection
from waiaas.store import audit, keyvalue
from waiaas.store.atomic import atomic
from waiaas.store.migrations import m14

State = Literal["ACTIVE", "SUSPENDED", "LOCKED"]
STATE = "kill_switch_state"
ACTIVATED_AT = "kill_switch_activated_at"
ACTIVATED_BY = "kill_switch_activated_by"
THROWN = ("SUSPENDED", "LOCKED", "ACTIVATED")  # the last one before schema 14


def state(connection: Connection) -> State:
    """What is stored; a database that never stored one is ACTIVE."""
    stored = keyvalue.get(connection, STATE)
    if stored in m14.WORDS and _will_migrate(connection):
        stored = m14.WORDS[stored]
    if stored is None or stored == "ACTIVE":
        return "ACTIVE"
    return "LOCKED" if stored == "LOCKED" else "SUSPENDED"


def is_on(connection: Connection) -> bool:
    return state(connection) != "ACTIVE"


def thrown(connection: Connection) -> tuple[int | None, str | None]:
    """Since when (Unix seconds) the switch is on, and who threw it; None where that is not known."""
    return keyvalue.number(connection, ACTIVATED_AT), keyvalue.get(connection, ACTIVATED_BY)


def switch(connection: Connection, on: bool, actor: str, now: int) -> State:
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
        if keyvalue.get(connection, STATE) not in THROWN:
            _suspend(connection, actor, now)


def _will_migrate(connection: Connection) -> bool:
    """Migration 14 has not run on this database yet, and what it finds it will translate."""
    from waiaas.store.inspect import look

    return m14.VERSION in look(connection).pending


def _suspend(connection: Connection, actor: str, now: int) -> None:
    keyvalue.put(connection, STATE, "SUSPENDED", now)
    keyvalue.put(connection, ACTIVATED_AT, str(now), now)
    keyvalue.put(connection, ACTIVATED_BY, actor, now)
    audit.write(connection, "KILL_SWITCH_ACTIVATED", actor, {"state": "SUSPENDED"}, now, "critical")


def _activate(connection: Connection, actor: str, now: int, before: State) -> None:
    keyvalue.put(connection, STATE, "ACTIVE", now)
    keyvalue.delete(connection, ACTIVATED_AT)
    keyvalue.delete(connection, ACTIVATED_BY)
    audit.write(
        connection, "KILL_SWITCH_RECOVERED", actor, {"state": "ACTIVE", "from": before}, now, "warning"
    )
