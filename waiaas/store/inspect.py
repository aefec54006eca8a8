"""Looking at a database without writing to it: which schema, what is pending, what is wrong (MIG-06)."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from waiaas.core.compat import Migrate, Ready, TooNew, assess, require_compatible
from waiaas.core.errors import WaiaasError
from waiaas.host.locks import Gate
from waiaas.host.sqlite import Connection, reading

Action = Literal["ok", "migrate", "reject"]


@dataclass(frozen=True)
class DatabaseState:
    """`rows` are the recorded versions; `damage` says what is wrong with the history, if anything."""

    schema: int
    rows: tuple[int, ...]
    pending: tuple[int, ...]
    action: Action
    reason: str
    damage: str | None = None

    def require(self) -> None:
        """Raise what stands against serving this database: SchemaIncompatible, or "database-damaged"."""
        require_compatible(self.schema)


def inspect(path: Path, gate: Gate, patience: float = 5.0) -> DatabaseState:
    """Look, read-only. Raises "database-missing", "database-damaged", or `Busy`."""
    try:
        with reading(path, gate, patience) as connection:
            return look(connection)
    except FileNotFoundError as problem:
        raise WaiaasError(
            "database-missing", f"there is no database at {path}", "run `waiaas doctor`"
        ) from problem
    except sqlite3.Error as problem:
        raise WaiaasError(
            "database-damaged", f"the database cannot be read: {problem}", "`waiaas backup list`"
        ) from problem


def look(connection: Connection) -> DatabaseState:
    """The same on an open connection."""
    found = connection.execute("SELECT version FROM schema_version ORDER BY version")
    rows = tuple(int(row["version"]) for row in found)
    schema = max(rows, default=0)
    verdict = assess(schema)
    if isinstance(verdict, Ready):
        return DatabaseState(schema, rows, (), "ok", "the schema is the one this version serves")
    if isinstance(verdict, Migrate):
        return DatabaseState(schema, rows, verdict.pending, "migrate", "older")
    return DatabaseState(schema, rows, (), "reject", "newer" if isinstance(verdict, TooNew) else "older")
