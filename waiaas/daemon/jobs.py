"""What the background workers do."""

from collections.abc import Callable

import waiaas
from waiaas.core.check import CheckAbandoned, CheckOutcome
from waiaas.daemon.database import Database
from waiaas.daemon.log import Log
from waiaas.daemon.probe import Probe
from waiaas.host.clock import Clock
from waiaas.store.keyvalue import store_check

CHECKPOINT_INTERVAL = 300  # seconds


def version_check(
    check: Callable[[], CheckOutcome], database: Database, probe: Probe, clock: Clock, log: Log, how: str
) -> None:
    """Ask once and store the outcome in one transaction; any failure is one warning (VCHK-02, VCHK-03);
    a check that the daemon's own end cut short is none. `how`: what a person does about a newer version."""
    try:
        outcome = check()
    except CheckAbandoned:
        return
    except Exception as problem:  # noqa: BLE001 -- whatever went wrong, the check failed
        outcome = CheckOutcome(None, None, f"{type(problem).__name__}: {problem}")
    with database.writing() as connection:
        store_check(connection, outcome, clock.seconds())
    probe.forget()
    if outcome.error is not None:
        log.warning(f"version check failed: {outcome.error}")
        return
    report = probe.report()
    if report.update_available:
        log.info(f"update available: {waiaas.__version__} → {report.latest_version}. {how}")
    if report.withdrawn is not None:
        log.warning(f"version {waiaas.__version__} was withdrawn: {report.withdrawn.get('reason')}")


def wal_checkpoint(database: Database) -> None:
    """Keep the WAL short without making anybody wait."""
    database.checkpoint("PASSIVE")
