"""docs/reliability.md out of the results of `make chaos`, and these results between two runs.

A result is kept with the commit that it was found on, so that a part can be run again by itself.
"""

import json
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

KILL_HEAD = (
    "scenario",
    "operations",
    "kill points tried",
    "kill points of the recovery tried",
    "ended old",
    "ended new",
    "bad outcomes",
)
COUNT_HEAD = ("group", "cases", "held", "failed", "skipped")
COMMIT = "commit"

Row = list[object]


@dataclass
class Results:
    """Rows by their names, as the tables have them, each with its commit last; `soak` likewise."""

    kills: dict[str, Row] = field(default_factory=dict)
    groups: dict[str, Row] = field(default_factory=dict)
    soak: Row = field(default_factory=list)
    minutes: float = 0.0

    @classmethod
    def load(cls, path: Path) -> "Results":
        return cls(**json.loads(path.read_text())) if path.exists() else cls()

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1))

    def page(self, options: str) -> str:
        """Every number comes from the results."""
        where = f"Python {platform.python_version()}, {platform.system()} {platform.release()}"
        return PAGE.format(
            date=time.strftime("%Y-%m-%d", time.gmtime()),
            where=f"{where}, {os.cpu_count()} CPUs",
            minutes=round(self.minutes),
            options=options,
            kills=table((*KILL_HEAD, COMMIT), [*self.kills.values(), total(list(self.kills.values()))]),
            counts=table((*COUNT_HEAD, COMMIT), list(self.groups.values())),
            soaked=self.soak[0],
            soak_commit=self.soak[1],
        )


def total(rows: Sequence[Row]) -> Row:
    """The sums of the numbers between name and commit."""
    columns = list(zip(*rows, strict=True))[1 : len(KILL_HEAD)]
    return ["all", *(sum(int(str(value)) for value in column) for column in columns), ""]


def row(values: Sequence[object]) -> str:
    return "| " + " | ".join(str(value) for value in values) + " |"


def table(head: tuple[str, ...], rows: list[Row]) -> str:
    ruler = "|---|" + "--:|" * (len(head) - 1)
    return "\n".join([row(head), ruler, *(row(values) for values in rows)])


PAGE = """# Reliability

What was broken on purpose, and what was left. Written by `make chaos`; no number is typed by hand.

Run of {date}, {where}, {minutes} minutes.
Each line names the commit it was run on; one that was run again, after something was mended, has a later
one. To repeat it:

    make chaos {options}

## Kill points

The artefact runs; at an operation on the disk everything is killed with SIGKILL, as a power cut does
(“supervisor only”: the upgrading process alone, what it started lives on). Then recovery runs, once
in one go and once cut down in its turn at operations of its own, until one comes to its end. What is
left must be the old program with the old data or the new program with the new data, a second recovery
must find nothing to do, every backup must verify, and nothing may lie about. Anything else is a bad
outcome. What a power cut does to pages that were never synced is proved by the order of the system
calls (below).

{kills}

## Faults, attacks, damage

Test cases of `tests/journeys/`, on the built artefact with real processes, files and sockets. A
skipped case needs something that this machine does not have.

{counts}

## Soak

Upgrades and roll-backs under write load, with random kills of the upgrading process and of the daemon;
every write that was acknowledged has to be found afterwards, or in the backup that a roll-back of the
data makes first.

{soaked} (commit {soak_commit}).
"""
