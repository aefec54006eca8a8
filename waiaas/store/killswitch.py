"""The kill switch: one word in `key_value_store`, shared with the previous implementation.

ACTIVE is normal service, SUSPENDED and LOCKED stop everything that acts. A word we do not know
counts as SUSPENDED: in doubt the switch is on. The words of older schemas mean what migration 14 will
make of them, for as long as it is to come. Throwing it: `switching.py`.
"""

from waiaas.host.sqlite import Connection
from waiaas.store import pairs

TYPE_CHECKING = False  # importing `typing` is one of the things that every command saves (PRF-3)
if TYPE_CHECKING:
    from typing import Literal

    State = Literal["ACTIVE", "SUSPENDED", "LOCKED"]

STATE = "kill_switch_state"
ACTIVATED_AT = "kill_switch_activated_at"
ACTIVATED_BY = "kill_switch_activated_by"


def state(connection: Connection) -> "State":
    """What is stored; a database that never stored one is ACTIVE."""
    stored = pairs.get(connection, STATE)
    if stored is None or stored == "ACTIVE":
        return "ACTIVE"
    if stored in ("LOCKED", "SUSPENDED"):
        return "LOCKED" if stored == "LOCKED" else "SUSPENDED"
    return _of_old(connection, stored)


def is_on(connection: Connection) -> bool:
    return state(connection) != "ACTIVE"


def thrown(connection: Connection) -> tuple[int | None, str | None]:
    """Since when (Unix seconds) the switch is on, and who threw it; None where that is not known."""
    return pairs.number(connection, ACTIVATED_AT), pairs.get(connection, ACTIVATED_BY)


def _of_old(connection: Connection, stored: str) -> "State":
    """Where migration 14 has not run on this database yet, what it will make of the word."""
    from waiaas.store.inspect import look
    from waiaas.store.migrations import m14

    off = m14.WORDS.get(stored) == "ACTIVE" and m14.VERSION in look(connection).pending
    return "ACTIVE" if off else "SUSPENDED"
