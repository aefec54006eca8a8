"""What several files of this folder begin with: a feed, a release in it, a bundle of that on a stick."""

from pathlib import Path

import pytest

from tests.fakes import FakeClock
from tests.simulator import Simulator, release
from tests.upgrade.carriage import PAYLOAD
from tests.upgrade.sticks import Stick
from waiaas.core.release import Release


@pytest.fixture
def feed() -> Simulator:
    return Simulator(FakeClock())


@pytest.fixture
def new(feed: Simulator) -> Release:
    feed.publish(release("1.8.0"), b"old")
    return feed.publish(release("1.9.0"), PAYLOAD)


@pytest.fixture
def stick(tmp_path: Path) -> Stick:
    return Stick(tmp_path)
