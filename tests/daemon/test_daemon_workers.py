"""Background workers, and what they do."""

import threading
from collections.abc import Callable, Iterator

import pytest

from tests.daemon.daemon_kit import Lines, Rig
from waiaas import __version__
from waiaas.core.check import CheckOutcome
from waiaas.daemon.jobs import version_check, wal_checkpoint
from waiaas.daemon.log import Log
from waiaas.daemon.workers import JITTER, Workers
from waiaas.host.clock import Clock
from waiaas.host.sqlite import side
from waiaas.store import keyvalue

NEVER = 3600.0  # seconds; no test waits for it


@pytest.fixture
def sink() -> Lines:
    return Lines()


@pytest.fixture
def workers(sink: Lines) -> Iterator[Workers]:
    made = Workers(Log(Clock(), sink), Clock())
    yield made
    made.stop_all()


class Counter:
    """Counts its calls, and tells when a number is reached."""

    def __init__(self, reach: int = 1, fail: bool = False) -> None:
        self.calls = 0
        self.reached = threading.Event()
        self._reach, self._fail = reach, fail

    def __call__(self) -> None:
        self.calls += 1
        if self.calls >= self._reach:
            self.reached.set()
        if self._fail:
            raise RuntimeError("broken handler")


def test_run_immediately_runs_at_once_and_others_wait_their_interval__DMN_3(workers: Workers) -> None:
    eager, patient = Counter(), Counter()
    workers.register("eager", NEVER, eager, run_immediately=True)
    workers.register("patient", NEVER, patient)
    assert eager.calls == 0
    workers.start_all()
    assert eager.reached.wait(5)
    assert patient.calls == 0


def test_registering_later_starts_at_once__DMN_3(workers: Workers) -> None:
    workers.start_all()
    late = Counter()
    workers.register("late", NEVER, late, run_immediately=True)
    assert late.reached.wait(5)


def test_a_worker_runs_again_after_its_interval__DMN_3(workers: Workers) -> None:
    again = Counter(reach=3)
    workers.register("again", 0.001, again)
    workers.start_all()
    assert again.reached.wait(5)


def test_a_failing_handler_is_a_line_and_a_counter_and_runs_again__DMN_3(
    workers: Workers, sink: Lines
) -> None:
    bad = Counter(reach=3, fail=True)
    worker = workers.register("bad", 0.001, bad)
    workers.start_all()
    assert bad.reached.wait(5)
    workers.stop_all()
    assert worker.failures == worker.runs >= 3
    assert sum("worker bad failed: broken handler" in line for line in sink.lines) == worker.failures


def test_stopping_interrupts_the_wait_and_names_who_still_runs__DMN_3(workers: Workers) -> None:
    begun, gate = threading.Event(), threading.Event()

    def stuck() -> None:
        begun.set()
        gate.wait(10)

    workers.register("stuck", NEVER, stuck, run_immediately=True)
    workers.register("idle", NEVER, Counter())
    workers.start_all()
    assert begun.wait(5)
    assert workers.stop_all(0.05) == ["stuck"]
    gate.set()
    assert workers.stop_all() == []


def test_a_handler_never_overlaps_itself__DMN_3(workers: Workers) -> None:
    inside, overlaps, done = [0], [0], Counter(reach=20)

    def handler() -> None:
        inside[0] += 1
        overlaps[0] += inside[0] > 1
        inside[0] -= 1
        done()

    workers.register("one", 0.0001, handler, run_immediately=True)
    workers.start_all()
    assert done.reached.wait(5)
    assert overlaps == [0]


def test_a_name_is_taken_once__DMN_3(workers: Workers) -> None:
    workers.register("one", NEVER, Counter())
    with pytest.raises(ValueError, match="one"):
        workers.register("one", NEVER, Counter())


@pytest.mark.parametrize(("chance", "pause"), [(0.0, 1 - JITTER), (0.5, 1.0), (1.0, 1 + JITTER)])
def test_intervals_carry_jitter__FEED_6(sink: Lines, chance: float, pause: float) -> None:
    made = Workers(Log(Clock(), sink), Clock(), lambda: chance)
    assert made._pause(100.0) == pytest.approx(100 * pause)


# --- version check ----------------------------------------------------------------------------------


HOW = "Run: docker compose pull"  # as in a container, where `waiaas upgrade` refuses


def run_check(rig: Rig, check: Callable[[], CheckOutcome]) -> keyvalue.StoredCheck:
    version_check(check, rig.database, rig.probe, rig.clock, rig.log, HOW)
    with rig.database.reading() as connection:
        return keyvalue.stored_check(connection)


def failing() -> CheckOutcome:
    raise TimeoutError("no DNS")


def test_a_check_is_stored_and_health_knows_at_once__VCHK_02(rig: Rig) -> None:
    assert rig.json("GET", "/health")[1]["latestVersion"] is None
    stored = run_check(rig, lambda: CheckOutcome("99.0.0", None, None))
    assert (stored.latest, stored.checked_at, stored.error) == ("99.0.0", rig.clock.seconds(), None)
    assert rig.json("GET", "/health")[1]["latestVersion"] == "99.0.0"
    assert any(f"{__version__} → 99.0.0. {HOW}" in line for line in rig.sink.lines)


@pytest.mark.parametrize("check", [lambda: CheckOutcome(None, None, "503 from the feed"), failing])
def test_a_failed_check_is_one_warning_and_touches_only_the_error__VCHK_03(
    rig: Rig, check: Callable[[], CheckOutcome]
) -> None:
    before = run_check(
        rig, lambda: CheckOutcome("1.9.0", {"reason": "x", "to": "1.9.0", "severity": "y"}, None)
    )
    rig.sink.lines.clear()
    rig.clock.sleep(100)
    stored = run_check(rig, check)
    warnings = [line for line in rig.sink.lines if "WARNING" in line]
    assert len(warnings) == 1
    assert stored.error is not None
    assert stored.error in warnings[0]
    assert (stored.latest, stored.checked_at, stored.withdrawn) == (
        before.latest,
        before.checked_at,
        before.withdrawn,
    )


def test_a_check_after_the_database_was_closed_harms_nothing__DMN_2(rig: Rig, workers: Workers) -> None:
    rig.database.close()
    ran = Counter()

    def check() -> CheckOutcome:
        ran()
        return CheckOutcome("1.9.0", None, None)

    worker = workers.register(
        "late",
        NEVER,
        lambda: version_check(check, rig.database, rig.probe, rig.clock, rig.log, HOW),
        run_immediately=True,
    )
    workers.start_all()
    assert ran.reached.wait(5)
    workers.stop_all()
    assert worker.failures == 1


def test_the_checkpoint_shortens_the_wal__DMN_3(rig: Rig) -> None:
    with rig.database.writing() as connection:
        keyvalue.put(connection, "a", "b" * 10000, 1)
    assert side(rig.layout.database, "-wal").stat().st_size > 0
    wal_checkpoint(rig.database)
    rig.database.checkpoint("TRUNCATE")
    assert side(rig.layout.database, "-wal").stat().st_size == 0
