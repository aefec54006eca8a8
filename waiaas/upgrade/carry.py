"""A kill switch that was thrown on goes along into the database that comes back (DMN-4).

Throwing it is accepted even in probation, and must survive a roll-back. The store carries it over while
nobody else can open the database (`store/restore.py`). What was known before goes into the journal, for
whoever recovers from a power cut, and is applied once more at the end.
"""

from waiaas.core.journal import Facts, OpenRun
from waiaas.upgrade.child import keep
from waiaas.upgrade.transaction import Run, note

ON = "killSwitch"  # the fact's name, in the journal and in what `look` answers


def switch_facts(run: Run) -> Facts:
    """Whether the live database has it on; None where that cannot be read."""
    return {ON: keep(run, "look")[ON]}


def give_back(run: Run, step: str, backup: str, *, config: bool) -> None:
    """Undo a replacement: the backup's database is live again, and the switch is on if it is on now. A
    switch known to be on stays known: nobody can have allowed anything since."""
    if not run.facts_of(step).get(ON):
        note(run, "done", step, switch_facts(run))
    keep(run, "restore", backup=backup, link=True, config=config)


def apply(run: Run, state: OpenRun, step: str) -> None:
    """Throw it on again if it was on; idempotent."""
    if state.outcome == "rolled-back" and state.facts_of(step).get(ON):
        keep(run, "throw-switch")
