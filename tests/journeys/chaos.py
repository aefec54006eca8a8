"""Cutting the power at a named operation of the real artefact, and looking at what is left.

The overlay `POWER` replaces `waiaas/host/power.py`. Every process of the site appends the points it
passes to one trace; the process that passes point number WAIAAS_CUT kills every process of the site
and itself with SIGKILL, which is what a power cut does to processes. (What it does to unsynced
pages is proved by the order of the operations: see test_journey_order.py.) With WAIAAS_ALONE only
the first process of the trace dies, the one that supervises the run; see orphans.py.
"""

import os
import select
import shutil
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.journeys.api import contents, schema, stray, without
from tests.journeys.workshop import Done, Feed, Site, Workshop, migration_17

POWER = '''"""Test overlay: stops the machine at the n-th named operation."""

import fcntl
import os
import signal

TRACE, CUT = os.environ.get("WAIAAS_TRACE", ""), int(os.environ.get("WAIAAS_CUT", "-1"))
ALONE = "WAIAAS_ALONE" in os.environ


def at(point: str) -> None:
    if not TRACE:
        return
    descriptor = os.open(TRACE, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    lines = os.pread(descriptor, 1 << 22, 0).decode().splitlines()
    if len(lines) == CUT:
        os.write(descriptor, f"{os.getpid()} CUT {point}\\n".encode())
        pids = [int(line.split()[0]) for line in lines] + [os.getpid()]
        for pid in pids[:1] if ALONE else dict.fromkeys(sorted(pids, key=os.getpid().__eq__)):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    if len(lines) < CUT or CUT < 0:
        os.write(descriptor, f"{os.getpid()} {point}\\n".encode())
    os.close(descriptor)
'''
OVERLAY = {"waiaas/host/power.py": POWER}


@dataclass(frozen=True)
class World:
    """A program with the data that belong to it."""

    program: bytes
    data: dict[str, list[str]]
    schema: int

    @classmethod
    def of(cls, site: Site) -> "World":
        return cls(site.program.read_bytes(), comparable(site.database), schema(site.database))


def comparable(database: Path) -> dict[str, list[str]]:
    """The rows that an upgrade with migration 17 leaves as they are."""
    rows = contents(database)
    rows["wallets"] = without(rows["wallets"], "label")
    rows.pop("schema_version")
    return rows


@dataclass(frozen=True)
class Scenario:
    """One story that is cut: what is prepared, what runs, and which command recovers it."""

    name: str
    migrating: bool
    before: tuple[tuple[str, ...], ...]
    command: tuple[str, ...]
    recover: tuple[str, ...]
    running: bool = False


RECOVER = ("upgrade", "--recover")
STOPPED = ("upgrade", "--no-start")
SCENARIOS = (
    Scenario("upgrade that migrates", True, (), STOPPED, RECOVER),
    Scenario("upgrade without migration", False, (), STOPPED, RECOVER),
    Scenario("upgrade of a running daemon", True, (), ("upgrade",), ("start", "--detach"), running=True),
    Scenario("roll-back with data", True, (STOPPED,), ("upgrade", "--rollback", "--no-start"), RECOVER),
    Scenario(
        "roll-back of the program", False, (STOPPED,), ("upgrade", "--rollback", "--keep-data"), RECOVER
    ),
)


def versions(workshop: Workshop, migrating: bool, spoiled: dict[str, str] | None = None) -> tuple[Path, Path]:
    """The two artefacts whose power can be cut."""
    overlay, name = OVERLAY | (spoiled or {}), "spoiled" if spoiled else "power"
    old = workshop.build("1.8.0", overlay, name=f"{name}-1.8.0")
    if migrating:
        return old, workshop.build("1.9.0", overlay | migration_17(), name=f"{name}-1.9.0")
    return old, workshop.build("1.8.1", overlay, name=f"{name}-1.8.1")


class Bench:
    """A site that can be set back to its beginning in no time, and the two worlds it may end in."""

    def __init__(
        self, workshop: Workshop, folder: Path, scenario: Scenario, spoiled: dict[str, str] | None = None
    ) -> None:
        """`spoiled`: an overlay that breaks both versions on purpose."""
        self.scenario = scenario
        old, new = versions(workshop, scenario.migrating, spoiled)
        self.feed = Feed(workshop, folder / "feed")
        self.feed.publish(old, new)
        self.site = Site(folder / "site", old, self.feed.url)
        self.site.environ["WAIAAS_UPGRADE_PROBATION"] = "0"
        for words in (("init",), ("start", "--detach"), ("stop",)):
            self.site.ok(*words)
        for words in scenario.before:
            self.site.ok(*words)
        self._keep = folder / "keep"
        shutil.copytree(self.site.folder, self._keep, symlinks=True)
        self.old = World.of(self.site)
        self._begin()
        self.points = self._count()
        self.site.run("stop")
        self.new = World.of(self.site)

    def reset(self) -> None:
        self.power_off()
        shutil.rmtree(self.site.folder)
        shutil.copytree(self._keep, self.site.folder, symlinks=True)
        self._begin()

    def cut(self, point: int, *arguments: str) -> tuple[str, Done]:
        """Run a command with the power cut at its n-th operation; the name of the point, "" if it
        came to its end before."""
        trace = self.site.folder / "trace"
        trace.unlink(missing_ok=True)
        done = self.site.run(*arguments, WAIAAS_TRACE=str(trace), WAIAAS_CUT=str(point))
        lines = trace.read_text().splitlines() if trace.exists() else []
        reached = [line.split(" CUT ")[1] for line in lines if " CUT " in line]
        if reached:
            self.power_off()
        return (reached[0] if reached else ""), done

    def power_off(self) -> None:
        """No process of the site is left: found by the folder in their arguments."""
        for pid in processes_of(self.site.folder):
            _end(pid)

    def verdict(self, where: str) -> str:
        """`old` or `new` after recovery; else a sentence that says what is wrong."""
        self.site.run("stop")  # one that works makes files, and leaves none
        world = which(self.site, self.old, self.new)
        if world not in ("old", "new"):
            return f"{where}: {world}"
        if "nothing to recover" not in self.site.run(*RECOVER).out:
            return f"{where}: a second recovery found something to do"
        if left := self._left():
            return f"{where}: left behind {left}"
        for kept in self.site.json("backup", "list"):
            if self.site.run("backup", "verify", kept["id"]).code != 0:
                return f"{where}: backup {kept['id']} is damaged"
        return world

    def close(self) -> None:
        self.power_off()
        self.feed.close()

    def _left(self) -> list[str]:
        """What lies about; what a killed daemon left has to go with the next start."""
        if self._litter():
            self.site.ok("start", "--detach")
            self.site.ok("stop")
        return self._litter()

    def _litter(self) -> list[str]:
        hidden = [str(path.relative_to(self.site.data)) for path in self.site.data.rglob(".*")]
        return stray(self.site) + hidden

    def _begin(self) -> None:
        if self.scenario.running:
            self.site.ok("start", "--detach")

    def _count(self) -> list[str]:
        trace = self.site.folder / "trace"
        self.site.ok(*self.scenario.command, WAIAAS_TRACE=str(trace))
        return [line.split(" ", 1)[1] for line in trace.read_text().splitlines()]


@dataclass
class Tally:
    """What was tried and how it ended."""

    scenario: str
    operations: int
    cuts: int = 0
    recovery_cuts: int = 0
    old: int = 0
    new: int = 0
    bad: list[str] = field(default_factory=list)

    def add(self, verdict: str) -> None:
        if verdict in ("old", "new"):
            setattr(self, verdict, getattr(self, verdict) + 1)
        else:
            self.bad.append(verdict)


def never() -> bool:
    """No budget to run out of."""
    return False


def try_all(bench: Bench, stride: int, nested_stride: int, enough: Callable[[], bool] = never) -> Tally:
    """Cut at each `stride`-th operation, and recover: once in one go, and once with the recovery cut at each
    `nested_stride`-th operation of its own. Either of them hides what the other shows."""
    tally = Tally(bench.scenario.name, len(bench.points))
    for number, point in enumerate(chosen(bench.points, stride)):
        for cuts in (range(0), range(number % nested_stride, 1 << 30, nested_stride)):
            if enough():
                return tally
            bench.reset()
            name, _ = bench.cut(point, *bench.scenario.command)
            tally.cuts += bool(name)
            where, done = _recover(bench, cuts, tally)
            where = f"cut at {point} ({name}){where}"
            tally.add(bench.verdict(where) if done.code == 0 else f"{where}: {done}")
    return tally


def _recover(bench: Bench, cuts: Iterable[int], tally: Tally) -> tuple[str, Done]:
    """Recover through ever later power cuts, until one recovery comes to its end."""
    where = ""
    for cut in cuts:
        name, done = bench.cut(cut, *bench.scenario.recover)
        if not name:
            return where, done
        tally.recovery_cuts += 1
        where += f", recovery cut at {cut} ({name})"
    return where, bench.site.run(*bench.scenario.recover)


def chosen(names: list[str], stride: int) -> list[int]:
    """Each so-manieth operation, and always the last one that can be undone and the first that cannot."""
    decided = max(number for number, name in enumerate(names) if name.startswith("journal.committed"))
    return sorted({*range(0, len(names), stride), decided, decided + 1})


def processes_of(folder: Path) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
        except OSError:
            continue
        if str(folder).encode() in words:
            found.append(int(entry.name))
    return found


def _end(pid: int) -> None:
    """SIGKILL, and wait until the kernel has taken it away."""
    try:
        descriptor = os.pidfd_open(pid)
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    except ProcessLookupError:
        return
    select.select([descriptor], [], [], 5)
    os.close(descriptor)


def which(site: Site, old: World, new: World) -> str:
    """`old`, `new`, or what is wrong."""
    found = World.of(site)
    for name, world in (("old", old), ("new", new)):
        if found == world:
            return name
    program = {old.program: "old", new.program: "new"}.get(found.program, "unknown")
    data = "the same" if found.data == old.data else "different"
    return f"mixed: program {program}, schema {found.schema}, data {data}"
