"""Only the process that supervises a run is killed; what it started lives on (UPGR-06, 15).
`make chaos` does it at every operation."""

import os
from pathlib import Path
from subprocess import DEVNULL, Popen

import pytest

from tests.journeys.api import eventually, health, schema, stray
from tests.journeys.chaos import SCENARIOS, Bench, processes_of
from tests.journeys.orphans import kill_supervisor, try_all_alone
from tests.journeys.sabotage import WORK, appended
from tests.journeys.workshop import PYTHON, Site, Workshop, migration_17, site

STRIDE = int(os.environ.get("WAIAAS_ORPHAN_STRIDE", "60"))  # 1: every operation
DAEMON = next(scenario for scenario in SCENARIOS if scenario.running)
SLOW = """

def migrate(host, layout, _real=migrate):
    import time

    time.sleep(1.5)
    return _real(host, layout)
"""


def journal(site: Site) -> str:
    return (site.program.parent / ".waiaas" / "journal").read_text()


@pytest.mark.timeout(600)
def test_what_a_dead_supervisor_leaves_settles__UPGR_06_UPGR_08_UPGR_15(
    workshop: Workshop, tmp_path: Path
) -> None:
    """Also after the last operation, when all that is missing is the entry in the audit log."""
    bench = Bench(workshop, tmp_path, DAEMON)
    try:
        tally = try_all_alone(bench, STRIDE)
        bench.reset()
        last = kill_supervisor(bench, len(bench.points) - 1)
    finally:
        bench.close()
    assert tally.bad == []
    assert last == ("journal.close:fsync-directory", "new")
    assert tally.old > 0
    assert tally.new > 0


def test_a_child_does_not_migrate_what_was_rolled_back_meanwhile__UPGR_06(
    workshop: Workshop, tmp_path: Path
) -> None:
    """The migrating child is so slow that the run is undone before it begins."""
    slow = workshop.build("1.9.0", migration_17() | appended(WORK, SLOW), name="slow-1.9.0")
    feed = workshop.feed(tmp_path / "feed", workshop.current, slow)
    with site(tmp_path / "site", workshop.current, feed.url) as made:
        made.ok("init")
        argv = [PYTHON, "-I", str(made.program), "--data-dir", str(made.data), "upgrade", "--no-start"]
        with Popen(argv, cwd=made.folder, env=made.environ, stdout=DEVNULL, stderr=DEVNULL) as supervisor:
            eventually(lambda: '"step": "migrate"' in journal(made))
            eventually(lambda: len(processes_of(made.folder)) == 3)  # and the one that will verify
            supervisor.kill()
        made.ok("upgrade", "--recover")
        eventually(lambda: not processes_of(made.folder))
        assert (schema(made.database), made.ok("--version").out.split()[-1]) == (16, "1.8.0")
        made.ok("start", "--detach")
        assert health(made)["version"] == "1.8.0"
        made.ok("stop")
        assert stray(made) == []
    feed.close()
