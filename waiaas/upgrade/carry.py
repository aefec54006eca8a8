"""Putting an earlier database back, and what is carried over: a kill switch that was thrown on.

Throwing the kill switch is accepted even in probation, and must survive a roll-back (DMN-4): its
state is read from the database that is about to be left, written into the journal, and applied to
the one that comes back.
"""

from waiaas.core.journal import Facts, OpenRun
from waiaas.host.locks import Gate
from waiaas.host.sqlite import reading, writing
from waiaas.store import backup as backups
from waiaas.store import killswitch
from waiaas.store.inspect import inspect
from waiaas.upgrade.transaction import Run

ON = "killSwitch"  # the fact's name in the journal


def schema_of(run: Run) -> int:
    """The schema version of the live database."""
    return inspect(run.layout.database, _gate(run)).schema


def switch_facts(run: Run) -> Facts:
    """Whether the live database has the kill switch on; unreadable counts as unknown, not as off."""
    try:
        with reading(run.layout.database, _gate(run)) as connection:
            return {ON: killswitch.is_on(connection)}
    except Exception as problem:  # noqa: BLE001 - a damaged database is the very reason to go back
        return {ON: None, "unreadable": str(problem)}


def remember(run: Run, step: str) -> None:
    """Write the kill switch of the database we are about to leave into the journal."""
    run.book.write("done", step, switch_facts(run))


def put_back(run: Run, backup_id: str, *, link: bool = True, config: bool = True) -> None:
    """The backup's database becomes the live one. By link only when the backup belongs to the run
    being undone, which then gives it up."""
    found = backups.find(run.layout, backup_id)
    backups.restore(run.host.files, run.host.clock, run.layout, found, link=link, with_config=config)


def apply(run: Run, state: OpenRun, step: str) -> None:
    """Throw the switch on again if it was on; idempotent."""
    if state.outcome == "rolled-back" and state.facts_of(step).get(ON):
        throw(run)


def throw(run: Run) -> None:
    with writing(run.layout.database, _gate(run)) as connection:
        if not killswitch.is_on(connection):
            killswitch.switch(connection, True, "upgrade", run.host.clock.seconds())


def _gate(run: Run) -> Gate:
    return Gate(run.layout.gate, run.host.clock)
