"""What a starting daemon, and who starts it, does with a run at work or left open (UPGR-15)."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from waiaas.core.errors import Busy, RollbackFailed
from waiaas.core.journal import FORMAT, Event
from waiaas.core.layout import Layout, ProgramLayout
from waiaas.core.settings import Settings
from waiaas.core.value import replace
from waiaas.core.version import Version
from waiaas.host.clock import Clock
from waiaas.host.files import Files
from waiaas.host.host import Host
from waiaas.host.http import Network
from waiaas.host.locks import Lock
from waiaas.host.processes import Processes
from waiaas.host.program import Program
from waiaas.upgrade import presence
from waiaas.upgrade.place import Place
from waiaas.upgrade.report import Silent
from waiaas.upgrade.standing import awaits

HOLD = """
import fcntl, sys
held = open(sys.argv[1], "w")
fcntl.lockf(held, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    data = tmp_path / "data"
    data.mkdir()
    program = ProgramLayout(tmp_path / "waiaas")
    program.program.write_bytes(b"program")
    program.base.mkdir()
    clock = Clock()
    host = Host(clock, Files(), Network({}, clock), Processes({}), Program(program.program), {})
    layout = Layout(data, data / "data" / "waiaas.db", data / "config.toml")
    return Place(host, layout, program, Settings(), Silent(), Version.parse("1.8.0"), "")


def journal(place: Place, *events: tuple[str, str]) -> None:
    """A run of this data directory that has come so far."""
    plan = {"run": "r", "format": FORMAT, "dataDir": str(place.layout.data_dir), "to": "1.9.0"}
    written = [Event("opened", 1.0, facts=plan), *(Event(name, 2.0, step) for name, step in events)]
    place.program.journal.write_bytes(b"".join(event.encode() for event in written))


@contextmanager
def supervisor(place: Place) -> Iterator[None]:
    """Another process that holds the program's lock."""
    argv = [sys.executable, "-c", HOLD, str(place.program.lock)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield
        assert process.stdin is not None
        process.stdin.close()


def settled(place: Place) -> bool:
    """In probation? Raises `Busy`."""
    with Lock.acquire(place.layout.daemon_lock, "daemon") as lock:
        return presence.settle_before_start(place, lock)


BEFORE_STOP = [("intent", "check")]
STOPPED = [*BEFORE_STOP, ("done", "check"), ("intent", "stop"), ("done", "stop")]
STARTING = [*STOPPED, ("intent", "start")]


@pytest.mark.parametrize(
    ("events", "probation"),
    [
        pytest.param(BEFORE_STOP, False, id="before it stops anything"),
        pytest.param(STARTING, True, id="waiting for this start"),
        pytest.param([*STARTING, ("committed", "")], False, id="committed"),
        pytest.param([*STOPPED, ("closed", "")], False, id="undone"),
    ],
)
def test_a_daemon_starts_beside_a_supervisor__UPGR_15(
    place: Place, events: list[tuple[str, str]], probation: bool
) -> None:
    """And whoever starts it has nothing to recover, and does not wait."""
    journal(place, *events)
    with supervisor(place):
        assert settled(place) is probation
        assert awaits(place.program, str(place.layout.data_dir)) is probation
        assert presence.recover_before_start(place, 0.0) is None


@pytest.mark.parametrize(
    "events",
    [
        pytest.param(STOPPED, id="while it changes things"),
        pytest.param([*STARTING, ("attempt", "")], id="while another recovers"),
        pytest.param([*STARTING, ("failed", "start")], id="while it is undone"),
    ],
)
def test_nobody_starts_a_daemon_on_a_half_changed_directory__UPGR_15(
    place: Place, events: list[tuple[str, str]]
) -> None:
    journal(place, *events)
    with supervisor(place):
        with pytest.raises(Busy):
            settled(place)
        with pytest.raises(Busy):
            presence.recover_before_start(place, 0.0)


@pytest.mark.parametrize("events", [STOPPED, [*STARTING, ("attempt", "")], [*STARTING, ("failed", "start")]])
def test_no_run_awaits_a_daemon_but_where_it_starts_one__UPGR_15(
    place: Place, events: list[tuple[str, str]]
) -> None:
    journal(place, *events)
    with supervisor(place):
        assert not awaits(place.program, str(place.layout.data_dir))


def test_a_run_that_nobody_supervises_awaits_no_daemon__UPGR_15(place: Place) -> None:
    """It has to be recovered first, and who comes in between is none of its concern."""
    journal(place, *STARTING)
    assert not awaits(place.program, str(place.layout.data_dir))
    with supervisor(place):
        assert not awaits(place.program, str(place.layout.data_dir.parent))


def test_a_daemon_that_is_awaited_reads_little_before_it_serves__PRF_10() -> None:
    code = "import sys, waiaas.upgrade.standing; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert not {f"waiaas.upgrade.{name}" for name in ("child", "feed", "place", "story")} & {
        *done.stdout.split()
    }


def test_a_run_of_other_data_is_no_concern_of_ours__UPGR_16(place: Place) -> None:
    journal(place, *STOPPED)
    other = replace(place, layout=replace(place.layout, data_dir=place.layout.data_dir.parent))
    with supervisor(place):
        assert presence.recover_before_start(other, 0.0) is None


def test_without_an_open_run_there_is_nothing_to_recover__UPGR_15(place: Place) -> None:
    assert presence.recover_before_start(place, 0.0) is None
    assert not place.program.lock.exists()


@pytest.mark.parametrize("why", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_who_may_not_recover_says_who_may__UPGR_15(
    place: Place, monkeypatch: pytest.MonkeyPatch, why: int
) -> None:
    """Also in a sandbox whose owner could, but whose file system is read-only."""

    def closed(*_: object) -> None:
        raise OSError(why, os.strerror(why))

    journal(place, *STARTING)
    monkeypatch.setattr(presence, "locked", closed)
    with pytest.raises(RollbackFailed) as refused:
        settled(place)
    assert refused.value.code == "recovery-needs-owner"
    assert refused.value.hint.endswith("upgrade --recover")
