"""Rows of the table, and what the measurements share."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.journeys.workshop import Site, Workshop

MEGABYTES = int(os.environ.get("WAIAAS_BENCH_MB", "1024"))


class Unmeasured(Exception):
    """Why a row cannot be measured on this machine."""


@dataclass(frozen=True)
class Row:
    """One measurement. `limit` bounds `ratio` from above, or from below where `at_least`."""

    what: str
    measured: str
    yardstick: str
    ratio: float | None
    limit: float | None
    budget: str
    n: int
    at_least: bool = False

    def line(self, number: str) -> str:
        ratio = "–" if self.ratio is None else f"{self.ratio:.2f}"
        cells = (number, self.what, self.measured, self.yardstick, ratio, self.budget, self.n, self.verdict)
        return "| " + " | ".join(map(str, cells)) + " |"

    @property
    def verdict(self) -> str:
        if self.ratio is None or self.limit is None:
            return "–"
        within = self.ratio >= self.limit if self.at_least else self.ratio <= self.limit
        return "within" if within else "over"


class Shop:
    """The bench: artefacts, a feed's keys, sites; `folder` goes away."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._sites = 0

    @cached_property
    def workshop(self) -> Workshop:
        return Workshop(self.folder / "workshop")

    def site(self, artefact: Path | None = None, feed_url: str = "http://127.0.0.1:9/") -> Site:
        self._sites += 1
        made = Site(self.folder / f"s{self._sites}", artefact or self.workshop.current, feed_url)
        made.python = next(iter(self.pythons.values()), made.python)  # without what this machine's own loads
        return made

    @cached_property
    def pythons(self) -> dict[str, str]:
        """Each Python that is here, in a clean virtual environment of its own."""
        sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "release"))
        from interpreters import NEW, interpreter

        found = {}
        for version in NEW:
            python = interpreter(version)
            if python is not None:
                home = self.folder / f"venv-{version}"
                subprocess.run([python, "-m", "venv", "--without-pip", home], check=True)
                found[version] = str(home / "bin" / "python")
        return found


def turns(n: int, *actions: Callable[[], object]) -> list[list[float]]:
    """Seconds of each action, n times in turns, so that what the machine does else hits all alike."""
    times: list[list[float]] = [[] for _ in actions]
    for _ in range(n):
        for mine, action in zip(times, actions, strict=True):
            mine.append(clocked(action))
    return times


def clocked(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def command(argv: Sequence[str | Path], environ: dict[str, str] | None = None) -> Callable[[], object]:
    """Run it to its end; raises if it fails in a way that makes its time worthless (70 or a signal)."""

    def run() -> None:
        done = subprocess.run(argv, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert done.returncode in (0, 1, 3), f"{argv} ended with {done.returncode}"

    return run


def milliseconds(times: Sequence[float]) -> str:
    return f"{statistics.median(times) * 1000:.1f} ms"


def seconds(times: Sequence[float]) -> str:
    return f"{statistics.median(times):.2f} s"


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    return statistics.median(ours) / statistics.median(theirs)


def resident(pid: int) -> int:
    """Resident memory in KiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def copied(source: Path, target: Path) -> float:
    """Seconds of the yardstick for whatever moves a file: `cp`, then fsync of the copy."""
    begun = time.perf_counter()
    subprocess.run(["cp", "--reflink=never", source, target], check=True)
    descriptor = os.open(target, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    took = time.perf_counter() - begun
    target.unlink()
    return took
