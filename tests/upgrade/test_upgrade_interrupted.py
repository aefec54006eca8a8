"""A run that is told to end, by Ctrl-C or SIGTERM, is undone before it does (UPGR-06, UPGR-07)."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes import FakeClock
from waiaas.core.journal import FORMAT, Facts, OpenRun
from waiaas.core.layout import Layout, ProgramLayout
from waiaas.core.settings import Settings
from waiaas.host.files import Files
from waiaas.host.host import Host
from waiaas.host.http import Network
from waiaas.host.processes import Processes
from waiaas.host.program import Program
from waiaas.upgrade import transaction
from waiaas.upgrade.book import Book
from waiaas.upgrade.report import Silent
from waiaas.upgrade.transaction import Run


def handlers() -> list[object]:
    return [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]


class Told:
    """A step in which something happens at each of its moments."""

    title = "being told"

    def __init__(self, name: str, **at: Callable[[], object]) -> None:
        self.name, self._at, self.did = name, at, list[str]()

    def _came(self, moment: str) -> None:
        self._at.get(moment, lambda: None)()
        self.did.append(moment)

    def facts(self, run: Run) -> Facts:
        return {}

    def do(self, run: Run, facts: Facts) -> Facts:
        self._came("do")
        return {}

    def undo(self, run: Run, facts: Facts) -> None:
        self._came("undo")

    def tidy(self, run: Run, state: OpenRun) -> None:
        self._came("tidy")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    data, program, clock = tmp_path / "data", ProgramLayout(tmp_path / "waiaas"), FakeClock()
    program.base.mkdir()
    files = Files()
    host = Host(clock, files, Network({}, clock), Processes({}), Program(None), {})
    layout = Layout(data, data / "waiaas.db", data / "config.toml")
    plan = {"run": "r", "format": FORMAT, "kind": "upgrade", "from": "1.8.0", "to": "1.9.0"}
    plan |= {"dataDir": str(data)}
    return Run(host, layout, program, Settings(), Silent(), Book(program, files, clock), plan)


def tell(number: int) -> Callable[[], None]:
    return lambda: os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_told_to_end_is_undone_first_and_not_interrupted_again__UPGR_07(
    run: Run, number: int
) -> None:
    before = handlers()
    first = Told("stop", undo=tell(signal.SIGINT), tidy=tell(signal.SIGTERM))
    second = Told("swap", do=tell(number), undo=tell(signal.SIGTERM))
    with pytest.raises(KeyboardInterrupt), run.host.processes.interruptible():
        transaction.execute(run, [first, second])
    assert (first.did, second.did) == (["do", "undo", "tidy"], ["undo", "tidy"])
    assert run.book.open_run() is None
    closed = run.book.history()[-1]
    assert (closed["outcome"], closed["error"]["code"]) == ("rolled-back", "interrupted")
    assert handlers() == before


def test_a_terminal_that_closes_stops_no_run__UPGR_07(run: Run) -> None:
    step = Told("stop", do=tell(signal.SIGHUP))
    with run.host.processes.interruptible():
        assert transaction.execute(run, [step])["outcome"] == "committed"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_who_comes_after_the_commit_comes_too_late__UPGR_06(run: Run, number: int) -> None:
    """The new version has its data, so the run is brought to its end."""
    step = Told("start", tidy=tell(number))
    with run.host.processes.interruptible():
        assert transaction.execute(run, [step])["outcome"] == "committed"
    assert (step.did, run.book.open_run()) == (["do", "tidy"], None)


def test_a_ctrl_c_that_is_ignored_already_stays_so__UPGR_07(run: Run) -> None:
    """As in a shell's background job, whose terminal sends it to everybody."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with run.host.processes.interruptible():
            assert transaction.execute(run, [Told("stop", do=tell(signal.SIGINT))])["outcome"] == "committed"
    finally:
        signal.signal(signal.SIGINT, before)
