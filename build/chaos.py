"""`make chaos`: break everything on purpose, count what happened, and write docs/reliability.md.

WAIAAS_CUT_STRIDE (1: every operation), WAIAAS_NESTED_STRIDE (6: each recovery is left alone once, and
once cut in its turn at every sixth operation, from another one each time), WAIAAS_CHAOS_MINUTES (240: the
budget of the kill points; what it cuts short is said), WAIAAS_CHAOS_JOBS (2 at once),
WAIAAS_SOAK_CYCLES (200), WAIAAS_CHAOS_ONLY (run again only these lines of the page, "soak" or the names in
the first column, with a semicolon between two; the rest is taken from the last run, if there was one).
"""

import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from reliability import COUNT_HEAD, KILL_HEAD, Results, row, total
from soak import CYCLES, SEED, soak

from tests.journeys.chaos import SCENARIOS, Bench, Tally, try_all, versions
from tests.journeys.orphans import ALONE, try_all_alone
from tests.journeys.soak import Report
from tests.journeys.workshop import Workshop

REPOSITORY = Path(__file__).parents[1]
STRIDE = int(os.environ.get("WAIAAS_CUT_STRIDE", "1"))
NESTED = int(os.environ.get("WAIAAS_NESTED_STRIDE", "6"))
MINUTES = float(os.environ.get("WAIAAS_CHAOS_MINUTES", "240"))
JOBS = int(os.environ.get("WAIAAS_CHAOS_JOBS", "2"))
ONLY = [name.strip() for name in os.environ.get("WAIAAS_CHAOS_ONLY", "").split(";") if name.strip()]
WHOLE = {"WAIAAS_GATE_ROUNDS": "20"}  # what `make journeys` does less often
PAGE = REPOSITORY / "docs" / "reliability.md"
RESULTS = REPOSITORY / ".cache" / "chaos.json"
GROUPS = {
    "storage faults": ("storage",),
    "hostile bundles": ("bundle",),
    "hostile feeds and networks": ("attacks", "rotation", "withdrawn"),
    "hostile clients": ("clients", "clients_crowd"),
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
    wanted = [
        (number, alone)
        for alone in (False, True)
        for number, scenario in enumerate(SCENARIOS)
        if asked(scenario.name + ALONE * alone)
    ]
    if not wanted:
        return []
    with tempfile.TemporaryDirectory(prefix="waiaas-chaos-") as name, ProcessPoolExecutor(JOBS) as pool:
        workshop = Workshop(Path(name))
        for migrating in (False, True):
            versions(workshop, migrating)
        running = [pool.submit(kill_points, workshop, number, alone, end) for number, alone in wanted]
        return [_told(future) for future in running]


def _told(future: "Future[Tally]") -> Tally:
    tally = future.result()
    print(row(cells(tally)), *(f"BAD: {sentence}" for sentence in tally.bad), sep="\n", flush=True)
    return tally


def counted(group: str, names: tuple[str, ...]) -> Counted | None:
    """Run the tests of a group; None where none of its files exists."""
    files = [REPOSITORY / f"tests/journeys/test_journey_{name}.py" for name in names]
    present = [str(path) for path in files if path.exists()]
    if not present:
        return None
    with tempfile.TemporaryDirectory() as folder:
        junit = Path(folder) / "junit.xml"
        argv = [sys.executable, "-m", "pytest", "-q", f"--junitxml={junit}", *present]
        environ = {**WHOLE, **os.environ}
        done = subprocess.run(argv, cwd=REPOSITORY, env=environ, capture_output=True, text=True, check=False)
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
        if asked(group) and (found := counted(group, names)) is not None:
            groups.append(found)
            print(row(found.cells()), flush=True)
    return groups


def cells(tally: Tally) -> tuple[object, ...]:
    made = (tally.scenario, tally.operations, tally.cuts, tally.recovery_cuts)
    return (*made, tally.old, tally.new, len(tally.bad))


def asked(name: str) -> bool:
    return not ONLY or name in ONLY


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _commit() -> str:
    """What the artefacts are built from, asked before they are."""
    changed = " with changes" if _git("status", "-s", "waiaas") else ""
    return _git("rev-parse", "--short=12", "HEAD") + changed


def run() -> tuple[list[Tally], list[Counted], Report | None]:
    """Everything that is asked for; the soak beside it, because it waits more than it works."""
    with ProcessPoolExecutor(1) as beside:
        soaking = beside.submit(soak, CYCLES, SEED) if asked("soak") else None
        print(f"soak: {CYCLES} cycles, seed {SEED}" if soaking else "", row(KILL_HEAD), sep="\n", flush=True)
        tallies = all_kill_points()
        print("", row(COUNT_HEAD), sep="\n", flush=True)
        groups = all_groups()
        report = soaking.result() if soaking else None
    if report:
        print(f"\nsoak: {report}", *(f"BAD: {sentence}" for sentence in report.bad), sep="\n")
    return tallies, groups, report


def main() -> int:
    began, commit = time.monotonic(), _commit()
    results = Results.load(RESULTS) if ONLY else Results()
    tallies, groups, report = run()
    results.kills |= {tally.scenario: [*cells(tally), commit] for tally in tallies}
    results.groups |= {group.group: [*group.cells(), commit] for group in groups}
    if report:
        results.soak = [str(report), commit]
    results.minutes += (time.monotonic() - began) / 60
    results.save(RESULTS)
    options = f"WAIAAS_CUT_STRIDE={STRIDE} WAIAAS_NESTED_STRIDE={NESTED}"
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(results.page(f"{options} WAIAAS_SOAK_CYCLES={CYCLES}"))
    print(row(total(list(results.kills.values()))), f"\nwritten: {PAGE.relative_to(REPOSITORY)}", sep="\n")
    bad = sum(len(tally.bad) for tally in tallies) + sum(group.failed for group in groups)
    return int(bool(bad or (report and (report.bad or report.lost))))


if __name__ == "__main__":
    sys.exit(main())
