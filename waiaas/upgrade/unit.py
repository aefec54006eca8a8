"""Which systemd unit runs the daemon of a run, so that it is stopped and started through it (UPGR-10).

That is found out before anything is stopped, and kept in the journal among the facts of step "stop":
whoever recovers, in another process or after a power cut, goes the same way.
"""

import os
from collections.abc import Callable, Iterator

from waiaas.core.errors import TimedOut, WaiaasError
from waiaas.host import systemd
from waiaas.host.systemd import Unit
from waiaas.upgrade.transaction import Run

POLL = 0.1  # seconds between two looks at a unit that does not announce itself


def find(run: Run) -> Unit | None:
    """The unit that runs the daemon of this data directory, or would; None where it runs by itself.

    Never call it while the run holds the daemon's lock.
    """
    uid = run.owner.uid if run.owner else None
    return systemd.daemon_unit(run.host.processes, run.layout.daemon_lock, run.layout.data_dir, uid)


def known(run: Run) -> Unit | None:
    """That unit, by its name in the journal; None where it is gone, or is the one that starts us: its
    manager recovers before it starts the daemon (UPGR-15), and nobody stops himself."""
    name = run.facts_of("stop").get("unit")
    if not name or systemd.service_of() == name:
        return None
    return systemd.look(run.host.processes, str(name))


def stop(run: Run) -> None:
    """Stop it, if there is one, and call off its automatic restart. Raises "unit-stays"."""
    found = known(run)
    if found is not None:
        systemd.stop(run.host.processes, found.name)


def start(run: Run, patience: float, ill: Callable[[int], str]) -> int:
    """Start it and wait until it is ready, up to `patience` seconds; the daemon's pid.

    Its manager says so; one that announces nothing (Type=simple) is asked how it is: `ill` says why
    this pid is no healthy daemon. Raises "daemon-ended", TimedOut.
    """
    found = known(run)
    if found is None:
        raise WaiaasError("no-unit", "the daemon's unit is gone", "systemctl daemon-reload")
    end = run.host.clock.monotonic() + patience
    systemd.start(run.host.processes, found.name, patience)
    while problem := ill(found.main_pid):
        found = systemd.look(run.host.processes, found.name) or found
        if not found.wanted:
            raise WaiaasError("daemon-ended", f"{found.name} ended at once", f"journalctl -u {found.name}")
        if run.host.clock.monotonic() >= end:
            raise TimedOut("not-ready", f"{found.name} was not ready within {patience:g} s: {problem}")
        run.host.clock.sleep(POLL)
    return found.main_pid


def expected(run: Run) -> bool:
    """It runs, or tried to: whoever recovers starts it then, whatever the run found at its beginning."""
    found = known(run)
    return found is not None and found.state != "inactive"


def findings(run: Run) -> Iterator[tuple[str, str]]:
    """What stands against a restart through the unit, for the preflight."""
    found = find(run)
    if found is None:
        return
    if os.geteuid() != 0:
        again = f"sudo {run.program.program} --data-dir {run.layout.data_dir} upgrade"
        yield f"the daemon belongs to {found.name}, which only root may restart", again
    elif not found.runs(run.program.program):
        yield f"{found.name} runs another program than {run.program.program}", f"systemctl cat {found.name}"
