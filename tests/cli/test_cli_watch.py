"""A daemon in probation follows the run that started it, and opens writes only once that is decided."""

import errno
import io
import os
import socket
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from tests.cli.conftest import Waiaas
from tests.fakes import FakeClock
from waiaas.cli import start
from waiaas.cli.watch import Watch, announce_recovery
from waiaas.core.errors import Busy, Exit
from waiaas.core.journal import FORMAT
from waiaas.core.journal import Event as Entry
from waiaas.core.layout import Layout, ProgramLayout
from waiaas.core.settings import Settings
from waiaas.core.version import Version
from waiaas.daemon.log import Log, StreamSink
from waiaas.daemon.serve import Service
from waiaas.host.files import Files
from waiaas.host.host import Host
from waiaas.host.http import Network
from waiaas.host.processes import Processes
from waiaas.host.program import Program
from waiaas.upgrade import child, presence, story
from waiaas.upgrade.place import Place
from waiaas.upgrade.report import Silent


class Looks(Event):
    """`stopping`: each wait is a look at the run, and lets something happen; no time passes."""

    def __init__(self, *acts: Callable[["Looks"], object]) -> None:
        super().__init__()
        self.acts = list(acts)

    def wait(self, timeout: float | None = None) -> bool:
        if self.acts:
            self.acts.pop(0)(self)
        else:
            self.set()
        return self.is_set()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A run of this data directory is open, and its supervisor lives."""
    clock, data, program = FakeClock(), tmp_path / "data", ProgramLayout(tmp_path / "waiaas")
    program.base.mkdir()
    plan = {"run": "r", "format": FORMAT, "dataDir": str(data), "to": "1.9.0"}
    program.journal.write_bytes(Entry("opened", 1.0, facts=plan).encode())
    monkeypatch.setattr(presence, "supervised", lambda _: True)
    host = Host(
        clock,
        Files(),
        Network({}, clock),
        Processes({}),
        Program(None),
        {"NOTIFY_SOCKET": f"@waiaas-watch-{os.getpid()}"},
    )
    layout = Layout(data, data / "waiaas.db", data / "config.toml")
    return Place(host, layout, program, Settings(), Silent(), Version.parse("1.8.0"), "")


def watched(place: Place, *acts: Callable[[Looks], object], probation: bool = True) -> tuple[bool, str]:
    """Whether writes are refused once the watch has ended, and what it logged."""
    stream, layout, proving, settings = io.StringIO(), place.layout, Event(), place.settings
    if probation:
        proving.set()
    log = Log(place.host.clock, StreamSink(stream))
    service = Service(place.host, layout, settings, log, proving.is_set, None)
    Watch(place, "127.0.0.1", service, proving, Looks(*acts), Event(), log).run()
    return proving.is_set(), stream.getvalue()


def decide(place: Place) -> None:
    with place.program.journal.open("ab") as stream:
        stream.write(Entry("committed", 2.0).encode())


def test_writes_are_let_in_once_the_run_has_committed__UPGR_07(place: Place) -> None:
    refused, said = watched(place, lambda _: None, lambda _: decide(place))
    assert not refused
    assert "probation is over" in said


def test_a_daemon_that_a_roll_back_stops_lets_no_write_in_while_it_drains__UPGR_07(place: Place) -> None:
    """It would be acknowledged, and gone with the database that the roll-back puts aside."""
    refused, said = watched(place, lambda _: None, Looks.set)
    assert refused
    assert said == ""


@pytest.mark.parametrize("probation", [True, False])
def test_the_books_are_completed_once_nobody_is_at_work__UPGR_08(
    place: Place, monkeypatch: pytest.MonkeyPatch, probation: bool
) -> None:
    """Whoever decides a run may be killed before he has entered it into the audit log."""
    entered: list[str] = []
    monkeypatch.setattr(child, "record", lambda run: entered.append(run.plan["dataDir"]))

    def gone(_: Looks) -> None:
        assert not entered
        monkeypatch.setattr(presence, "supervised", lambda _: False)

    decide(place)
    watched(place, *[lambda _: None] * 2, gone, probation=probation)
    assert entered == [str(place.layout.data_dir)]


@pytest.mark.parametrize(
    ("data", "over", "finished"),
    [("data", True, True), ("data", False, False), ("elsewhere", True, False), ("elsewhere", False, False)],
)
def test_only_a_decided_run_of_our_own_is_finished__UPGR_16(
    place: Place, monkeypatch: pytest.MonkeyPatch, data: str, over: bool, finished: bool
) -> None:
    """Nobody is at work on any of them; the others are not this daemon's to move into the history."""
    place.layout.data_dir.mkdir()
    theirs = place.layout.data_dir.with_name(data)
    plan = {"run": "r2", "format": FORMAT, "dataDir": str(theirs), "to": "1.9.0"}
    plan |= {"database": str(theirs / "waiaas.db"), "config": str(theirs / "config.toml")}
    place.program.journal.write_bytes(Entry("opened", 1.0, facts=plan).encode())
    if over:
        decide(place)
    monkeypatch.setattr(presence, "supervised", lambda _: False)
    monkeypatch.setattr(child, "record", lambda _: None)
    monkeypatch.setattr(story, "steps_of", lambda _: ())
    presence.complete_books(place, Event())
    assert place.program.journal.exists() is not finished
    assert place.program.history.exists() is finished


def test_a_lack_of_descriptors_does_not_keep_writes_out_for_ever__UPGR_07(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, short = presence.unfinished, [True, True]

    def look(program: ProgramLayout | None) -> object:
        if short and short.pop():
            raise OSError(errno.EMFILE, "Too many open files")
        return real(program)

    monkeypatch.setattr(presence, "unfinished", look)
    refused, said = watched(place, *[lambda _: None] * 2, lambda _: decide(place))
    assert not refused
    assert said.count("Too many open files") == 1


def test_a_lack_of_descriptors_does_not_make_an_orphan_leave__UPGR_15(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks again, and finds that the run is decided."""
    tried: list[Place] = []

    def short(place: Place) -> None:
        tried.append(place)
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(presence, "supervised", lambda _: False)
    monkeypatch.setattr(presence, "locked", short)
    refused, said = watched(place, *[lambda _: None] * 2, lambda _: decide(place))
    assert (refused, len(tried)) == (False, 3)  # the last time to tidy up
    assert "ending for recovery" not in said


def test_a_daemon_that_has_to_recover_first_asks_for_time__UPGR_15(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as waiting:
        waiting.bind("\0" + place.host.environ["NOTIFY_SOCKET"][1:])
        waiting.setblocking(False)
        announce_recovery(place)
        with pytest.raises(BlockingIOError):
            waiting.recv(1000)
        monkeypatch.setattr(presence, "supervised", lambda _: False)
        announce_recovery(place)
        assert b"EXTEND_TIMEOUT_USEC=3600000000" in waiting.recv(1000).split(b"\n")


def test_a_start_asks_for_time_before_it_recovers__UPGR_15(
    ready: Waiaas, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = ProgramLayout(tmp_path / "waiaas")
    program.program.write_bytes(b"program")
    program.base.mkdir()
    plan = {"run": "r", "format": FORMAT, "dataDir": str(data_dir), "from": "1.8.0", "to": "1.9.0"}
    plan |= {"database": str(data_dir / "data" / "waiaas.db"), "config": str(data_dir / "config.toml")}
    program.journal.write_bytes(Entry("opened", 1.0, facts=plan).encode())
    name = f"@waiaas-start-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as waiting:
        waiting.bind("\0" + name[1:])
        waiting.setblocking(False)
        heard: list[bytes] = []

        def recover(*_: object) -> bool:
            heard.append(waiting.recv(1000))
            raise Busy("busy", "this is as far as the test goes")

        monkeypatch.setattr(start, "_hand_over", lambda _: None)  # root would recover before that
        monkeypatch.setattr(presence, "settle_before_start", recover)
        ran = ready("start", environ={"NOTIFY_SOCKET": name}, program=Program(program.program))
    assert ran.code == Exit.BUSY, ran
    assert b"EXTEND_TIMEOUT_USEC=3600000000" in heard[0].split(b"\n")
