"""Killing the process that supervises a run, and nobody else: what it started lives on.

A power cut leaves nobody to quarrel with; this does. A child that migrates may still be at work when
the next command recovers, and a new daemon in probation has to commit by itself (UPGR-15).
"""

import time
from collections.abc import Callable
from contextlib import suppress

from tests.journeys.api import eventually, health
from tests.journeys.chaos import Bench, Tally, chosen, never, processes_of
from tests.journeys.observe import unaudited
from tests.journeys.workshop import Done

ALONE = ", supervisor only"  # in the name of a scenario
BUSY, FAILED = 75, 8  # exit codes of a command that has to wait, and of one that could not undo
PATIENCE = 30.0  # seconds until all is settled


def try_all_alone(bench: Bench, stride: int, enough: Callable[[], bool] = never) -> Tally:
    """Kill the supervisor at each `stride`-th operation of the run; let the rest settle."""
    tally = Tally(bench.scenario.name + ALONE, len(bench.points))
    for point in chosen(bench.points, stride):
        if enough():
            break
        bench.reset()
        where, verdict = kill_supervisor(bench, point)
        tally.cuts += bool(where)
        tally.add(verdict)
    return tally


def kill_supervisor(bench: Bench, point: int) -> tuple[str, str]:
    """The name of the point, and the verdict once everything has settled."""
    trace = bench.site.folder / "trace"
    trace.unlink(missing_ok=True)
    bench.site.run(*bench.scenario.command, WAIAAS_TRACE=str(trace), WAIAAS_CUT=str(point), WAIAAS_ALONE="1")
    reached = [line.split(" CUT ")[1] for line in trace.read_text().splitlines() if " CUT " in line]
    name = reached[0] if reached else ""
    where = f"supervisor killed at {point} ({name})"
    done = _settle(bench)
    if problem := _unsettled(bench):
        return name, f"{where}: {problem}; the last command: {done}"
    bench.site.run("stop")
    return name, bench.verdict(where)


def _settle(bench: Bench) -> Done:
    """Recover, again and again while somebody else is at it, until no run is open. A recovery that fails
    is none, whatever a second one would make of it."""
    end = time.monotonic() + PATIENCE
    while True:
        done = bench.site.run(*bench.scenario.recover)
        if done.code == FAILED or not _journal(bench):
            return done
        if done.code != BUSY and time.monotonic() > end - PATIENCE / 2:
            return done
        if time.monotonic() > end:
            return done
        time.sleep(0.1)


def _unsettled(bench: Bench) -> str:
    """What is still at work, or does not fit together; empty once all is quiet."""
    end = time.monotonic() + PATIENCE
    starts = bench.scenario.running or "--no-start" not in bench.scenario.command
    while len(left := processes_of(bench.site.folder)) > starts and time.monotonic() < end:
        time.sleep(0.05)
    if _journal(bench):
        return "the run is still open"
    if len(left) > starts or len(left) < bench.scenario.running:
        return f"{len(left)} processes run"
    if left and health(bench.site)["version"] not in bench.site.ok("--version").out:
        return "the daemon is not the installed version"
    if left:
        with suppress(AssertionError):
            eventually(lambda: not unaudited(bench.site, bench.site.json("upgrade", "--history")), PATIENCE)
    missing = unaudited(bench.site, bench.site.json("upgrade", "--history")) if left else []
    return f"not in the audit log once: {missing}" if missing else ""


def _journal(bench: Bench) -> bool:
    return (bench.site.program.parent / ".waiaas" / "journal").exists()
