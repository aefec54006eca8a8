"""What a killed backup, restore or look at the feed leaves goes with the very next command (issue 3)."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.api import contents
from tests.journeys.levers import Yard, levers, litter
from tests.journeys.test_journey_concurrency import held, kill_supervisor
from tests.journeys.workshop import Site, Workshop

NEXT = [
    ("backup", "create"),
    ("backup", "prune", "--yes"),
    ("backup", "restore", "BACKUP", "--yes"),
    ("upgrade", "--no-start"),
    ("start", "--detach"),
]
CREATE, RESTORE = ("backup", "create"), ("backup", "restore", "BACKUP", "--yes")
KILLS = [  # what is killed, where, and what it leaves
    (CREATE, "backup.database:copy", ".tmp-manual-*"),
    (CREATE, "backup.name:rename", ".tmp-manual-*"),
    (RESTORE, "backup.manifest:write", ".tmp-pre-restore-*"),
]
STAGED = "data/.waiaas.db.restoring"


@pytest.fixture(scope="module")
def yard(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    made = Yard(workshop, tmp_path_factory.mktemp("leftovers"))
    yield made
    made.close()


@pytest.fixture
def site(yard: Yard, tmp_path: Path) -> Iterator[Site]:
    made = yard.site(tmp_path / "site")
    yield made
    made.close()


def told_of(backup: str, words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(backup if word == "BACKUP" else word for word in words)


@pytest.mark.parametrize("after", NEXT, ids=" ".join)
def test_the_next_command_removes_what_a_kill_left_of_a_backup__BKUP_1(
    site: Site, after: tuple[str, ...]
) -> None:
    kept = site.json("backup", "create")["id"]
    for words, moment, leaves in KILLS:
        kill_supervisor(site, moment, *told_of(kept, words))
        assert len(list((site.data / "backups").glob(leaves))) == 1
    rows = contents(site.database)
    site.ok(*told_of(kept, after))
    site.run("stop")
    assert litter(site) == []
    if after != NEXT[3]:
        assert contents(site.database) == rows
    site.ok("backup", "list", "--verify")


@pytest.mark.parametrize("after", NEXT[2:], ids=" ".join)
def test_the_next_command_removes_what_a_killed_restore_staged__BKUP_3(
    site: Site, after: tuple[str, ...]
) -> None:
    kept = site.json("backup", "create")["id"]
    kill_supervisor(site, "restore.swap:rename", *told_of(kept, RESTORE))
    assert (site.data / STAGED).exists()
    site.ok(*told_of(kept, after))
    site.run("stop")
    assert litter(site) == []


def test_the_next_command_removes_what_a_killed_look_at_the_feed_left__FEED_8(site: Site) -> None:
    """Of the daemon's own check, and of `upgrade`; and what TUF's client had not renamed yet."""
    site.environ["WAIAAS_DAEMON_UPDATE_CHECK"] = "true"
    _checking(site)
    site.ok("stop")
    assert litter(site) == [], "stopped in the middle of its check"
    check = _checking(site)
    for pid in (check, site.daemon["pid"]):
        os.kill(pid, signal.SIGKILL)
    (site.data / "feed" / "tmpabcd1234").write_text("{")
    assert len(litter(site)) == 1
    site.environ["WAIAAS_DAEMON_UPDATE_CHECK"] = "false"
    site.ok("start", "--detach")
    site.ok("stop")
    kill_supervisor(site, "floors:rename", "upgrade", "--check")
    metadata = site.program.parent / ".waiaas" / "metadata"
    (metadata / "tmpabcd1234").write_text("{")
    assert len(litter(site)) == 1
    site.ok("upgrade", "--no-start")
    assert litter(site) == []
    assert [path.name for path in (*metadata.glob("tmp*"), *(site.data / "feed").glob("tmp*"))] == []


def _checking(site: Site) -> int:
    """Start the daemon; the pid of its check, which waits with a file half-written."""
    levers(site).pause("floors:rename")
    site.ok("start", "--detach")
    check = levers(site).paused()
    levers(site).let_go("pause")
    return check


def test_a_backup_at_work_is_touched_by_nobody__BKUP_1(site: Site) -> None:
    """Every command that clears away runs while it waits; then it finishes, whole."""
    kept = site.json("backup", "create")["id"]
    with held(site, "backup.manifest:write", "backup", "create") as backup:
        for words in NEXT:
            site.ok(*told_of(kept, words))
            site.run("stop")
            assert len(list((site.data / "backups").glob(".tmp-manual-*"))) == 1
    assert backup.result().code == 0, backup.result()
    site.ok("backup", "list", "--verify")
    assert litter(site) == []
