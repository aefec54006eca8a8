"""Mending a database whose `schema_version` and tables disagree (MIG-07).

Our migrations leave alone what they find done, so such a file is repaired by running them again and
recording the rows that are missing. Whether that leads to exactly the schema we know is tried on an
empty copy of the structure first; only then is it called repairable.
"""

import sqlite3
from contextlib import closing

from waiaas.core.compat import LATEST_SCHEMA_VERSION
from waiaas.core.value import frozen
from waiaas.host.sqlite import Connection
from waiaas.store.history import FIRST, TRACES, History
from waiaas.store.migrations import MIGRATIONS
from waiaas.store.schema import connect_memory, describe, expected, record
from waiaas.store.structure import differences, facts
from waiaas.store.tables import table

DATA_STEP = 14  # leaves no trace in the structure; running it again changes nothing that is current


@frozen
class Repair:
    """Record `record` as repaired, then run `run`; `start` is the schema the file really has."""

    start: int
    record: tuple[int, ...]
    run: tuple[int, ...]


def repair(history: History) -> Repair | None:
    """What could mend a history that has `faults`; None where no schema of ours is proven."""
    if history.proven < FIRST or min(history.rows, default=1) < 1:
        return None
    start = history.claimed if history.claimed >= FIRST else history.proven
    behind = {step for step in TRACES if step <= start and step not in history.done}
    absent = set(range(1, start + 1)) - set(history.rows)
    again = {DATA_STEP} if start >= DATA_STEP else set()
    later = set(range(start + 1, LATEST_SCHEMA_VERSION + 1))
    ours = {migration.VERSION for migration in MIGRATIONS}
    run = (behind | absent | again | later) & ours
    return Repair(start, tuple(sorted(absent)), tuple(sorted(run)))


def record_repaired(connection: Connection, plan: Repair, now: int) -> None:
    """The rows that were lost, marked as written by a repair. Inside the caller's transaction."""
    version, applied_at, description = (column.sql(FIRST) for column in table("schema_version").columns)
    connection.execute(f"CREATE TABLE IF NOT EXISTS schema_version ({version}, {applied_at}, {description})")
    for missing in plan.record:
        record(connection, missing, f"{describe(missing)} (repaired)", now)


def unprovable(connection: Connection, plan: Repair) -> list[str]:
    """Try the repair on an empty copy of the structure; what would still differ. Empty: provable."""
    with closing(connect_memory()) as copy:
        try:
            for statement in _create_texts(connection):
                copy.execute(statement)
            copy.execute("BEGIN")
            record_repaired(copy, plan, 0)
            for migration in MIGRATIONS:
                if migration.VERSION in plan.run:
                    migration.apply(copy, 0)
            return differences(facts(copy), expected(LATEST_SCHEMA_VERSION))
        except (sqlite3.Error, ValueError) as problem:
            return [str(problem)]


def _create_texts(connection: Connection) -> list[str]:
    """Ordinary tables, then their indexes."""
    rows = connection.execute(
        "SELECT sql FROM sqlite_master WHERE type IN ('table', 'index') AND sql IS NOT NULL"
        " AND name NOT GLOB 'sqlite_*' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY type DESC"
    )
    return [str(row["sql"]) for row in rows]
