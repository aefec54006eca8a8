"""What the steps do inside the data directory, on real files: found before, and undone (UPGR-07)."""

from pathlib import Path
from typing import Any

import pytest

from tests.fakes import FakeClock
from waiaas.core.errors import WaiaasError
from waiaas.core.journal import FORMAT
from waiaas.core.layout import Layout, ProgramLayout
from waiaas.core.settings import Settings
from waiaas.host.files import Files
from waiaas.host.host import Host
from waiaas.host.http import Network
from waiaas.host.processes import Processes
from waiaas.host.program import Program
from waiaas.store import schema
from waiaas.upgrade import preflight
from waiaas.upgrade.book import Book
from waiaas.upgrade.report import Silent
from waiaas.upgrade.transaction import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run that may begin: its daemon is down, its database is new."""
    data = tmp_path / "data"
    layout = Layout(data, data / "data" / "waiaas.db", data / "config.toml")
    program = ProgramLayout(tmp_path / "waiaas")
    program.program.write_bytes(b"program")
    program.base.mkdir()
    layout.database.parent.mkdir(parents=True)
    clock, files = FakeClock(), Files()
    schema.create(files, clock, layout.database)
    host = Host(clock, files, Network({}, clock), Processes({}), Program(program.program), {})
    plan: dict[str, Any] = {"run": "r", "format": FORMAT, "kind": "upgrade", "from": "1.8.0", "to": "1.9.0"}
    plan |= {"migrating": True, "schemaFrom": 16, "restore": None, "dataDir": str(data)}
    return Run(host, layout, program, Settings(), Silent(), Book(program, files, clock), plan)


def test_backups_that_lead_nowhere_are_found_before_the_daemon_stops__UPGR_07(run: Run) -> None:
    preflight.require(run)
    run.layout.backups.symlink_to(run.layout.data_dir / "unmounted")
    with pytest.raises(WaiaasError, match=r"backups is no folder, or a link to none") as caught:
        preflight.require(run)
    assert caught.value.code == "preflight"
    assert str(run.layout.backups) in caught.value.hint
