"""What a daemon has to do with an open run: recover it, serve in probation, commit (UPGR-15).

A daemon that starts finds the journal empty, or a run that somebody supervises, or one that a kill
left open. While the supervisor holds the program's lock the daemon serves in probation. When that
lock falls free with the run still open, the supervisor is dead: the daemon commits after a healthy
probation, or ends so that recovery runs. A service manager recovers just before it starts the daemon
(`recover_before_start`), because the daemon's user may not.
"""

import errno
from collections.abc import Callable
from contextlib import suppress
from threading import Event

from waiaas.core.errors import Busy, RollbackFailed, WaiaasError
from waiaas.core.journal import Facts, OpenRun
from waiaas.core.layout import ProgramLayout
from waiaas.host.files import sha256
from waiaas.host.locks import Lock
from waiaas.upgrade import child, story, transaction
from waiaas.upgrade.book import Book, open_run
from waiaas.upgrade.place import Place, bystander, key_of, locked, make_run
from waiaas.upgrade.standing import START, concerns, decided, free_to_start, supervised

CLOSED = {errno.EACCES, errno.EPERM, errno.EROFS}  # not ours to write; the last one in a unit's sandbox
PASSING = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EINTR}  # no word about the run
LOOK = 0.2  # seconds between two looks at the journal during probation


def unfinished(program: ProgramLayout | None) -> OpenRun | None:
    """The open run whose outcome is not decided yet."""
    state = open_run(program) if program else None
    return None if state is None or state.committed or state.outcome else state


def deserted(program: ProgramLayout) -> bool:
    """A run is open, and nobody is at work on it."""
    return unfinished(program) is not None and not supervised(program)


def settle_before_start(place: Place, daemon_lock: Lock) -> bool:
    """Called by a starting daemon that holds its lock. True: serve in probation.

    Recovers a run that nobody supervises, and becomes the version that recovery left at the
    program's path. Raises `Busy`, or `RollbackFailed` where this user may not recover. A run of other
    data, or one that is decided, is left open then: it is no reason not to serve.
    """
    state = open_run(place.program)
    if state is None:
        return False
    if supervised(place.program):
        return _beside_a_supervisor(place, state)
    try:
        with locked(place):
            story.recover(place, restart=False, daemon_lock=daemon_lock)
    except WaiaasError:
        if concerns(state, key_of(place)):
            raise
    except OSError as problem:
        if concerns(state, key_of(place)) and problem.errno not in CLOSED:
            raise
        if not decided(state, key_of(place)):
            raise RollbackFailed(
                "recovery-needs-owner",
                f"an interrupted upgrade has to be finished by the owner of {place.program.program}",
                f"sudo {place.program.program} --data-dir {place.layout.data_dir} upgrade --recover",
            ) from problem
    return False


def recover_before_start(place: Place, patience: float) -> Facts | None:
    """Called by a service manager that is about to start the daemon: recover the run that nobody is at
    work on. Waits for whoever recovers already, never for the supervisor who waits for this very start.

    Returns the record of the recovered run. Raises `Busy` after `patience` seconds. A run of other data
    that cannot be recovered from here is left alone.
    """
    end = place.host.clock.monotonic() + patience
    while (state := open_run(place.program)) is not None:
        if supervised(place.program) and free_to_start(state, key_of(place)):
            return None
        try:
            with locked(place):
                return story.recover(place, restart=False)
        except (WaiaasError, OSError) as problem:
            over = not isinstance(problem, Busy) or place.host.clock.monotonic() >= end
            if over and concerns(state, key_of(place)):
                raise
            if over:
                return None
        place.host.clock.sleep(LOOK)
    return None


def _beside_a_supervisor(place: Place, state: OpenRun) -> bool:
    if not free_to_start(state, key_of(place)):
        raise Busy(
            "upgrade-running",
            f"an upgrade to {state.plan.get('to')} is at work and will start the daemon itself",
            "wait for it; `waiaas status` shows it",
        )
    return state.reached(START) and not decided(state, key_of(place))


def program_changed(place: Place) -> bool:
    """The file at the program's path is not the one that we run from."""
    return place.host.program.replaced_at(place.program.program)


def follow(place: Place, stopping: Event, healthy: Callable[[], bool], leave: Callable[[], None]) -> bool:
    """Follow the run's supervisor, and take its place if it dies. True: the run is decided; False: we stop,
    or `leave` was called, and the run is open still. Raises OSError: call it again."""
    since = place.host.clock.monotonic()
    while not stopping.wait(LOOK):
        if _our_run(place) is None:
            return True
        if not supervised(place.program):
            orphaned(place, stopping, healthy, since)
            if _our_run(place) is None:
                return True
            if not supervised(place.program):
                leave()
                return False
    return False


def complete_books(place: Place, stopping: Event) -> None:
    """Whoever decides a run may die before he has tidied up and entered it into the audit log (UPGR-08):
    once nobody is at work any more, the daemon that serves these data sees to it."""
    with suppress(OSError):  # the next start does it as well
        while supervised(place.program):
            if stopping.wait(LOOK):
                return
        with suppress(OSError, WaiaasError):  # not ours to write, or somebody is at work again
            _finish_decided(place)
        child.record(bystander(place))


def _finish_decided(place: Place) -> None:
    if _over(place) is None:
        return
    with locked(place):
        state = _over(place)
        if state is not None:
            _finish(place, state)


def _over(place: Place) -> OpenRun | None:
    """The run of these data whose outcome is known, and that nobody has moved into the history yet."""
    state = open_run(place.program)
    over = state is not None and (state.committed or state.outcome is not None)
    return state if state is not None and over and concerns(state, key_of(place)) else None


def orphaned(place: Place, stopping: Event, healthy: Callable[[], bool], since: float) -> None:
    """The supervisor is dead: commit after a healthy probation."""
    try:
        with locked(place):
            state = _our_run(place)
            if state is None:
                return
            if _may_commit(place, state) and _stays_healthy(place, stopping, healthy, since):
                _commit(place, state)
    except Busy:
        pass  # somebody else decides
    except OSError as problem:
        if problem.errno in PASSING:
            raise
        # nobody can write here: the next recovery will say why


def _our_run(place: Place) -> OpenRun | None:
    """A run of other data that follows ours is not ours to decide."""
    state = unfinished(place.program)
    return state if state is not None and concerns(state, key_of(place)) else None


def _may_commit(place: Place, state: OpenRun) -> bool:
    """Not once somebody began to undo, nor another program than the one of this run."""
    untouched = state.error is None and state.attempts == 0 and all(s.state != "undone" for s in state.steps)
    return untouched and sha256(place.program.program) == state.plan.get("newDigest")


def _stays_healthy(place: Place, stopping: Event, healthy: Callable[[], bool], since: float) -> bool:
    end = since + place.settings.upgrade.probation
    while healthy():
        if place.host.clock.monotonic() >= end:
            return True
        if stopping.wait(LOOK):
            return False
    return False


def _commit(place: Place, state: OpenRun) -> None:
    book = Book(place.program, place.host.files, place.host.clock)
    book.write("committed")
    _finish(place, state)


def _finish(place: Place, state: OpenRun) -> None:
    run = make_run(place, state.plan)
    run.restart = False
    transaction.finish(run, story.steps_of(state))
    child.record(run)
