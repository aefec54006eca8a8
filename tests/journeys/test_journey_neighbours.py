"""Two data directories served by one program, and an upgrade of one of them (UPGR-16)."""

import copy
import os
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.journeys.api import eventually, health
from tests.journeys.levers import Yard
from tests.journeys.test_journey_concurrency import held, kill_supervisor, supervisor
from tests.journeys.witness import last_run
from tests.journeys.workshop import Site, Workshop


@pytest.fixture(scope="module")
def yard(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    made = Yard(workshop, tmp_path_factory.mktemp("neighbours"))
    yield made
    made.close()


@pytest.fixture
def site(yard: Yard, tmp_path: Path) -> Iterator[Site]:
    """The one that is upgraded; its daemon serves."""
    made = yard.site(tmp_path / "site")
    made.ok("start", "--detach")
    yield made
    made.close()


@contextmanager
def beside(site: Site) -> Iterator[Site]:
    """Other data, the same program; no lever holds it."""
    made = copy.copy(site)
    made.data = site.folder / "other"
    made.environ = {k: v for k, v in site.environ.items() if k != "WAIAAS_LEVERS"}
    shutil.copytree(site.data, made.data, ignore=shutil.ignore_patterns("*.sock", "daemon.*"))
    (made.data / "logs" / "waiaas.log").write_text("")
    try:
        yield made
    finally:
        made.close()


def waits(other: Site) -> bool:
    return "waiting until the upgrade of" in other.log()


def test_a_neighbour_that_restarts_before_the_commit_waits_and_then_migrates__UPGR_16(site: Site) -> None:
    with beside(site) as other, ThreadPoolExecutor(1) as background:
        with held(site, "journal.committed:append", "upgrade") as upgrade:
            start = background.submit(other.run, "start", "--detach")
            eventually(lambda: waits(other))
            assert other.json("db", "status")["schemaVersion"] == 16
        assert upgrade.result().code == 0, upgrade.result()
        assert start.result().code == 0, start.result()
        assert (health(other)["version"], health(other)["schemaVersion"]) == ("1.9.0", 17)


def test_a_neighbour_that_waited_for_an_upgrade_that_is_undone_keeps_its_data__UPGR_16(site: Site) -> None:
    """Supervisor and new daemon die in probation: the neighbour recovers, and serves the old version."""
    site.environ["WAIAAS_UPGRADE_PROBATION"] = "60"
    with beside(site) as other, ThreadPoolExecutor(2) as background:
        background.submit(site.run, "upgrade")
        eventually(lambda: health(site).get("probation"))
        start = background.submit(other.run, "start", "--detach")
        eventually(lambda: waits(other))
        for pid in (supervisor(site), site.daemon["pid"]):
            os.kill(pid, signal.SIGKILL)
        assert start.result().code == 0, start.result()
        assert (health(other)["version"], health(other)["schemaVersion"]) == ("1.8.0", 16)
        assert (health(site)["version"], health(site)["schemaVersion"]) == ("1.8.0", 16)
        assert last_run(site)["outcome"] == "rolled-back"


def test_a_neighbours_start_gives_the_interrupted_one_its_daemon_back__UPGR_16(site: Site) -> None:
    kill_supervisor(site, "swap.program:fsync-directory", "upgrade")
    with beside(site) as other:
        other.ok("start", "--detach")
        assert health(other)["version"] == "1.8.0"
        assert health(site)["version"] == "1.8.0"
        assert site.daemon["pid"] != other.daemon["pid"]


def test_an_interrupted_upgrade_of_data_that_are_gone_keeps_no_neighbour_from_starting__UPGR_16(
    site: Site,
) -> None:
    with beside(site) as other:
        kill_supervisor(site, "backup.name:rename", "upgrade")
        site.data.rename(site.folder / "unmounted")
        journal = site.program.parent / ".waiaas" / "journal"
        before = journal.read_bytes()
        other.ok("start", "--detach")
        assert health(other)["version"] == "1.8.0"
        refused = other.run("upgrade")
        assert refused.code == 8
        assert f"sudo {site.program} --data-dir {site.data} upgrade --recover" in refused.err
        assert journal.read_bytes() == before
        (site.folder / "unmounted").rename(site.data)
        other.ok("upgrade", "--recover")
        assert last_run(site)["outcome"] == "rolled-back"
