"""Two worlds only: the power is cut at every named operation of an upgrade (UPGR-06, 12, 13)."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.api import stray
from tests.journeys.chaos import OVERLAY, World, cut, points, which
from tests.journeys.workshop import Feed, Site, Workshop, migration_17

STRIDE = int(os.environ.get("WAIAAS_CUT_STRIDE", "3"))  # 1: every point; more: each so-manieth, shifted


class Bench:
    """A site that can be set back to its beginning in no time."""

    def __init__(self, workshop: Workshop, folder: Path) -> None:
        old = workshop.build("1.8.0", OVERLAY, name="power-1.8.0")
        new = workshop.build("1.9.0", OVERLAY | migration_17(), name="power-1.9.0")
        self.feed = Feed(workshop, folder / "feed")
        self.feed.publish(old, new)
        self.site = Site(folder / "site", old, self.feed.url)
        self.site.environ["WAIAAS_UPGRADE_PROBATION"] = "0"
        self.site.ok("init")
        self.site.ok("upgrade", "--check")
        self._keep = folder / "keep"
        shutil.copytree(self.site.folder, self._keep, symlinks=True)
        self.old = World.of(self.site)
        self.points = points(self.site, "upgrade", "--no-start")
        self.new = World.of(self.site)

    def reset(self) -> None:
        shutil.rmtree(self.site.folder)
        shutil.copytree(self._keep, self.site.folder, symlinks=True)


@pytest.fixture(scope="module")
def bench(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    made = Bench(workshop, tmp_path_factory.mktemp("power"))
    yield made
    made.feed.close()


def test_power_cut_at_every_operation_of_an_upgrade__UPGR_06(bench: Bench) -> None:
    """After a cut anywhere, recovery ends in the old world or the new one, and again in the same."""
    assert len(bench.points) > 40
    ended = set()
    for point in range(0, len(bench.points), STRIDE):
        bench.reset()
        _, name = cut(bench.site, point, "upgrade", "--no-start")
        assert name, point
        assert bench.site.program.exists(), name
        ended.add(_recovered(bench, f"{point} {name}"))
    assert ended == {"old", "new"}


def _recovered(bench: Bench, where: str) -> str:
    done = bench.site.run("upgrade", "--recover")
    assert done.code == 0, (where, done)
    world = which(bench.site, bench.old, bench.new)
    assert world in ("old", "new"), where
    assert stray(bench.site) == [], where
    assert "nothing to recover" in bench.site.ok("upgrade", "--recover").out
    for kept in bench.site.json("backup", "list"):
        assert bench.site.run("backup", "verify", kept["id"]).code == 0, where
    return world
