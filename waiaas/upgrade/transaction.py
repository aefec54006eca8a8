"""Running steps behind a write-ahead journal, and recovering what a kill left open.

The list of steps *is* the state machine: forward it is the upgrade, in reverse it is the roll-back.
An intention, with what undo will need, is durable before a step acts; undo is true whether `do` ran
never, half or whole. So after a kill anywhere there are two worlds only (UPGR-06): `committed` is in
the journal and the new version has its data, or it is not and the old version gets its own back.
"""

import errno
from collections.abc import Sequence
from typing import Any, Protocol

from waiaas.core import causes
from waiaas.core.errors import RollbackFailed, RolledBack, WaiaasError
from waiaas.core.journal import MAX_ATTEMPTS, Facts, OpenRun, record
from waiaas.core.layout import Layout, ProgramLayout
from waiaas.core.settings import Settings
from waiaas.core.value import mutable
from waiaas.host.host import Host
from waiaas.host.locks import Lock
from waiaas.host.owner import Owner
from waiaas.host.processes import Begun
from waiaas.host.sqlite import SqlError
from waiaas.upgrade import ballast
from waiaas.upgrade.book import Book
from waiaas.upgrade.report import Reporter

FULL = {errno.ENOSPC, errno.EDQUOT}
HARMLESS = "check"  # a failure in this step changed nothing: it keeps its own exit code


@mutable
class Run:
    """One run at work: the world, the paths, the plan and what is known so far.

    `daemon_lock` is held between the old daemon's end and the new one's start, so that nobody else
    starts a daemon on a half-changed directory.
    """

    host: Host
    layout: Layout
    program: ProgramLayout
    settings: Settings
    report: Reporter
    book: Book
    plan: Facts
    daemon_lock: Lock | None = None
    waiting: Begun | None = None  # a child of the new file, started ahead of its time
    owner: Owner | None = None  # of the data directory, where that is somebody else (UPGR-14)
    restart: bool = True  # False: whoever recovers is about to be the daemon itself
    revive: bool = False  # the daemon's unit tried to run: started again whether it ran before or not

    def facts_of(self, step: str) -> Facts:
        state = self.book.open_run()
        return state.facts_of(step) if state else {}


class Step(Protocol):
    """One reversible act. All it knows lies in the plan and in its facts, both JSON, so that another
    process, even another version, can undo it."""

    name: str
    title: str

    def facts(self, run: Run) -> Facts:
        """What undo will need; computed before acting, changes nothing."""

    def do(self, run: Run, facts: Facts) -> Facts:
        """Act. Returns what later steps need."""

    def undo(self, run: Run, facts: Facts) -> None:
        """Make it as if the step had never begun; idempotent."""

    def tidy(self, run: Run, state: OpenRun) -> None:
        """The outcome is durable: clear away, start again what has to run; idempotent."""


def execute(run: Run, steps: Sequence[Step]) -> Facts:
    """Do the steps in order and commit; on any failure undo them all.

    Returns the record of the run. Raises the step's own error when the harmless first step failed,
    else `RolledBack`, or `RollbackFailed` when undoing failed too.
    """
    run.book.write("opened", facts=run.plan)
    ballast.take(run.host.files, run.program)
    for number, step in enumerate(steps, 1):
        try:
            _forward(run, step, number, len(steps))
        except BaseException as problem:
            _give_up(run, steps, step, problem)
            raise
    with run.host.processes.shielded():
        _commit(run, steps)
        return _finish_if_possible(run, steps)


def _finish_if_possible(run: Run, steps: Sequence[Step]) -> Facts:
    """Of a run that has committed: it succeeded, whatever becomes of what it leaves behind."""
    try:
        return finish(run, steps)
    except (WaiaasError, OSError, SqlError) as problem:
        run.report.note(f"done; tidying up is left to the next command ({_told(problem)['message']})")
        state = run.book.open_run()
        return record(state) if state else {}


def _commit(run: Run, steps: Sequence[Step]) -> None:
    """The point of no return; where it cannot be written, it was not reached."""
    try:
        run.book.write("committed")
    except OSError as problem:
        _give_up(run, steps, steps[-1], problem)


def _forward(run: Run, step: Step, number: int, total: int) -> None:
    began = run.host.clock.monotonic()
    run.report.step(number, total, step.name, step.title)
    facts = step.facts(run)
    run.book.write("intent", step.name, facts)
    result = step.do(run, facts)
    run.book.write("done", step.name, result)
    run.report.finished(step.name, "done", run.host.clock.monotonic() - began)


def _give_up(run: Run, steps: Sequence[Step], step: Step, problem: BaseException) -> None:
    """Undo everything, close the run, and say it in the right words; always raises."""
    told = _told(problem)
    run.report.finished(step.name, "failed", 0.0)
    if step.name != HARMLESS:
        run.report.note(f"{step.title} failed: {told['message']}; rolling back")
    with run.host.processes.shielded():
        try:
            ballast.drop(run.host.files, run.program)
            note(run, "failed", step.name, told)
            undo(run, steps, "refused" if step.name == HARMLESS else "rolled-back")
            finish(run, steps)
        except RollbackFailed:
            raise
        except (WaiaasError, OSError, SqlError) as second:
            raise RollbackFailed(
                "rollback-unfinished",
                f"after “{told['message']}” everything was undone, but not finished: "
                f"{_told(second)['message']}",
                "mend the cause, then run `waiaas upgrade --recover`; nothing was deleted",
            ) from problem
    if step.name == HARMLESS or not isinstance(problem, Exception):
        raise problem
    raise RolledBack(
        "rolled-back",
        f"the {run.plan['kind']} to {run.plan['to']} failed in step “{step.name}” ({told['message']}); "
        f"version {run.plan['from']} is back with its data",
        told["hint"] or "`waiaas upgrade --history` tells the run; the daemon's log says more",
    ) from problem


def undo(run: Run, steps: Sequence[Step], outcome: str) -> None:
    """Undo, newest first, what the journal says was begun. Raises `RollbackFailed`."""
    state = run.book.open_run()
    by_name = {step.name: step for step in steps}
    for begun in state.to_undo if state else ():
        try:
            by_name[begun.name].undo(run, begun.facts)
        except (WaiaasError, OSError, SqlError, KeyError) as problem:
            raise RollbackFailed(
                "rollback-failed",
                f"undoing step “{begun.name}” failed: {_told(problem)['message']}",
                "mend the cause, then run `waiaas upgrade --recover`; nothing was deleted",
            ) from problem
        note(run, "undone", begun.name)
    run.book.write("closed", facts={"outcome": outcome})


def finish(run: Run, steps: Sequence[Step]) -> Facts:
    """Move the run into the history and tidy up; called again after a kill in the middle of it."""
    state = run.book.open_run()
    if state is None:
        return {}
    ballast.drop(run.host.files, run.program)
    for step in steps:
        step.tidy(run, state)
    return run.book.close(state)


def recover(run: Run, state: OpenRun, steps: Sequence[Step]) -> Facts:
    """Finish or undo the run that a kill left open; the caller holds the program's lock.

    Attempts are counted in the journal before acting, so that no loop can form (UPGR-13).
    """
    if state.committed or state.outcome is not None:
        return finish(run, steps)
    if state.attempts >= MAX_ATTEMPTS:
        raise RollbackFailed(
            "recovery-exhausted",
            f"the open run {state.run} could not be undone in {state.attempts} attempts",
            "see docs/operate.md, “A run that cannot be undone”; nothing was deleted",
        )
    ballast.drop(run.host.files, run.program)
    _count_attempt(run)
    undo(run, steps, "rolled-back")
    return finish(run, steps)


def _count_attempt(run: Run) -> None:
    """A full disk must not stop the very undoing that may make room."""
    try:
        run.book.write("attempt")
    except OSError as problem:
        if problem.errno not in FULL:
            raise
        run.report.note(f"the journal does not count this attempt ({causes.said(problem)})")


def note(run: Run, name: str, step: str, facts: Facts | None = None) -> None:
    """An entry that undoing can do without, because undoing is idempotent: a full disk does not stop it."""
    try:
        run.book.write(name, step, facts)
    except OSError as problem:
        run.report.note(f"the journal does not have “{step} {name}” ({causes.said(problem)})")


def _told(problem: BaseException) -> dict[str, Any]:
    known = causes.told(problem) if isinstance(problem, Exception) else None
    if known is not None:
        return {"code": known.code, "message": known.message, "hint": known.hint}
    if isinstance(problem, KeyboardInterrupt):
        return {"code": "interrupted", "message": "interrupted", "hint": ""}
    return {"code": "unexpected", "message": f"{type(problem).__name__}: {problem}", "hint": ""}
