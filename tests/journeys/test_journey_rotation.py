"""Keys change while an installation sleeps: it catches up with every root it missed (FEED-1)."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.journeys.api import health
from tests.journeys.witness import Witness, told
from tests.journeys.workshop import Feed, Site, Workshop, site

OTHER_KEYS = "not signed with the keys that this installation trusts"


@dataclass
class Maker:
    """Somebody who keeps their own copy of the keys, because they will change."""

    workshop: Workshop
    feed: Feed
    keys: Path

    def rotate(self, role: str, *options: str) -> None:
        words = ("--feed", str(self.feed.folder), "--keys", str(self.keys), "--plain", *options)
        self.workshop.maker("rotate", *words, role)

    def publish(self, *artefacts: Path) -> None:
        self.feed.publish(*artefacts, keys=self.keys)

    @property
    def roots(self) -> list[str]:
        return sorted(path.name for path in (self.feed.folder / "metadata").glob("*.root.json"))


@pytest.fixture
def maker(workshop: Workshop, tmp_path: Path) -> Iterator[Maker]:
    """A feed that offers nothing but the version everybody has."""
    feed = workshop.feed(tmp_path / "feed")
    made = Maker(workshop, feed, shutil.copytree(workshop.keys, tmp_path / "keys"))
    made.publish(workshop.current)
    yield made
    feed.close()


@pytest.fixture
def sleeper(workshop: Workshop, maker: Maker, tmp_path: Path) -> Iterator[Site]:
    """1.8.0, which looked at the feed once, before any key changed."""
    with site(tmp_path / "site", workshop.current, maker.feed.url) as made:
        made.ok("init")
        assert "Already up to date" in made.ok("upgrade").out
        yield made


def test_a_client_that_missed_every_rotation_still_upgrades__FEED_1(maker: Maker, sleeper: Site) -> None:
    """Two root keys and all three targets keys are others by now, and both online keys."""
    for role in ("root", "targets", "root", "targets", "targets", "snapshot", "timestamp"):
        maker.rotate(role)
    maker.publish(maker.workshop.patch)
    assert maker.roots == [f"{number}.root.json" for number in range(1, 9)]
    assert "Upgraded: 1.8.0 → 1.8.1" in sleeper.ok("upgrade").out
    assert health(sleeper)["version"] == "1.8.1"
    floors = json.loads((sleeper.program.parent / ".waiaas" / "floors.json").read_text())
    newest = json.loads((maker.feed.folder / "metadata" / "8.root.json").read_text())["signed"]
    assert floors["targetsKeys"] == sorted(newest["roles"]["targets"]["keyids"])
    assert "Already up to date" in sleeper.ok("upgrade").out


def test_a_root_that_the_old_keys_did_not_sign_leads_nowhere__FEED_1(maker: Maker, sleeper: Site) -> None:
    """A chain with a link missing is no chain: a robber who took over the server cannot cut in."""
    for role in ("root", "root", "root"):
        maker.rotate(role)
    maker.publish(maker.workshop.patch)
    metadata = maker.feed.folder / "metadata"
    shutil.copyfile(metadata / "4.root.json", metadata / "2.root.json")
    sleeper.ok("start", "--detach")
    witness = Witness(sleeper)
    assert OTHER_KEYS in told(sleeper.run("upgrade"), 9)["error"]
    witness.nothing_happened()


def test_stolen_targets_keys_sign_nothing_once_they_are_replaced__FEED_1(maker: Maker, sleeper: Site) -> None:
    """Thieves have every key of yesterday, online keys included, and number their lists far ahead."""
    stolen = shutil.copytree(maker.keys, maker.keys.with_name("stolen"))
    theirs = shutil.copytree(maker.feed.folder, maker.feed.folder.with_name("theirs"))
    for role in ("targets", "targets"):
        maker.rotate(role)
    assert "Already up to date" in sleeper.ok("upgrade").out
    sleeper.ok("start", "--detach")
    maker.feed.folder, maker.keys = theirs, stolen
    maker.publish(maker.workshop.patch)
    for percent in ("50", "100"):
        maker.workshop.maker("rollout", "--feed", str(theirs), "--keys", str(stolen), "1.8.1", percent)
    witness = Witness(sleeper)
    assert OTHER_KEYS in told(sleeper.run("upgrade"), 9)["error"]
    witness.nothing_happened()
