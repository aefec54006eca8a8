"""Cutting the power at a named operation of the real artefact, and looking at what is left.

The overlay `POWER` replaces `waiaas/host/power.py`. Every process of the site appends the points it
passes to one trace; the process that passes point number WAIAAS_CUT kills every process of the site
and itself with SIGKILL, which is what a power cut does to processes. (What it does to unsynced
pages is proved by the order of the operations: see test_journey_order.py.)
"""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from tests.journeys.api import contents, schema, without
from tests.journeys.workshop import Done, Site

POWER = '''"""Test overlay: stops the machine at the n-th named operation."""

import fcntl
import os
import signal

TRACE, CUT = os.environ.get("WAIAAS_TRACE", ""), int(os.environ.get("WAIAAS_CUT", "-1"))


def at(point: str) -> None:
    if not TRACE:
        return
    descriptor = os.open(TRACE, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    lines = os.pread(descriptor, 1 << 22, 0).decode().splitlines()
    if len(lines) == CUT:
        os.write(descriptor, f"{os.getpid()} CUT {point}\\n".encode())
        for pid in {int(line.split()[0]) for line in lines} - {os.getpid()}:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        os.kill(os.getpid(), signal.SIGKILL)
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


def cut(site: Site, point: int, *arguments: str) -> tuple[Done, str]:
    """Run a command with the power cut at its n-th operation; the name of the point, "" if none."""
    trace = site.folder / "trace"
    trace.unlink(missing_ok=True)
    done = site.run(*arguments, WAIAAS_TRACE=str(trace), WAIAAS_CUT=str(point))
    lines = trace.read_text().splitlines() if trace.exists() else []
    reached = [line.split(" CUT ")[1] for line in lines if " CUT " in line]
    _end_everything({int(line.split()[0]) for line in lines} if reached else set())
    return done, reached[0] if reached else ""


def points(site: Site, *arguments: str) -> list[str]:
    """The named operations that a command passes, in order, all its processes together."""
    trace = site.folder / "trace"
    trace.unlink(missing_ok=True)
    site.ok(*arguments, WAIAAS_TRACE=str(trace))
    return [line.split(" ", 1)[1] for line in trace.read_text().splitlines()]


def _end_everything(pids: set[int]) -> None:
    """The power is off: wait until no process of the site is left."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
        deadline = time.monotonic() + 5
        while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
            if " Z " in _stat(pid):
                break
            time.sleep(0.005)


def _stat(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return " Z "


def which(site: Site, old: World, new: World) -> str:
    """`old`, `new`, or what is wrong."""
    found = World.of(site)
    for name, world in (("old", old), ("new", new)):
        if found == world:
            return name
    return f"mixed: program {'old' if found.program == old.program else 'new' if found.program == new.program else '?'}, schema {found.schema}, data {'same' if found.data == old.data else 'different'}"
