"""The daemon's side of an upgrade run: a recovery that takes its time, a run of other data to wait for, and
a probation, in which a thread follows the run that started us (UPGR-15, UPGR-16)."""

from threading import Event

from waiaas.cli.unit import standing
from waiaas.core.errors import WaiaasError
from waiaas.core.value import mutable
from waiaas.daemon.log import Log
from waiaas.daemon.notify import notify, patience, saying
from waiaas.daemon.serve import Service
from waiaas.host.http import local_health
from waiaas.host.locks import Gate, Lock
from waiaas.store.inspect import inspect
from waiaas.upgrade import child, decision, presence
from waiaas.upgrade.place import Place


def announce_recovery(place: Place) -> None:
    """Whoever waits for us must not take a long recovery for a daemon that hangs."""
    if presence.deserted(place.program):
        notify(place.host.environ, saying("finishing an interrupted upgrade", patience(child.PATIENCE)))


def await_decision(place: Place, lock: Lock, gate: Gate, log: Log) -> None:
    """Our data are not migrated by a version that a run of other data may yet take back (UPGR-16)."""
    run = decision.undecided(place)
    if run is None or inspect(place.layout.database, gate).action != "migrate":
        return
    told = f"waiting until the upgrade of {run.plan.get('dataDir')} to {run.plan.get('to')} is decided"
    log.info(f"{told}: our database would be migrated by that version")
    notify(place.host.environ, saying(told, patience(child.PATIENCE + decision.DESERTED)))
    decision.await_decision(place, lock, child.PATIENCE)


@mutable
class Watch:
    """Follows the run in a thread: probation ends once it is decided, or we end so that recovery runs; and
    the audit log gets it."""

    place: Place
    hostname: str
    service: Service
    probation: Event
    stopping: Event
    orphan: Event
    log: Log

    def run(self) -> None:
        """Writes stay refused while we stop: a roll-back may be what stops us, and it would lose them."""
        if self.probation.is_set():
            if not self._decided():
                return
            self.probation.clear()
            self.log.info("probation is over")
            told = standing(self.hostname, self.service.port, probation=False)
            notify(self.place.host.environ, saying(told))
        presence.complete_books(self.place, self.stopping)

    def _decided(self) -> bool:
        """Whatever keeps us from looking, a lack of descriptors say, passes: we look again."""
        said = ""
        while True:
            try:
                return presence.follow(self.place, self.stopping, self._healthy, self._leave)
            except (OSError, WaiaasError) as problem:
                if str(problem) != said:
                    said = str(problem)
                    self.log.warning(f"cannot follow the upgrade run, trying on: {said}")

    def _healthy(self) -> bool:
        private = str(self.service.socket_path) if self.service.socket_path else None
        try:
            status, _ = local_health(self.hostname, self.service.port, 2.0, private=private)
        except (OSError, WaiaasError):
            return False
        return status == 200

    def _leave(self) -> None:
        self.log.error("the upgrade's supervisor is gone and this version cannot commit: ending for recovery")
        self.orphan.set()
        self.service.request_stop()
