"""How the open run stands, asked by whoever is about to start a daemon (UPGR-15).

Asked before each start of a service, so it reads the journal and a lock, and imports little more.
"""

import os

from waiaas.core.journal import OpenRun
from waiaas.core.layout import ProgramLayout
from waiaas.host.locks import holder
from waiaas.upgrade.book import open_run

STOP = "stop"  # until this step the old daemon may run
START = "start"  # from this step on the new one may


def nothing_to_recover(program: ProgramLayout, data_dir: str) -> bool:
    """No run is open, or whoever is at work on it waits for this very start, or does not mind it."""
    state = open_run(program)
    return state is None or (supervised(program) and free_to_start(state, data_dir))


def awaits(program: ProgramLayout, data_dir: str) -> bool:
    """The run at work on these data waits for the daemon that asks, which serves in probation then. Whoever
    supervises it may die the next moment: the daemon sees to that once it serves."""
    state = open_run(program)
    if state is None or decided(state, data_dir) or not supervised(program):
        return False
    return state.reached(START) and free_to_start(state, data_dir)


def supervised(program: ProgramLayout) -> bool:
    """Somebody holds the program's lock. Never call it in a process that holds it."""
    return holder(program.lock) is not None


def free_to_start(state: OpenRun, data_dir: str) -> bool:
    """Not while the data directory is changed, nor while it is undone."""
    if decided(state, data_dir) or not state.reached(STOP):
        return True
    return state.reached(START) and state.attempts == 0


def decided(state: OpenRun, data_dir: str) -> bool:
    """The run is over but for tidying up, or no concern of these data."""
    return state.committed or state.outcome is not None or not concerns(state, data_dir)


def concerns(state: OpenRun, data_dir: str) -> bool:
    """The run is about these data, by whatever name it calls their directory."""
    theirs = str(state.plan.get("dataDir") or "/")
    return theirs == data_dir or os.path.realpath(theirs) == os.path.realpath(data_dir)
