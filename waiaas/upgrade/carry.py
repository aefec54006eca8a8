"""A kill switch that was thrown on goes along into the database that comes back (DMN-4).

Throwing it is accepted even in probation, and must survive a roll-back: its state is read from the
database that is about to be left, written into the journal, and applied to the one that returns.
"""

from waiaas.core.journal import Facts, OpenRun
from waiaas.upgrade.child import keep
from waiaas.upgrade.transaction import Run

ON = "killSwitch"  # the fact's name, in the journal and in what `look` answers


def switch_facts(run: Run) -> Facts:
    """Whether the live database has it on; None where that cannot be read."""
    return {ON: keep(run, "look")[ON]}


def remember(run: Run, step: str) -> None:
    """Write the switch of the database we are about to leave into the journal."""
    run.book.write("done", step, switch_facts(run))


def apply(run: Run, state: OpenRun, step: str) -> None:
    """Throw it on again if it was on; idempotent."""
    if state.outcome == "rolled-back" and state.facts_of(step).get(ON):
        keep(run, "throw-switch")
