"""A new version that cannot even start is undone by the kept old file (UPGR-13)."""

from pathlib import Path

from tests.journeys.api import contents, health, stray
from tests.journeys.chaos import OVERLAY
from tests.journeys.workshop import Feed, Site, Workshop, migration_17

DEAD_LATER = """
import os as _os
if _os.environ.get("WAIAAS_DEAD"):
    raise SystemExit("this version is dead by now")
"""


def test_the_kept_program_recovers_where_the_new_one_is_dead__UPGR_13(
    workshop: Workshop, tmp_path: Path
) -> None:
    """Killed after the swap; from then on the file at the program's path dies at once."""
    main = Path("waiaas/cli/main.py")
    dead = {str(main): (Path(__file__).parents[2] / main).read_text() + DEAD_LATER}
    old = workshop.build("1.8.0", OVERLAY, name="power-1.8.0")
    new = workshop.build("1.9.0", OVERLAY | migration_17() | dead, name="dead-1.9.0")
    feed = Feed(workshop, tmp_path / "feed")
    feed.publish(old, new)
    site = Site(tmp_path / "site", old, feed.url)
    try:
        site.ok("init")
        before, program = contents(site.database), site.program.read_bytes()
        _kill_after_the_swap(site)
        assert site.program.read_bytes() != program
        site.environ["WAIAAS_DEAD"] = "1"
        assert site.run("upgrade", "--recover").code != 0
        kept = site.program.parent / ".waiaas" / "waiaas.previous"
        done = site.run("upgrade", "--recover", program=kept)
        assert done.code == 0, done
        assert site.program.read_bytes() == program
        site.environ.pop("WAIAAS_DEAD")
        assert contents(site.database) == before
        site.ok("start", "--detach")
        assert health(site)["version"] == "1.8.0"
        site.ok("stop")
        assert stray(site) == []
    finally:
        site.close()
        feed.close()


def _kill_after_the_swap(site: Site) -> None:
    """The operation after the program got its new content is the last one."""
    names = _points(site)
    after = max(n for n, name in enumerate(names) if name.startswith("swap.program")) + 1
    trace = site.folder / "cut"
    site.run("upgrade", "--no-start", WAIAAS_TRACE=str(trace), WAIAAS_CUT=str(after))
    assert "CUT" in trace.read_text()


def _points(site: Site) -> list[str]:
    """The operations of such an upgrade, counted on a twin."""
    import shutil

    twin = Site(site.folder.parent / "twin", site.program, site.environ["WAIAAS_UPGRADE_FEED_URL"])
    shutil.copytree(site.data, twin.data, symlinks=True)
    trace = twin.folder / "trace"
    twin.ok("upgrade", "--no-start", WAIAAS_TRACE=str(trace))
    return [line.split(" ", 1)[1] for line in trace.read_text().splitlines()]
