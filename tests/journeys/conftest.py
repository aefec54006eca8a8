"""Every test below is a journey: the built artefact, real processes, real sockets."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.workshop import REPOSITORY, Feed, Site, Workshop, site

FIRST = "power gate broken orphans order bundle storage damage concurrency withdrawn taken_back owners"
LONG = {f"test_journey_{name}" for name in FIRST.split()}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them, and begin with the files that take minutes: nobody waits for one alone at the end."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.journey)
    items.sort(key=lambda item: item.path.stem not in LONG)


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Near the root, so that the daemon's private socket fits into the 107 bytes of its address."""
    with tempfile.TemporaryDirectory(prefix="wj-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("workshop"))


@pytest.fixture
def legacy() -> Path:
    """The real data directories of the old versions; a test that needs them skips without."""
    given = os.environ.get("WAIAAS_LEGACY_DIR")
    folder = Path(given) if given else REPOSITORY.parent / "shared" / "legacy"
    if not folder.is_dir():
        pytest.skip(f"no data directories of old versions in {folder} (WAIAAS_LEGACY_DIR)")
    return folder


@pytest.fixture
def feed(workshop: Workshop, tmp_path: Path) -> Iterator[Feed]:
    """A feed that offers the installed version and the next one without a migration."""
    made = workshop.feed(tmp_path / "feed", workshop.current, workshop.patch)
    yield made
    made.close()


@pytest.fixture
def installed(workshop: Workshop, feed: Feed, tmp_path: Path) -> Iterator[Site]:
    """An initialised installation of 1.8.0 whose feed is `feed`; the daemon is not running."""
    with site(tmp_path / "site", workshop.current, feed.url) as made:
        made.ok("init")
        yield made
