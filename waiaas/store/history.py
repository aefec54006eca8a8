"""What `schema_version` claims, and what the tables prove (MIG-02, MIG-07).

The previous implementation can leave a file whose rows and tables disagree: a row written after the
commit of its step was lost, a step stopped halfway, an empty `schema_version` was filled as if the
file were new. `repair.py` mends it where that is provable.
"""

from waiaas.core.value import frozen
from waiaas.host.sqlite import Connection

FIRST = 11  # the first step whose traces we know
Trace = tuple[str, str, str]  # table, its column or "", a word that a CHECK of this column lets in or ""
TRACES: dict[int, tuple[Trace, ...]] = {  # step -> what only it makes true
    11: (("api_keys", "", ""),),
    12: (("transactions", "type", "X402_PAYMENT"), ("policies", "type", "X402_ALLOWED_DOMAINS")),
    13: (("transactions", "amount_usd", ""), ("transactions", "reserved_amount_usd", "")),
    15: (("telegram_users", "", ""),),
    16: (("wc_sessions", "", ""), ("wc_store", "", ""), ("pending_approvals", "approval_channel", "")),
}
TABLES = "SELECT name, sql FROM sqlite_master WHERE type = 'table'"
COLUMNS = "SELECT name FROM pragma_table_xinfo(?)"


@frozen
class History:
    """`rows`: the recorded versions. `done`, `begun`: the steps whose traces are all, partly there."""

    rows: tuple[int, ...]
    done: frozenset[int]
    begun: frozenset[int]

    @property
    def claimed(self) -> int:
        return max(self.rows, default=0)

    @property
    def too_old(self) -> bool:
        """Older than anything whose traces we know, and saying so itself."""
        return 0 < self.claimed < FIRST and not (self.claimed == FIRST - 1 and FIRST in self.done)

    @property
    def proven(self) -> int:
        """The highest schema all of whose steps have left their traces; below `FIRST`: none."""
        reached = FIRST - 1
        for step in TRACES:
            if step not in self.done:
                break
            reached = step
        return reached


def read(connection: Connection) -> History:
    """Raises `sqlite3.Error` where the file cannot be read."""
    tables = {str(row["name"]): str(row["sql"]) for row in connection.execute(TABLES)}
    with_columns = {table for traces in TRACES.values() for table, column, _ in traces if column}
    columns = {
        table: {str(row["name"]) for row in connection.execute(COLUMNS, (table,))}
        for table in with_columns & tables.keys()
    }
    marks = {step: [_left(trace, tables, columns) for trace in traces] for step, traces in TRACES.items()}
    return History(
        rows=_rows(connection) if "schema_version" in tables else (),
        done=frozenset(step for step, found in marks.items() if all(found)),
        begun=frozenset(step for step, found in marks.items() if any(found)),
    )


def faults(history: History) -> list[str]:
    """Each disagreement between the rows and the tables, in one clause."""
    claimed = history.claimed
    if not history.rows and not history.begun:
        return ["it holds no table of WAIaaS"]
    if not history.rows:
        return ["schema_version is empty although the tables are there"]
    found = ["schema_version names versions below 1"] if min(history.rows) < 1 else []
    if absent := sorted(set(range(1, claimed + 1)) - set(history.rows)):
        found.append(f"schema_version lacks {_list(absent)}")
    if behind := [step for step in TRACES if step <= claimed and step not in history.done]:
        found.append(f"schema_version names {_list(behind)}, whose changes are missing or incomplete")
    if ahead := [step for step in TRACES if step > claimed and step in history.begun]:
        found.append(f"changes of {_list(ahead)} are there without a row in schema_version")
    return found


def _rows(connection: Connection) -> tuple[int, ...]:
    found = connection.execute("SELECT version FROM schema_version ORDER BY version")
    return tuple(int(row["version"]) for row in found)


def _left(trace: Trace, tables: dict[str, str], columns: dict[str, set[str]]) -> bool:
    """The words occur nowhere else in a CREATE TABLE, so its text need not be taken apart."""
    table, column, word = trace
    there = table in tables and (not column or column in columns[table])
    return there and (not word or f"'{word}'" in tables[table])


def _list(versions: list[int]) -> str:
    return ("version " if len(versions) == 1 else "versions ") + ", ".join(map(str, versions))
