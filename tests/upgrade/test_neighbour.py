"""Two data directories served by one program: whoever comes first recovers, and each as it was (UPGR-16)."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.upgrade.test_presence import HOLD, STARTING
from waiaas.core.errors import RollbackFailed, WaiaasError
from waiaas.core.journal import FORMAT, Event
from waiaas.core.layout import Layout, ProgramLayout
from waiaas.core.settings import Settings
from waiaas.core.value import replace
from waiaas.core.version import Version
from waiaas.host.clock import Clock
from waiaas.host.files import Files, sha256
from waiaas.host.host import Host
from waiaas.host.http import Network
from waiaas.host.locks import Lock, holder
from waiaas.host.processes import Processes
from waiaas.host.program import Program
from waiaas.store import schema
from waiaas.upgrade import book, child, daemon, neighbour, presence, story
from waiaas.upgrade.place import Place, Wish, locked
from waiaas.upgrade.report import Silent

SWAPPED = ("check", "stop", "backup", "swap", "migrate", "verify")
__all__ = ["HOLD", "STARTING"]


class Two:
    """One program that was swapped by a run of D1, left open in its last step; D2 is ours."""

    def __init__(self, folder: Path) -> None:
        self.theirs, self.ours = (_data(folder / name) for name in ("D1", "D2"))
        self.program = ProgramLayout(folder / "bin" / "waiaas")
        self.program.base.mkdir(parents=True)
        self.program.program.write_bytes(b"old")
        self.old = sha256(self.program.program)
        self.program.program.rename(self.program.slot(self.old))
        self.program.program.write_bytes(b"new")
        self.plan = {
            "run": "r",
            "format": FORMAT,
            "kind": "upgrade",
            "from": "1.8.0",
            "to": "1.9.0",
            "oldDigest": self.old,
            "newDigest": sha256(self.program.program),
            "program": str(self.program.program),
            "dataDir": str(self.theirs.data_dir),
            "database": str(self.theirs.database),
            "config": str(self.theirs.config),
            "noStart": False,
            "migrating": False,
        }
        clock = Clock()
        host = Host(clock, Files(), Network({}, clock), Processes({}), Program(self.program.program), {})
        version = Version.parse("1.9.0")
        self.place = Place(host, self.ours, self.program, Settings(), Silent(), version, "")

    def journal(self, *events: tuple[str, str]) -> None:
        stop = {"running": True, "unit": None}
        steps = [
            Event(name, 2.0, step, stop if step == "stop" else {})
            for step in SWAPPED
            for name in ("intent", "done")
        ]
        begun = Event("intent", 2.0, "start", {"start": True})
        rest = [Event(name, 3.0, step) for name, step in events]
        written = [Event("opened", 1.0, facts=self.plan), *steps, begun, *rest]
        self.program.journal.write_bytes(b"".join(event.encode() for event in written))

    def settled(self) -> bool:
        with Lock.acquire(self.ours.daemon_lock, "daemon") as lock:
            probation = presence.settle_before_start(self.place, lock)
            assert _alone_may_not(self.ours.daemon_lock), "our daemon's lock is ours still"
            return probation


def _data(data: Path) -> Layout:
    layout = Layout(data, data / "data" / "waiaas.db", data / "config.toml")
    layout.database.parent.mkdir(parents=True)
    schema.create(Files(), Clock(), layout.database)
    return layout


def _alone_may_not(lock: Path) -> bool:
    """Asked by another process, as only that can be answered."""
    code = "import fcntl, sys; fcntl.lockf(open(sys.argv[1], 'r+'), fcntl.LOCK_EX | fcntl.LOCK_NB)"
    return subprocess.run([sys.executable, "-c", code, str(lock)], stderr=subprocess.DEVNULL).returncode != 0


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Two:
    made = Two(tmp_path)
    monkeypatch.setattr(child, "record", lambda _: None)
    return made


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The data directories whose daemon was started again."""
    begun: list[str] = []
    monkeypatch.setattr(daemon, "start_again", lambda run: begun.append(str(run.layout.data_dir)))
    return begun


@pytest.fixture
def their_daemon(two: Two) -> Iterator["subprocess.Popen[bytes]"]:
    argv = [sys.executable, "-c", HOLD, str(two.theirs.daemon_lock)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_our_start_undoes_their_run_as_they_were__UPGR_16(
    two: Two, started: list[str], their_daemon: "subprocess.Popen[bytes]"
) -> None:
    """Their new daemon ends, their old one comes back, and our lock is no lock of theirs."""
    two.journal()
    assert not two.settled()
    assert their_daemon.wait(10) != 0
    assert started == [str(two.theirs.data_dir)]
    assert two.program.program.read_bytes() == b"old"
    assert [run["outcome"] for run in book.history(two.program)] == ["rolled-back"]
    assert holder(two.theirs.daemon_lock) is None


def test_who_starts_our_daemon_undoes_their_run_as_they_were__UPGR_16(two: Two, started: list[str]) -> None:
    two.journal()
    closed = presence.recover_before_start(two.place, 0.0)
    assert closed is not None
    assert started == [str(two.theirs.data_dir)]


def test_their_run_is_recovered_under_their_lock__UPGR_16(two: Two, started: list[str]) -> None:
    """Somebody works on their data: our start neither waits for them nor touches anything."""
    two.journal()
    before = two.program.journal.read_bytes()
    argv = [sys.executable, "-c", HOLD, str(two.theirs.run_lock)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert not two.settled()
        process.kill()
    assert two.program.journal.read_bytes() == before
    assert started == []


@pytest.mark.parametrize("gone", ["data_dir", "database"])
def test_data_that_are_not_there_keep_nobody_from_starting__UPGR_16(
    two: Two, gone: str, tmp_path: Path
) -> None:
    """An unmounted disk: no attempt is counted, and nothing is created on the bare mount point."""
    two.journal()
    path: Path = getattr(two.theirs, gone)
    path.rename(tmp_path / "unmounted")
    before = two.program.journal.read_bytes()
    assert not two.settled()
    assert presence.recover_before_start(two.place, 0.0) is None
    assert two.program.journal.read_bytes() == before
    assert not two.theirs.run_lock.exists()
    with pytest.raises(RollbackFailed) as refused, locked(two.place):
        story.recover(two.place)
    assert refused.value.code == "recovery-out-of-reach"
    assert str(two.theirs.data_dir) in refused.value.hint


def test_our_settings_prune_no_backup_of_theirs__UPGR_16(two: Two) -> None:
    two.journal()
    state = book.open_run(two.program)
    assert state is not None
    with neighbour.reached(two.place, state) as run:
        assert run.settings.upgrade.keep_backups > 1 << 20
        assert run.restart
        assert run.daemon_lock is None


def test_one_directory_by_two_names_is_ours__UPGR_16(two: Two, started: list[str], tmp_path: Path) -> None:
    """The daemon that recovers holds the lock already; to look at it would lose it (DIR-2)."""
    (tmp_path / "link").symlink_to(two.ours.data_dir)
    two.plan |= {"dataDir": str(tmp_path / "link"), "database": str(two.ours.database)}
    two.journal()
    assert not two.settled()
    assert two.program.program.read_bytes() == b"old"
    assert started == []


def test_a_decided_run_that_we_may_not_tidy_is_no_reason_not_to_serve__UPGR_15(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(presence, "locked", closed)
    two.plan["dataDir"] = str(two.ours.data_dir)
    two.journal(("committed", ""))
    assert not two.settled()
    two.journal()
    with pytest.raises(RollbackFailed):
        two.settled()


def test_probation_ends_with_our_run_whatever_run_comes_after_it__UPGR_16(two: Two) -> None:
    """The next run is of other data: it is not followed, and surely not committed."""
    two.journal()

    class Never:
        def wait(self, _: float) -> bool:
            return False

    assert presence.follow(two.place, Never(), lambda: True, lambda: None)  # type: ignore[arg-type]
    assert "committed" not in two.program.journal.read_text()


def beside(two: Two, name: str) -> Place:
    """Another program in the same folder."""
    other = ProgramLayout(two.program.program.with_name(name))
    other.program.write_bytes(b"release candidate")
    return replace(two.place, program=other)


def test_another_program_in_the_folder_recovers_the_one_the_run_is_about__UPGR_06(
    two: Two, started: list[str]
) -> None:
    two.journal()
    place = beside(two, "waiaas-rc")
    with locked(place):
        assert story.recover(place) is not None
    assert two.program.program.read_bytes() == b"old"
    assert place.program.program.read_bytes() == b"release candidate"
    assert started == [str(two.theirs.data_dir)]


def test_a_run_about_a_program_elsewhere_is_refused__UPGR_06(two: Two, tmp_path: Path) -> None:
    two.plan["program"] = str(tmp_path / "elsewhere" / "waiaas")
    two.journal()
    before = two.program.journal.read_bytes()
    with pytest.raises(RollbackFailed) as refused, locked(two.place):
        story.recover(two.place)
    assert refused.value.code == "program-moved"
    assert two.program.journal.read_bytes() == before
    assert two.program.program.read_bytes() == b"new"


def test_the_runs_of_another_program_are_no_history_of_ours__UPGR_04(two: Two, started: list[str]) -> None:
    """Nor is one of them what `--rollback` undoes; but the programs that each keeps are kept."""
    two.journal(("committed", ""))
    place = beside(two, "waiaas-rc")
    with locked(place):
        story.recover(place)
    assert [run["run"] for run in book.history(two.program)] == ["r"]
    assert book.history(place.program) == []
    assert [run["run"] for run in book.Book(place.program, Files(), Clock()).recent(1)] == ["r"]
    theirs = replace(place, layout=two.theirs)
    with pytest.raises(WaiaasError) as refused:
        story.roll_back(theirs, Wish())
    assert refused.value.code == "nothing-to-roll-back"
