"""Stopping, starting and watching the daemon of a run: by its unit where systemd runs it (UPGR-10)."""

import signal
from contextlib import closing

from waiaas.core.errors import Exit, TimedOut, WaiaasError
from waiaas.core.health import HealthReport, parse
from waiaas.core.settings import UpgradeSettings
from waiaas.host.holder import Holder, lock_holder
from waiaas.host.http import local_health
from waiaas.host.launch import launch
from waiaas.host.locks import Lock
from waiaas.host.owner import acting_as
from waiaas.upgrade import described, unit
from waiaas.upgrade.child import command_line
from waiaas.upgrade.transaction import Run

GRACE = 5.0  # seconds on top of the daemon's own shutdown_timeout
GLANCE = 0.05  # seconds between two looks at what is over soon
POLL = 0.25  # seconds between two looks at the health during probation
POLL_TIMEOUT = 2.0  # seconds for one look
STUMBLES = 3  # looks in a row that may fail for load before it counts
OTHERS = 3.0  # seconds in which somebody else starts a daemon again that he keeps running
OBEYS = 1.0  # seconds after which a daemon that was asked to stop is at it


def is_running(run: Run) -> bool:
    """Somebody else holds the daemon's lock. Looking at a lock of our own would drop it."""
    if run.daemon_lock is not None:
        return False
    found = _holder(run)
    if found is None:
        return False
    found.close()
    return True


def stop(run: Run, *, force: bool = False) -> None:
    """Ask the daemon to stop and hold its lock afterwards, so that nobody else starts one.

    Raises `TimedOut` when it does not stop; with `force` it is killed then.
    """
    if run.daemon_lock is not None:
        return
    unit.stop(run)
    found = _holder(run)
    if found is not None:  # nobody's unit, or started by hand beside it
        with closing(found):
            _end(run, found, _patience(run), force)
    run.daemon_lock = _take_lock(run)


def call_back(run: Run, asked: float) -> None:
    """A daemon that was asked to stop, at `asked` (Unix seconds), ends, however late: so it does before we go
    on, and is made to once its time is over. One that was not asked goes on. Raises `Busy`, if it stays."""
    if not is_running(run) or _goes_on(run):
        return
    unit.stop(run)
    found = _holder(run)
    if found is not None:
        with closing(found):
            left = asked + _patience(run) - run.host.clock.now()
            if not _gone(run, found, min(left, _patience(run))):
                _end(run, found, GRACE, force=True)
    run.daemon_lock = _take_lock(run)


def _goes_on(run: Run) -> bool:
    _wait(run, OBEYS)
    try:
        return health(run).status == "ok"
    except (OSError, WaiaasError):
        return False


def _holder(run: Run) -> Holder | None:
    return lock_holder(run.layout.daemon_lock, run.owner.uid if run.owner else None)


def _patience(run: Run) -> float:
    environment = run.facts_of("stop").get(described.ENVIRONMENT, {})
    return described.daemon_settings(run, environment).shutdown_timeout + GRACE


def _end(run: Run, found: Holder, patience: float, force: bool) -> None:
    found.signal(signal.SIGTERM)
    if _gone(run, found, patience):
        return
    if not force:
        raise TimedOut(
            "daemon-does-not-stop",
            f"the daemon (pid {found.pid}) did not stop within {patience:g} s",
            "see its log; `waiaas stop` tries again",
        )
    found.signal(signal.SIGKILL)
    _gone(run, found, GRACE)


def _gone(run: Run, found: Holder, seconds: float) -> bool:
    """Wait for the end of the process, or until nobody holds the lock."""
    end = run.host.clock.monotonic() + seconds
    while run.host.clock.monotonic() < end:
        if found.wait(POLL):
            return True
        again = _holder(run)
        if again is None:
            return True
        again.close()
    return False


def _take_lock(run: Run) -> Lock:
    """The kernel frees the lock a moment after the process is gone."""
    with acting_as(run.owner):
        return Lock.wait(run.layout.daemon_lock, "daemon", run.host.clock, GRACE)


def release_lock(run: Run) -> None:
    if run.daemon_lock is not None:
        run.daemon_lock.release()
        run.daemon_lock = None


def start(run: Run, patience: float | None = None) -> int:
    """Start whatever lies at the program's path, as the daemon before it was started, and wait until it
    says it is ready: `patience` seconds, by default as the settings say. Its pid."""
    release_lock(run)
    seconds = run.settings.upgrade.health_timeout if patience is None else patience
    if unit.known(run) is not None:
        return unit.start(run, seconds, lambda pid: _ill(run, pid))
    facts = run.facts_of("stop")
    if facts.get(described.FOREGROUND) and (pid := _started_by_others(run, seconds)):
        return pid
    words, environ = described.alike(run, facts)
    argv = command_line(run, run.program.program, *words, "start", "--background")
    try:
        return launch(run.host, argv, run.layout.log, seconds, run.owner, environ)
    except WaiaasError as problem:
        pid = _started_by_others(run, seconds) if problem.exit_code == Exit.BUSY else None
        if pid is None:
            raise
        return pid


def _started_by_others(run: Run, seconds: float) -> int | None:
    """Who keeps the daemon in the foreground (runit, launchd, a loop) may start it again himself. The pid of
    that one, once it is healthy; None where nobody does. Raises "daemon-ended", `TimedOut`."""
    begun = run.host.clock.monotonic()
    if not run.host.clock.until(lambda: is_running(run), min(OTHERS, seconds), GLANCE):
        return None
    found = _holder(run)
    if found is None:
        return None
    with closing(found):
        while problem := _ill(run, found.pid):
            if found.wait(GLANCE):
                raise WaiaasError("daemon-ended", "the daemon was started by others, and has ended")
            if run.host.clock.monotonic() - begun >= seconds:
                raise TimedOut("not-ready", f"the daemon was not ready within {seconds:g} s: {problem}")
        return found.pid


def start_again(run: Run) -> int:
    """Start the version that served before. A tight `health_timeout` is meant for a new version, and must
    not turn a roll-back into one that failed."""
    return start(run, max(run.settings.upgrade.health_timeout, UpgradeSettings().health_timeout))


def watch(run: Run, pid: int, version: str) -> None:
    """Probation: the very process we started has to stay healthy, as this version. Raises."""
    end = run.host.clock.monotonic() + run.settings.upgrade.probation
    stumbles = 0
    while True:
        problem = _ill(run, pid, version)
        stumbles = stumbles + 1 if problem else 0
        ended = bool(problem) and not is_running(run)
        if ended or stumbles >= STUMBLES:
            why = "it has ended" if ended else problem
            raise WaiaasError("unhealthy", f"version {version} did not stay healthy: {why}")
        if run.host.clock.monotonic() >= end and not problem:
            return
        _wait(run, POLL)


def await_end_of_probation(run: Run) -> None:
    """The daemon sees the commit in the journal; give it a moment, and never fail for it."""
    end = run.host.clock.monotonic() + GRACE
    while run.host.clock.monotonic() < end:
        try:
            if not health(run).probation:
                return
        except (OSError, WaiaasError):
            return
        run.host.clock.sleep(GLANCE)


def _wait(run: Run, seconds: float) -> None:
    """Until the daemon ends, at most `seconds`."""
    found = _holder(run)
    if found is None:
        run.host.clock.sleep(seconds)
    else:
        found.wait(seconds)
        found.close()


def _ill(run: Run, pid: int, version: str | None = None) -> str:
    """Why this very process is no healthy daemon (of that version); empty when it is."""
    found = _holder(run)
    if found is None:
        return "it has ended"
    found.close()
    if found.pid != pid:
        return f"another daemon (pid {found.pid}) took its place"
    try:
        report = health(run)
    except (OSError, WaiaasError) as problem:
        return str(problem)
    if version is not None and report.version != version:
        return f"it says it is version {report.version}"
    return "" if report.status == "ok" else f"its status is “{report.status}”"


def health(run: Run) -> HealthReport:
    """What the daemon says about itself, over its private socket where it has one.

    The socket is the one of our data directory, whatever its daemon.json says, and is opened with its
    owner's rights (UPGR-14). Raises OSError or `WaiaasError`.
    """
    try:
        port = int(described.described(run)["port"])
    except (ValueError, LookupError, TypeError) as problem:
        raise described.undescribed() from problem
    private = str(run.layout.socket)
    with acting_as(run.owner):
        status, body = local_health(run.settings.daemon.hostname, port, POLL_TIMEOUT, private=private)
    if status != 200:
        raise WaiaasError("unhealthy", f"health answers {status}")
    return parse(body)
