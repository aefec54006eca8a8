"""What `schema_version` claims, and what the tables prove (MIG-02, MIG-07).

The previous implementation can leave a file whose rows and tables disagree: a row written after the
commit of its step was lost, a step stopped halfway, an empty `schema_version` was filled as if the
file were new. `repair.py` mends it where that is provable.
"""

from waiaas.core.value import frozen
from waiaas.host.sqlite import Connection
from waiaas.store.structure import facts

FIRST = 11  # the first step whose traces we know
# step -> sentences of `structure.facts` that only it makes true, as prefixes
TRACES: dict[int, tuple[str, ...]] = {
    11: ("table api_keys",),
    12: ("check transactions type ", "check policies type "),
    13: ("column transactions amount_usd ", "column transactions reserved_amount_usd "),
    15: ("table telegram_users",),
    16: ("table wc_sessions", "table wc_store", "column pending_approvals approval_channel "),
}
TABLES = {"schema_version"} | {trace.split()[1] for traces in TRACES.values() for trace in traces}
WORDS = {12: ("X402_PAYMENT", "X402_ALLOWED_DOMAINS")}


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
    actual = facts(connection, TABLES)
    marks = {step: [_trace(actual, step, at) for at in range(len(TRACES[step]))] for step in TRACES}
    return History(
        rows=_rows(connection) if "table schema_version" in actual else (),
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


def _trace(actual: frozenset[str], step: int, at: int) -> bool:
    prefix = TRACES[step][at]
    word = f"'{WORDS[step][at]}'" if step in WORDS else ""
    return any(sentence.startswith(prefix) and word in sentence for sentence in actual)


def _list(versions: list[int]) -> str:
    return ("version " if len(versions) == 1 else "versions ") + ", ".join(map(str, versions))
