"""Tests with a real engine. `build/containers.sh` starts them, each engine in namespaces of its own; where
it did not, nothing here is collected."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.containers import engine as engines
from tests.containers.engine import Engine, good
from tests.containers.table import row

NAME = os.environ.get("WAIAAS_ENGINE", "")
ONLY_DOCKER = {"test_compose", "test_registry", "test_new_image"}
collect_ignore_glob = [] if NAME else ["test_*.py"]

Say = Callable[[str], None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Real processes take real time; compose is Docker's."""
    items[:] = [item for item in items if NAME == "docker" or item.path.stem not in ONLY_DOCKER]
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.real_time)
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """The engine, with our two images built."""
    cache, folder = Path(os.environ["WAIAAS_CONTAINERS"]), Path(os.environ["WAIAAS_RUN"])
    base, begun = cache / "base.tar", time.monotonic()
    started = (
        engines.docker(folder / NAME, cache / "engine", base)
        if NAME == "docker"
        else engines.podman(folder / NAME, base)
    )
    with started as found:
        _note("start the engine, import the base", time.monotonic() - begun, "passed")
        for version in engines.VERSIONS:
            begun = time.monotonic()
            good(found.build(version))
            _note(f"build the image of {version}", time.monotonic() - begun, "passed")
        yield found


@pytest.fixture
def near() -> Iterator[Path]:
    """A folder for bind mounts that is not below one which another user may not enter."""
    with tempfile.TemporaryDirectory(prefix="wc-", dir="/run") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def say() -> Say:
    """Figures that stand below the table."""

    def write(text: str) -> None:
        with _file("said").open("a") as stream:
            stream.write(f"{NAME}: {text}\n")

    return write


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """One row for each test: what it is about, and how long it took."""
    if NAME and (report.when == "call" or not report.passed):
        name = report.nodeid.rpartition("::")[2].removeprefix("test_").partition("__")[0]
        _note(name.replace("_", " "), report.duration, report.outcome)


def _note(what: str, seconds: float, outcome: str) -> None:
    with _file("rows").open("a") as stream:
        stream.write(row(NAME, what, seconds, outcome))


def _file(suffix: str) -> Path:
    return Path(os.environ["WAIAAS_RUN"], f"{NAME}.{suffix}")
