"""Settings with something wrong in them, and when unknown keys are let pass (SPEC §5)."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Waiaas
from waiaas.core.errors import Exit
from waiaas.core.layout import ProgramLayout
from waiaas.host.program import Program

NEWER = "[daemon]\nthreads = 8\nof_a_newer_version = 1\n"


@pytest.fixture
def program(tmp_path: Path) -> ProgramLayout:
    """An installed program, for which no run was ever made."""
    installed = tmp_path / "bin" / "waiaas"
    installed.parent.mkdir()
    installed.write_bytes(b"")
    layout = ProgramLayout(installed)
    layout.base.mkdir()
    return layout


def closed(program: ProgramLayout, data_dir: Path, kind: str, outcome: str) -> None:
    run = {"run": "1", "program": str(program.program), "dataDir": str(data_dir)}
    program.history.write_text(json.dumps({**run, "kind": kind, "outcome": outcome}) + "\n")


@pytest.mark.parametrize(("kind", "outcome"), [("rollback", "committed"), ("upgrade", "rolled-back")])
def test_a_key_of_the_newer_version_only_warns_after_a_roll_back__UPGR_07(
    ready: Waiaas, data_dir: Path, program: ProgramLayout, kind: str, outcome: str
) -> None:
    (data_dir / "config.toml").write_text(NEWER)
    closed(program, data_dir, kind, outcome)
    ran = ready("config", "validate", program=Program(program.program))
    assert ran.code == 0
    assert "daemon.of_a_newer_version is unknown to this version and ignored" in ran.err
    assert ready("config", "get", "daemon.threads", program=Program(program.program)).out == "8\n"


def test_a_key_of_the_newer_version_only_warns_during_a_run__UPGR_06(
    ready: Waiaas, data_dir: Path, program: ProgramLayout
) -> None:
    """One whose journal nobody can read is a run, too."""
    (data_dir / "config.toml").write_text(NEWER)
    program.journal.write_text("?\n")
    assert ready("config", "validate", program=Program(program.program)).code == 0


@pytest.mark.parametrize(
    ("elsewhere", "kind", "outcome"), [(False, "upgrade", "committed"), (True, "upgrade", "rolled-back")]
)
def test_otherwise_an_unknown_key_is_a_problem__CLI_2(
    ready: Waiaas, data_dir: Path, program: ProgramLayout, elsewhere: bool, kind: str, outcome: str
) -> None:
    (data_dir / "config.toml").write_text(NEWER)
    closed(program, data_dir / "other" if elsewhere else data_dir, kind, outcome)
    ran = ready("config", "validate", program=Program(program.program))
    assert ran.code == Exit.USAGE
    assert "line 3: daemon.of_a_newer_version is unknown" in ran.out


def test_a_bad_value_stays_a_problem_after_a_roll_back__CLI_2(
    ready: Waiaas, data_dir: Path, program: ProgramLayout
) -> None:
    (data_dir / "config.toml").write_text(NEWER + "port = 70000\n")
    closed(program, data_dir, "rollback", "committed")
    ran = ready("config", "validate", "--json", program=Program(program.program))
    assert [problem["key"] for problem in ran.document["problems"]] == ["daemon.port"]
