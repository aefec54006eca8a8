"""Tests with a real systemd as process 1. `build/systemd.sh` starts them, in namespaces of their own;
where it did not, nothing here is collected."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.containers.table import row
from tests.journeys.chaos import World
from tests.systemd.disks import FIRST, PEACE
from tests.systemd.installed import Installed
from tests.systemd.machine import BASE, MACHINES, RUN, Machine

HERE = "WAIAAS_BASE" in os.environ
collect_ignore_glob = [] if HERE else ["test_*.py"]

Say = Callable[[str], None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Real processes take real time."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.real_time)
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture
def installed(request: pytest.FixtureRequest) -> Iterator[Installed]:
    """A machine of the test's own, booted, with 1.8.0 serving."""
    number = abs(hash(request.node.nodeid)) % 10**6
    with closing(Machine(BASE, MACHINES / f"m{os.getpid()}-{number}", FIRST)) as machine:
        machine.boot()
        found = Installed(machine)
        found.serves("1.8.0")
        yield found


@pytest.fixture(scope="session")
def worlds() -> dict[str, World]:
    """What there is before an upgrade with a migration, and after one that nobody disturbed."""
    found = {}
    for name, disk in (("old", FIRST), ("new", PEACE)):
        with closing(Machine(BASE, MACHINES / f"w{os.getpid()}-{name}", disk)) as machine:
            found[name] = World.of(Installed(machine))
    return found


@pytest.fixture
def say() -> Say:
    """Figures that stand below the table."""

    def write(text: str) -> None:
        with (RUN / "systemd.said").open("a") as stream:
            stream.write(f"{text}\n")

    return write


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """One row for each test: what it is about, and how long it took."""
    if not HERE or "PYTEST_XDIST_WORKER" in os.environ or (report.when != "call" and report.passed):
        return
    name, _, rest = report.nodeid.rpartition("::")[2].removeprefix("test_").partition("__")
    case = rest.partition("[")[2].removesuffix("]")
    what = name.replace("_", " ") + (f": {case}" if case else "")
    with (RUN / "systemd.rows").open("a") as stream:
        stream.write(row("systemd", what, report.duration, report.outcome))
