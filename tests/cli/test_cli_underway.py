"""While a run is open, a command that does not recover says so, and changes nothing (UPGR-06)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Waiaas
from waiaas.cli import underway
from waiaas.core.errors import Exit
from waiaas.core.journal import FORMAT, Event
from waiaas.core.layout import ProgramLayout
from waiaas.host.program import Program

Opened = Callable[[Path], Program]


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    """A program beside which a run of that data directory was interrupted."""

    def make(data_dir: Path) -> Program:
        layout = ProgramLayout(tmp_path / "waiaas")
        layout.program.touch(0o755)
        layout.base.mkdir()
        plan = {"run": "r", "format": FORMAT, "dataDir": str(data_dir), "from": "1.8.0", "to": "1.9.0"}
        events = (Event("opened", 1.0, facts=plan), Event("intent", 2.0, "swap"))
        layout.journal.write_bytes(b"".join(event.encode() for event in events))
        return Program(layout.program)

    return make


@pytest.mark.parametrize("action", [("create",), ("prune", "--yes")])
def test_no_backup_is_made_or_removed_during_an_open_run__UPGR_06(
    ready: Waiaas, data_dir: Path, opened: Opened, action: tuple[str, ...]
) -> None:
    program = opened(data_dir)
    ran = ready("backup", *action, program=program)
    assert ran.code == Exit.BUSY
    assert "an upgrade 1.8.0 → 1.9.0 was interrupted in step swap; nothing was changed" in ran.err
    assert "hint: `waiaas upgrade --recover` finishes or undoes it" in ran.err
    assert ready("--json", "backup", *action, program=program).error["code"] == "run-open"
    assert list((data_dir / "backups").iterdir()) == []


@pytest.mark.parametrize(
    "words", [("wallets", "list"), ("audit",), ("backup", "list"), ("kill-switch", "on"), ("db", "check")]
)
def test_a_command_that_looks_says_that_a_run_is_open__UPGR_06(
    ready: Waiaas, data_dir: Path, opened: Opened, words: tuple[str, ...]
) -> None:
    program = opened(data_dir)
    ran = ready(*words, program=program)
    assert ran.code == 0
    assert "warning: an upgrade 1.8.0 → 1.9.0 was interrupted in step swap; `waiaas upgrade --rec" in ran.err
    assert ready("-q", *words, program=program).err == ""


def test_a_run_at_work_is_to_be_waited_for__UPGR_06(
    ready: Waiaas, data_dir: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = opened(data_dir)
    monkeypatch.setattr(underway, "holder", lambda _: 4711)
    ran = ready("backup", "create", program=program)
    assert ran.code == Exit.BUSY
    assert "is at work (pid 4711); nothing was changed" in ran.err
    assert "hint: wait for it; `waiaas status` shows it" in ran.err


def test_a_run_of_another_data_directory_is_nobodys_business__UPGR_16(
    ready: Waiaas, tmp_path: Path, opened: Opened
) -> None:
    program = opened(tmp_path / "other")
    ran = ready("backup", "create", program=program)
    assert (ran.code, "1.9.0" in ran.err) == (0, False)
