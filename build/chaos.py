"""`make chaos`: break everything on purpose, count what happened, and write docs/reliability.md.

WAIAAS_CUT_STRIDE (1: every operation), WAIAAS_NESTED_STRIDE (6: each recovery is cut in its turn, at
every sixth operation, from another one each time), WAIAAS_CHAOS_MINUTES (240: the budget of the kill
points; what it cuts short is said), WAIAAS_CHAOS_JOBS (2 at once), WAIAAS_SOAK_CYCLES (200).
"""

import os
import platform
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from soak import CYCLES, SEED, soak

from tests.journeys.chaos import SCENARIOS, Bench, Tally, try_all, versions
from tests.journeys.orphans import try_all_alone
from tests.journeys.workshop import Workshop

REPOSITORY = Path(__file__).parents[1]
STRIDE = int(os.environ.get("WAIAAS_CUT_STRIDE", "1"))
NESTED = int(os.environ.get("WAIAAS_NESTED_STRIDE", "6"))
MINUTES = float(os.environ.get("WAIAAS_CHAOS_MINUTES", "240"))
JOBS = int(os.environ.get("WAIAAS_CHAOS_JOBS", "2"))
PAGE = REPOSITORY / "docs" / "reliability.md"
GROUPS = {
    "storage faults": ("storage",),
    "hostile bundles": ("bundle",),
    "hostile feeds and networks": ("attacks", "rotation", "withdrawn"),
    "hostile clients": ("clients",),
    "damaged data": ("damage",),
    "two owners": ("owners",),
    "several at once": ("concurrency", "gate", "strangers", "leftovers"),
    "broken next versions": ("broken", "probation"),
    "order of system calls, and it broken on purpose": ("order",),
}


@dataclass(frozen=True)
class Counted:
    """How the tests of a group ended."""

    group: str
    cases: int
    passed: int
    failed: int
    skipped: int

    def cells(self) -> tuple[object, ...]:
        return (self.group, self.cases, self.passed, self.failed, self.skipped)


def kill_points(workshop: Workshop, number: int, alone: bool, end: float) -> Tally:
    """All kill points of one scenario; in a process and a folder of its own. `end` is Unix seconds."""
    with tempfile.TemporaryDirectory(prefix="waiaas-chaos-") as name:
        bench = Bench(workshop, Path(name), SCENARIOS[number])
        try:
            if alone:
                return try_all_alone(bench, STRIDE, lambda: time.time() > end)
            return try_all(bench, STRIDE, NESTED, lambda: time.time() > end)
        finally:
            bench.close()


def all_kill_points() -> list[Tally]:
    """Every scenario, on the same artefacts, whatever happens to the tree meanwhile."""
    end = time.time() + MINUTES * 60
    with tempfile.TemporaryDirectory(prefix="waiaas-chaos-") as name, ProcessPoolExecutor(JOBS) as pool:
        workshop = Workshop(Path(name))
        for migrating in (False, True):
            versions(workshop, migrating)
        asked = [
            pool.submit(kill_points, workshop, number, alone, end)
            for alone in (False, True)
            for number in range(len(SCENARIOS))
        ]
        tallies = []
        for future in asked:
            tallies.append(future.result())
            print(row(cells(tallies[-1])), flush=True)
            for sentence in tallies[-1].bad:
                print(f"BAD: {sentence}", flush=True)
    return tallies


def counted(group: str, names: tuple[str, ...]) -> Counted | None:
    """Run the tests of a group; None where none of its files exists."""
    files = [REPOSITORY / f"tests/journeys/test_journey_{name}.py" for name in names]
    present = [str(path) for path in files if path.exists()]
    if not present:
        return None
    with tempfile.TemporaryDirectory() as folder:
        junit = Path(folder) / "junit.xml"
        argv = [sys.executable, "-m", "pytest", "-q", f"--junitxml={junit}", *present]
        done = subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        if done.returncode:
            print(done.stdout, flush=True)
        suite = ElementTree.parse(junit).getroot().find("testsuite")
    told = {key: int(value) for key, value in suite.items() if value.isdigit()} if suite is not None else {}
    cases, skipped = told.get("tests", 0), told.get("skipped", 0)
    failed = told.get("failures", 0) + told.get("errors", 0)
    return Counted(group, cases, cases - failed - skipped, failed, skipped)


def all_groups() -> list[Counted]:
    groups = []
    for group, names in GROUPS.items():
        if (found := counted(group, names)) is not None:
            groups.append(found)
            print(row(found.cells()), flush=True)
    return groups


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


def cells(tally: Tally) -> tuple[object, ...]:
    made = (tally.scenario, tally.operations, tally.cuts, tally.recovery_cuts)
    return (*made, tally.old, tally.new, len(tally.bad))


def total(tallies: list[Tally]) -> tuple[object, ...]:
    rows = [cells(tally)[1:] for tally in tallies]
    return ("all", *(sum(int(str(value)) for value in column) for column in zip(*rows, strict=True)))


def row(values: tuple[object, ...]) -> str:
    return "| " + " | ".join(str(value) for value in values) + " |"


def table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    ruler = "|---|" + "--:|" * (len(head) - 1)
    return "\n".join([row(head), ruler, *(row(values) for values in rows)])


def page(commit: str, tallies: list[Tally], groups: list[Counted], soaked: str, minutes: float) -> str:
    """docs/reliability.md: every number comes from this run."""
    where = (
        f"Python {platform.python_version()}, {platform.system()} {platform.release()}, {os.cpu_count()} CPUs"
    )
    kills = table(KILL_HEAD, [*map(cells, tallies), total(tallies)])
    counts = table(COUNT_HEAD, [group.cells() for group in groups])
    options = f"WAIAAS_CUT_STRIDE={STRIDE} WAIAAS_NESTED_STRIDE={NESTED}"
    return PAGE_TEXT.format(
        date=time.strftime("%Y-%m-%d", time.gmtime()),
        where=where,
        commit=commit,
        minutes=round(minutes),
        options=f"{options} WAIAAS_SOAK_CYCLES={CYCLES} WAIAAS_SOAK_SEED={SEED}",
        kills=kills,
        counts=counts,
        soaked=soaked,
    )


PAGE_TEXT = """# Reliability

What was broken on purpose, and what was left. Written by `make chaos`; no number is typed by hand.

Run of {date}, commit {commit}, {where}, {minutes} minutes. To repeat it:

    make chaos {options}

## Kill points

The artefact runs; at an operation on the disk everything is killed with SIGKILL, as a power cut does
(“supervisor only”: the upgrading process alone, what it started lives on). Then recovery runs, and is
itself cut down at operations of its own, until one comes to its end. What is left must be the old
program with the old data or the new program with the new data, a second recovery must find nothing
to do, every backup must verify, and nothing may lie about. Anything else is a bad outcome. What a
power cut does to pages that were never synced is proved by the order of the system calls (below).

{kills}

## Faults, attacks, damage

Test cases of `tests/journeys/`, on the built artefact with real processes, files and sockets. A
skipped case needs something that this machine does not have.

{counts}

## Soak

Upgrades and roll-backs under write load, with random kills of the upgrading process and of the daemon;
every write that was acknowledged has to be found afterwards, or in the backup that a roll-back of the
data makes first.

{soaked}.
"""


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _commit() -> str:
    """What the artefacts are built from, asked before they are."""
    changed = " with changes" if _git("status", "-s", "waiaas") else ""
    return _git("rev-parse", "--short=12", "HEAD") + changed


def main() -> int:
    began, commit = time.monotonic(), _commit()
    with ProcessPoolExecutor(1) as beside:  # it waits more than it works
        soaking = beside.submit(soak, CYCLES, SEED)
        print(f"soak: {CYCLES} cycles, seed {SEED}", row(KILL_HEAD), sep="\n", flush=True)
        tallies = all_kill_points()
        print(row(total(tallies)), "", row(COUNT_HEAD), sep="\n", flush=True)
        groups = all_groups()
        report = soaking.result()
    print(f"\nsoak: {report}", *(f"BAD: {sentence}" for sentence in report.bad), sep="\n")
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(commit, tallies, groups, str(report), (time.monotonic() - began) / 60))
    print(f"\nwritten: {PAGE.relative_to(REPOSITORY)}")
    bad = sum(len(tally.bad) for tally in tallies) + sum(group.failed for group in groups)
    return int(bool(bad or report.bad or report.lost))


if __name__ == "__main__":
    sys.exit(main())
