"""Changes of structure that may be repeated: what is there already is left alone (MIG-07)."""

import sqlite3

from waiaas.host.sqlite import Connection
from waiaas.store.sqltext import with_name, with_value_allowed
from waiaas.store.tables import table


def columns(connection: Connection, name: str) -> list[str]:
    """The columns of a table in their order in the file; empty where there is no such table."""
    return [row["name"] for row in connection.execute("SELECT name FROM pragma_table_info(?)", (name,))]


def add_column(connection: Connection, name: str, column: str, definition: str) -> None:
    """`ALTER TABLE … ADD COLUMN`, at the end."""
    if column not in columns(connection, name):
        connection.execute(f"ALTER TABLE {name} ADD COLUMN {column} {definition}")


def create_table(connection: Connection, name: str, schema: int) -> None:
    """A table of `tables` with its indexes, as of that schema."""
    for statement in table(name).sql(schema):
        head, kind, rest = statement.partition("TABLE " if statement.startswith("CREATE TABLE") else "INDEX ")
        connection.execute(f"{head}{kind}IF NOT EXISTS {rest}")


def allow_values(connection: Connection, values: dict[str, tuple[str, str]]) -> None:
    """Widen `CHECK (column IN (…))`: table -> (column, value). Runs inside the caller's transaction.

    Widening leaves every stored row valid, so the CREATE text is edited in place, the procedure for
    that in sqlite.org/lang_altertable.html; where SQLite forbids it (defensive mode), the table is
    rebuilt. Foreign keys must be off. Raises ValueError where a table has no such CHECK.
    """
    wanted = {}
    for name, (column, value) in values.items():
        old = _create_text(connection, name)
        new = with_value_allowed(old, column, value)
        if new != old:
            wanted[name] = new
    if wanted and not edit_in_place(connection, wanted):
        for name, text in wanted.items():
            rebuild(connection, name, text)


def edit_in_place(connection: Connection, texts: dict[str, str]) -> bool:
    """Replace CREATE texts; False, and nothing changed, where SQLite does not let us."""
    cookie = connection.execute("PRAGMA schema_version").fetchone()[0]
    connection.execute("PRAGMA writable_schema = ON")
    try:
        for name, text in texts.items():
            connection.execute(
                "UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = ?", (text, name)
            )
    except sqlite3.OperationalError:
        return False
    else:
        connection.execute(f"PRAGMA schema_version = {cookie + 1}")
    finally:
        connection.execute("PRAGMA writable_schema = RESET")
    return True


def rebuild(connection: Connection, name: str, create: str) -> None:
    """The twelve steps of sqlite.org/lang_altertable.html for one table; implicit row ids are kept."""
    if connection.execute("PRAGMA foreign_keys").fetchone()[0]:
        raise ValueError("a table is rebuilt only while foreign keys are off")
    saved = connection.execute(
        "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND type IN ('index', 'trigger')"
        " AND sql IS NOT NULL ORDER BY type, name",
        (name,),
    ).fetchall()
    names = ", ".join(f'"{column}"' for column in columns(connection, name))
    temporary = f"new_{name}"
    connection.execute(with_name(create, temporary))
    connection.execute(
        f"INSERT INTO {temporary} (rowid, {names}) SELECT rowid, {names} FROM {name}"  # noqa: S608 - our names
    )
    connection.execute(f"DROP TABLE {name}")
    connection.execute(f"ALTER TABLE {temporary} RENAME TO {name}")
    for row in saved:
        connection.execute(row["sql"])


def _create_text(connection: Connection, name: str) -> str:
    row = connection.execute(
        "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (name,)
    ).fetchone()
    if row is None:
        raise ValueError(f"there is no table {name}")
    return str(row["sql"])
