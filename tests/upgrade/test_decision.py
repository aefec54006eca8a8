"""No version migrates our data while a run of other data may yet take it back (UPGR-16)."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes import FakeClock
from tests.upgrade.test_neighbour import Two, started, two
from tests.upgrade.test_presence import supervisor
from waiaas.cli import watch
from waiaas.core.errors import Busy
from waiaas.core.value import replace
from waiaas.daemon.log import stream_log
from waiaas.host.locks import Gate, Lock
from waiaas.upgrade import child, decision, presence

__all__ = ["started", "two"]


class Waiting(FakeClock):
    """Something happens while somebody waits: once for each sleep, in this order."""

    def __init__(self, *happenings: Callable[[], object]) -> None:
        super().__init__()
        self.happenings = list(happenings)

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if self.happenings:
            self.happenings.pop(0)()


def nothing() -> None:
    pass


def waited(two: Two, *happenings: Callable[[], object]) -> str:
    """Our daemon's start up to the moment when it would open its database; what it logs."""
    clock = Waiting(*happenings)
    two.place = replace(two.place, host=replace(two.place.host, clock=clock))
    heard = io.StringIO()
    log = stream_log(clock, heard, {}, "info", "text")
    with Lock.acquire(two.ours.daemon_lock, "daemon") as lock:
        watch.await_decision(two.place, lock, Gate(two.ours.gate, clock), log)
    assert not clock.happenings
    return heard.getvalue()


class Behind:
    """What is found of a database of the version before."""

    action = "migrate"


@pytest.fixture
def behind(two: Two, monkeypatch: pytest.MonkeyPatch) -> Two:
    """Our database would be migrated; their run is open in its last step."""
    monkeypatch.setattr(watch, "inspect", lambda *_: Behind)
    two.journal()
    return two


@pytest.mark.parametrize("decided", [("committed", ""), ("closed", "")])
def test_our_start_waits_until_their_run_is_decided__UPGR_16(behind: Two, decided: tuple[str, str]) -> None:
    with supervisor(behind.place):
        told = waited(behind, nothing, nothing, lambda: behind.journal(decided))
    assert f"waiting until the upgrade of {behind.theirs.data_dir} to 1.9.0 is decided" in told


def test_our_start_waits_no_longer_than_its_patience__UPGR_16(
    behind: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "PATIENCE", 2.0)
    with supervisor(behind.place), pytest.raises(Busy) as refused:
        waited(behind)
    assert refused.value.code == "upgrade-undecided"
    assert str(behind.theirs.data_dir) in refused.value.message


def test_a_deserted_run_is_recovered_meanwhile__UPGR_16(behind: Two, started: list[str]) -> None:
    waited(behind)
    assert behind.program.program.read_bytes() == b"old"
    assert started == [str(behind.theirs.data_dir)]


def test_a_deserted_run_out_of_reach_keeps_our_data_as_they_are__UPGR_16(behind: Two, tmp_path: Path) -> None:
    behind.theirs.data_dir.rename(tmp_path / "unmounted")
    with pytest.raises(Busy):
        waited(behind)


def test_data_of_the_right_schema_wait_for_nobody__UPGR_16(two: Two) -> None:
    two.journal()
    with supervisor(two.place):
        assert waited(two) == ""


def test_a_run_that_has_not_swapped_or_is_of_another_program_is_not_waited_for__UPGR_16(two: Two) -> None:
    two.journal()
    assert decision.undecided(two.place) is not None
    ours = replace(two.place, layout=two.theirs)
    assert decision.undecided(ours) is None, "a run of our own data is another matter"
    two.plan["program"] = str(two.program.program.with_name("waiaas-rc"))
    two.journal()
    assert decision.undecided(two.place) is None
    two.plan["program"] = str(two.program.program)
    two.journal()
    lines = two.program.journal.read_bytes().splitlines(keepends=True)
    two.program.journal.write_bytes(b"".join(line for line in lines if b'"swap"' not in line))
    assert presence.unfinished(two.program) is not None
    assert decision.undecided(two.place) is None
