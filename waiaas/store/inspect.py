"""Looking at a database without writing to it: which schema, what is pending, what is wrong (MIG-06)."""

import sqlite3
from pathlib import Path

from waiaas.core.compat import LATEST_SCHEMA_VERSION, Migrate, TooNew, TooOld, assess
from waiaas.core.value import frozen
from waiaas.host.gate import Gate
from waiaas.host.sqlite import Connection, reading
from waiaas.store import history

TYPE_CHECKING = False  # importing `typing` is one of the things that every command saves (PRF-3)
if TYPE_CHECKING:
    from typing import Literal

    Action = Literal["ok", "migrate", "reject"]

ATTEMPTS = 3  # a look beside a daemon that starts or stops may see the file between two states


@frozen
class DatabaseState:
    """What a look found.

    `rows`: the recorded versions; `schema`: the highest, or what the tables prove where the rows are
    lost; `pending`: migrations that will run; `damage`: what is wrong with the recorded history.
    """

    schema: int
    rows: tuple[int, ...]
    pending: tuple[int, ...]
    action: "Action"
    reason: str
    damage: str | None = None

    def require(self) -> None:
        """Raise what stands against serving this database: SchemaIncompatible, or "database-damaged"."""
        if self.action != "reject":
            return
        if self.damage is None:
            from waiaas.core.incompatible import require_compatible

            require_compatible(self.schema)
        from waiaas.store.unreadable import damaged

        raise damaged(self.reason)


def inspect(path: Path, gate: Gate, patience: float = 5.0) -> DatabaseState:
    """Look, read-only. Raises "database-missing", "database-damaged", or `Busy` after `patience` s."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with reading(path, gate, patience) as connection:
                return look(connection)
        except (FileNotFoundError, sqlite3.Error) as problem:
            from waiaas.store.unreadable import why

            told = why(path, problem)
            if attempt == ATTEMPTS or told.code != "database-damaged":
                raise told from problem
    raise AssertionError


def look(connection: Connection) -> DatabaseState:
    """The same on an open connection. Raises `sqlite3.Error`."""
    found = history.read(connection)
    schema, rows = found.claimed, found.rows
    verdict = assess(schema)
    if isinstance(verdict, TooNew):
        reason = f"schema {schema} is newer than {LATEST_SCHEMA_VERSION}, the newest this version knows"
        return DatabaseState(schema, rows, (), "reject", reason)
    if found.too_old:
        return DatabaseState(schema, rows, (), "reject", f"schema {schema} is too old to migrate from here")
    if faults := history.faults(found):
        return _mended(connection, found, "; ".join(faults))
    if isinstance(verdict, Migrate):
        return DatabaseState(schema, rows, verdict.pending, "migrate", _steps(verdict.pending))
    if isinstance(verdict, TooOld):
        return DatabaseState(schema, rows, (), "reject", f"schema {schema} is too old to migrate from here")
    return DatabaseState(schema, rows, (), "ok", f"schema {schema} is the one this version serves")


def _mended(connection: Connection, found: history.History, damage: str) -> DatabaseState:
    """A damaged history: to be repaired where a trial on an empty copy proves that it can be."""
    from waiaas.store import repair  # and with it every table and migration

    plan = repair.repair(found)
    if plan is None:
        reason = f"this is no database of WAIaaS that this version knows ({damage})"
        return DatabaseState(found.claimed, found.rows, (), "reject", reason, damage)
    if against := repair.unprovable(connection, plan):
        reason = f"{damage}, and no repair is certain ({'; '.join(against[:3])})"
        return DatabaseState(plan.start, found.rows, (), "reject", reason, damage)
    reason = f"{damage}: this will be repaired on a copy"
    return DatabaseState(plan.start, found.rows, plan.run, "migrate", reason, damage)


def _steps(pending: tuple[int, ...]) -> str:
    return (
        f"{len(pending)} migration{'s' if len(pending) > 1 else ''} pending: {', '.join(map(str, pending))}"
    )
