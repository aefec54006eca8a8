"""Waiting for the decision of a run of other data that has put its version at our program's path (UPGR-16).

Until that run commits, the version may be taken back. Those data would get their old database back then;
ours would be left behind with a schema that the old version cannot read. So it never migrates ours.
"""

from pathlib import Path

from waiaas.core.errors import Busy
from waiaas.core.journal import OpenRun
from waiaas.host.locks import Lock
from waiaas.upgrade import presence
from waiaas.upgrade.place import Place, key_of
from waiaas.upgrade.standing import concerns, supervised

SWAP = "swap"  # from this step on the program's path may lead to the version on probation
DESERTED = 5.0  # seconds without anybody at work on it: its own daemon takes over in less


def undecided(place: Place) -> OpenRun | None:
    """The run of other data that may yet take back the version at our program's path; None: there is none."""
    state = presence.unfinished(place.program)
    if state is None or concerns(state, key_of(place)) or not any(s.name == SWAP for s in state.steps):
        return None
    about = Path(str(state.plan.get("program") or place.program.program))
    return state if about == place.program.program else None


def await_decision(place: Place, daemon_lock: Lock, patience: float) -> None:
    """Until it is decided which version stays, at most `patience` seconds. The caller, who holds our
    daemon's lock, then becomes the installed version. Recovers the run if it is deserted, and we may.

    Raises `Busy` "upgrade-undecided".
    """
    clock = place.host.clock
    end, deserted = clock.monotonic() + patience, None
    while (state := undecided(place)) is not None:
        now = clock.monotonic()
        if supervised(place.program):
            deserted = None
        elif deserted is None:
            deserted = now
        elif now - deserted >= DESERTED:
            presence.settle_before_start(place, daemon_lock)
            if undecided(place) is None:
                return
            end = now
        if now >= end:
            raise _undecided(place, state)
        clock.sleep(presence.LOOK)


def _undecided(place: Place, state: OpenRun) -> Busy:
    data = state.plan.get("dataDir")
    return Busy(
        "upgrade-undecided",
        f"the upgrade of {data} to {state.plan.get('to')} is not decided yet, and until it is, "
        f"that version does not migrate the data in {place.layout.data_dir}",
        f"wait for it, or finish it: sudo {place.program.program} --data-dir {data} upgrade --recover",
    )
