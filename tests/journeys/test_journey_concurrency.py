"""Several commands at once, and kills between them (issue 3 item 4; UPGR-06, 08, 15, DIR-5): one does
its work, the others say exit 75, and nobody waits for a dead one."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.journeys.api import eventually, health, request, stray
from tests.journeys.chaos import World, which
from tests.journeys.levers import Yard, levers
from tests.journeys.observe import ended
from tests.journeys.witness import last_run, told
from tests.journeys.workshop import Done, Site, Workshop

WALLET = {
    "name": "treasury",
    "chain": "ethereum",
    "environment": "mainnet",
    "publicKey": "0x52908400098527886E0F7030069857D2E4169EE7",
}


@dataclass
class Ground:
    """Fresh installations whose commands can be held at a named operation."""

    yard: Yard
    old: World
    new: World

    @contextmanager
    def site(self, folder: Path, *, running: bool = False) -> Iterator[Site]:
        made = self.yard.site(folder)
        try:
            if running:
                made.ok("start", "--detach")
            yield made
        finally:
            made.close()

    def world(self, site: Site) -> str:
        """Once the daemon is stopped; nothing lies about."""
        site.run("stop")
        assert stray(site) == []
        return which(site, self.old, self.new)


@pytest.fixture(scope="module")
def ground(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("concurrency")
    yard = Yard(workshop, folder)
    model = yard.site(folder / "model")
    old = World.of(model)
    model.ok("upgrade", "--no-start")
    yield Ground(yard, old, World.of(model))
    yard.close()


@contextmanager
def held(site: Site, where: str, *arguments: str) -> Iterator[Future[Done]]:
    """A command of the site that waits at the named operation until the block is left."""
    levers(site).pause(where)
    with ThreadPoolExecutor(1) as background:
        command = background.submit(site.run, *arguments)
        try:
            levers(site).paused()
            yield command
        finally:
            levers(site).go_on()


def busy(site: Site, *arguments: str) -> None:
    """Exit 75 at once, in one sentence; nobody was disturbed."""
    told(site.run(*arguments), 75)


MOMENTS = ["stage:write", "swap.program:rename", "journal.committed:append"]


@pytest.mark.parametrize("moment", MOMENTS)
def test_whoever_comes_second_is_busy_and_the_first_one_finishes__UPGR_08(
    ground: Ground, tmp_path: Path, moment: str
) -> None:
    """Upgrade against upgrade, roll-back, restore, migration and start, at three moments. In step 1 a
    daemon may start, as one that serves goes on: step 2 stops it."""
    with ground.site(tmp_path / "site") as site:
        kept = site.json("backup", "create")["id"]
        with held(site, moment, "upgrade", "--no-start") as upgrade:
            for words in (("upgrade",), ("upgrade", "--rollback")):
                busy(site, *words)
            busy(site, "backup", "restore", kept, "--yes")
            busy(site, "db", "migrate")
            if moment == "stage:write":
                site.ok("start", "--detach")
            else:
                busy(site, "start", "--detach")
            assert site.run("--json", "status").json()["openRun"]["to"] == "1.9.0"
            assert not upgrade.done()
        assert upgrade.result().code == 0, upgrade.result()
        assert ground.world(site) == "new"


def test_a_backup_beside_an_upgrade_is_whole__BKUP_4(ground: Ground, tmp_path: Path) -> None:
    """A whole upgrade happens while a backup is being written; both are complete."""
    with ground.site(tmp_path / "site", running=True) as site:
        with held(site, "backup.manifest:write", "backup", "create") as backup:
            site.ok("upgrade")
        assert backup.result().code == 0, backup.result()
        site.ok("backup", "list", "--verify")
        assert len(site.json("backup", "list")) == 2
        assert ground.world(site) == "new"


@pytest.mark.parametrize("moment", ["stage:write", "journal.committed:append"])
def test_stopping_the_daemon_under_an_upgrade_ends_in_one_of_two_worlds__UPGR_06(
    ground: Ground, tmp_path: Path, moment: str
) -> None:
    """By a signal, since `stop` will not. Before step 2 the upgrade does the same anyway; at the end of
    step 7 the watch is over."""
    with ground.site(tmp_path / "site", running=True) as site:
        with held(site, moment, "upgrade") as upgrade:
            busy(site, "stop")
            os.kill(site.daemon["pid"], signal.SIGTERM)
            eventually(lambda: site.run("health").code == 3)
        assert upgrade.result().code == 0, upgrade.result()
        site.run("start", "--detach")
        assert health(site)["version"] == "1.9.0"
        assert ground.world(site) == "new"


@pytest.mark.parametrize("first", [("backup", "restore"), ("db", "migrate")], ids=" ".join)
def test_an_upgrade_waits_for_nobody__UPGR_08(ground: Ground, tmp_path: Path, first: tuple[str, ...]) -> None:
    """The other way round: restore and migration hold the data directory's lock."""
    with ground.site(tmp_path / "site") as site:
        kept = site.json("backup", "create")["id"]
        if first[0] == "db":
            site.ok("upgrade", "--no-start")
            site.ok("backup", "restore", kept, "--yes")
        words = (*first, kept, "--yes") if first[0] == "backup" else first
        moment = "restore.swap:rename" if first[0] == "backup" else "migrate.swap:rename"
        with held(site, moment, *words) as command:
            busy(site, "upgrade")
            busy(site, "start", "--detach")
        assert command.result().code == 0, command.result()
        site.ok("upgrade", "--no-start")
        assert ground.world(site) == "new"


def kill_supervisor(site: Site, moment: str, *arguments: str) -> None:
    """The process at the named operation dies with SIGKILL, and nobody else."""
    levers(site).pause(moment)
    with ThreadPoolExecutor(1) as background:
        command = background.submit(site.run, *arguments)
        os.kill(levers(site).paused(), signal.SIGKILL)
        assert command.result().code == -signal.SIGKILL, command.result()


KILLS = [  # where the supervisor dies, and what is typed next
    ("backup.name:rename", ("start", "--detach")),
    ("swap.program:rename", ("restart",)),
    ("swap.program:fsync-directory", ("start", "--detach")),
]


@pytest.mark.parametrize(("moment", "by"), KILLS, ids=str)
def test_start_recovers_what_a_killed_supervisor_left__UPGR_06(
    ground: Ground, tmp_path: Path, moment: str, by: tuple[str, ...]
) -> None:
    """The very next `start` or `restart` serves the old version with its data."""
    with ground.site(tmp_path / "site") as site:
        kill_supervisor(site, moment, "upgrade")
        site.ok(*by)
        assert (health(site)["version"], health(site)["status"]) == ("1.8.0", "ok")
        assert request(site, "POST", "/v1/wallets", WALLET)[0] == 201
        assert last_run(site)["outcome"] == "rolled-back"
        assert "nothing to recover" in site.ok("upgrade", "--recover").out


def test_a_daemon_whose_supervisor_dies_in_probation_commits_by_itself__UPGR_15(
    ground: Ground, tmp_path: Path
) -> None:
    """Some seconds of good health later the run is committed, writes are taken, and no lock is left."""
    with ground.site(tmp_path / "site", running=True) as site, ThreadPoolExecutor(1) as background:
        site.environ["WAIAAS_UPGRADE_PROBATION"] = "4"
        upgrade = background.submit(site.run, "upgrade")
        eventually(lambda: health(site).get("probation"))
        os.kill(supervisor(site), signal.SIGKILL)
        assert upgrade.result().code == -signal.SIGKILL
        assert request(site, "POST", "/v1/wallets", WALLET)[0] == 503
        pid = site.daemon["pid"]
        eventually(lambda: not health(site).get("probation"))
        assert (health(site)["version"], site.daemon["pid"]) == ("1.9.0", pid)
        assert request(site, "POST", "/v1/wallets", WALLET)[0] == 201
        assert last_run(site)["outcome"] == "committed"
        assert "Already up to date" in site.ok("upgrade").out
        site.ok("upgrade", "--rollback", "--no-start")
        assert site.ok("--version").out.strip() == "1.8.0"


def test_a_daemon_finishes_what_its_supervisor_had_decided__UPGR_15(ground: Ground, tmp_path: Path) -> None:
    """He died between the commit and the history: nobody has to type anything."""
    with ground.site(tmp_path / "site", running=True) as site:
        kill_supervisor(site, "history:append", "upgrade")
        eventually(lambda: not (site.program.parent / ".waiaas" / "journal").exists())
        assert (health(site)["version"], last_run(site)["outcome"]) == ("1.9.0", "committed")
        assert site.json("status")["openRun"] is None


def test_supervisor_and_daemon_killed_in_probation__UPGR_15(ground: Ground, tmp_path: Path) -> None:
    """Nobody is left who could commit: the next start undoes the run."""
    with ground.site(tmp_path / "site", running=True) as site, ThreadPoolExecutor(1) as background:
        site.environ["WAIAAS_UPGRADE_PROBATION"] = "60"
        upgrade = background.submit(site.run, "upgrade")
        eventually(lambda: health(site).get("probation"))
        daemon = site.daemon["pid"]
        for pid in (supervisor(site), daemon):
            os.kill(pid, signal.SIGKILL)
        assert upgrade.result().code == -signal.SIGKILL
        eventually(lambda: ended(daemon))
        site.ok("start", "--detach")
        assert health(site)["version"] == "1.8.0"
        assert ground.world(site) == "old"


def supervisor(site: Site) -> int:
    """The pid that holds the program's lock, as the kernel tells it."""
    import fcntl
    import struct

    with (site.program.parent / ".waiaas" / "lock").open("rb") as stream:
        asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _, _, _, pid = struct.unpack("hhqqi4x", fcntl.fcntl(stream, fcntl.F_GETLK, asked))
    assert kind != fcntl.F_UNLCK
    return int(pid)
