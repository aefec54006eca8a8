"""A run of other data that our program serves too (UPGR-16): recovered for them as they were, or left alone.

Whoever comes first recovers (UPGR-06), and that may be the daemon of another data directory. None of
its own rights in its own directory, its lock, or that it is about to serve itself, is worth anything
over there: their lock is taken, their daemon ends, and starts again where it ran.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from waiaas.core.errors import RollbackFailed, WaiaasError
from waiaas.core.journal import OpenRun
from waiaas.core.value import replace
from waiaas.host.locks import Lock
from waiaas.host.owner import acting_as
from waiaas.upgrade import unit
from waiaas.upgrade.place import Place, make_run
from waiaas.upgrade.transaction import Run

KEEP_ALL = 1 << 31  # backups; how many of theirs are kept is a setting of theirs, and not read here


class OutOfReach(RollbackFailed):
    """Their run cannot be recovered from here. Nothing was touched, and no attempt was counted."""


@contextmanager
def reached(place: Place, state: OpenRun) -> Iterator[Run]:
    """Their run, with the lock of their data directory. Raises `OutOfReach`, `Busy`."""
    try:
        run = make_run(place, state.plan)
        run.settings = replace(place.settings, upgrade=replace(place.settings.upgrade, keep_backups=KEEP_ALL))
        why = _obstacle(run, state)
        with acting_as(run.owner):
            lock = None if why else Lock.acquire(run.layout.run_lock, "upgrade of that data directory")
    except OSError as problem:
        raise _out_of_reach(place, state, str(problem)) from problem
    except WaiaasError as problem:
        if problem.code == "data-dir-mixed":  # whoever owns it must not stop our start with that
            raise _out_of_reach(place, state, problem.message) from problem
        raise
    if lock is None:
        raise _out_of_reach(place, state, why)
    with lock:
        yield run


def _obstacle(run: Run, state: OpenRun) -> str:
    """Why their run cannot be recovered from here, before anything is touched; empty: it can."""
    data, database = run.layout.data_dir, run.layout.database
    with acting_as(run.owner):
        if not os.access(data, os.W_OK | os.X_OK, effective_ids=True) or not database.is_file():
            return f"{data} is not there, or not ours to write"
    if os.geteuid() != 0 and unit.known(run) is not None:
        return f"only root may restart {state.facts_of('stop').get('unit')}"
    return ""


def _out_of_reach(place: Place, state: OpenRun, why: str) -> OutOfReach:
    data = state.plan.get("dataDir")
    return OutOfReach(
        "recovery-out-of-reach",
        f"an interrupted upgrade of {data} is still open, and cannot be finished from here: {why}",
        f"sudo {place.program.program} --data-dir {data} upgrade --recover",
    )
