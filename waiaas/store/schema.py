"""A new database: schema 16 directly, then every migration above it, all versions recorded (MIG-05)."""

from contextlib import closing
from functools import cache
from pathlib import Path

from waiaas.core.compat import LATEST_SCHEMA_VERSION
from waiaas.core.errors import WaiaasError
from waiaas.core.layout import FILE_MODE
from waiaas.host.clock import Clock
from waiaas.host.files import Files
from waiaas.host.sqlite import SIDE_FILES, Connection, connect, side, transaction
from waiaas.store.migrations import MIGRATIONS
from waiaas.store.structure import Facts, facts
from waiaas.store.tables import BASE_SCHEMA, TABLES, ddl

# versions before our first migration, as the previous implementation describes them
OLD_DESCRIPTIONS = {
    1: f"Initial schema ({len(TABLES)} tables)",
    2: "Expand agents network CHECK to include EVM networks",
    3: "Rename agents to wallets (table, FK columns, indexes, enum data)",
    4: "Create token_registry table for EVM token management",
    5: "Create settings table for operational config DB storage",
    6: "Add network column to transactions with backfill from wallets",
    7: "Replace wallets.network with environment + default_network (12-step recreation)",
    8: "Add network column to policies and ALLOWED_NETWORKS type support",
    9: "Add SIGNED status and SIGN type to transactions CHECK constraints",
    10: "Add message column to notification_logs",
    11: "Add api_keys table for Action Provider API key storage",
}


def create(files: Files, clock: Clock, path: Path) -> None:
    """Make the database: 0600, WAL, under its name only when complete. Raises "database-exists"."""
    if path.exists():
        raise WaiaasError("database-exists", f"there is already a database at {path}", "run `waiaas start`")
    temporary = path.with_name(f".{path.name}.new")
    for leftover in (temporary, *(side(temporary, suffix) for suffix in SIDE_FILES)):
        leftover.unlink(missing_ok=True)
    files.at("database.create:write")
    temporary.touch(mode=FILE_MODE, exist_ok=False)
    with closing(connect(temporary)) as connection:
        connection.execute("PRAGMA synchronous = OFF")  # the finished file is fsynced before it is renamed
        build(connection, clock.seconds())
        connection.execute("PRAGMA journal_mode = WAL")
    files.sync("database.create", temporary)
    files.replace("database.create", temporary, path)


def build(connection: Connection, now: int) -> None:
    """Everything a new database has, on an empty one; `now` in Unix seconds."""
    connection.execute("PRAGMA foreign_keys = OFF")
    with transaction(connection):
        for statement in ddl(BASE_SCHEMA):
            connection.execute(statement)
        for migration in MIGRATIONS:
            if migration.VERSION > BASE_SCHEMA:
                migration.apply(connection, now)
        for version in range(1, LATEST_SCHEMA_VERSION + 1):
            record(connection, version, describe(version), now)


def record(connection: Connection, version: int, description: str, now: int) -> None:
    """Write a version's row; a row that is there already tells its own history and stays."""
    connection.execute(
        "INSERT OR IGNORE INTO schema_version (version, applied_at, description) VALUES (?, ?, ?)",
        (version, now, description),
    )


def describe(version: int) -> str:
    """The description under which a version is recorded."""
    known = {migration.VERSION: migration.DESCRIPTION for migration in MIGRATIONS}
    return known.get(version) or OLD_DESCRIPTIONS[version]


@cache
def expected(schema: int) -> Facts:
    """What a database of schema 10 or later looks like."""
    with closing(connect_memory()) as connection:
        for statement in ddl(min(schema, BASE_SCHEMA)):
            connection.execute(statement)
        for migration in MIGRATIONS:
            if BASE_SCHEMA < migration.VERSION <= schema:
                migration.apply(connection, 0)
        return facts(connection)


def connect_memory() -> Connection:
    """An empty database that exists nowhere but here; foreign keys are off."""
    connection = connect(Path(":memory:"))
    connection.execute("PRAGMA foreign_keys = OFF")
    return connection
