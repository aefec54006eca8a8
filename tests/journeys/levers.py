"""Levers on the real artefact: fail or pause at a named operation, refuse links, blind the preflight.

The overlay replaces `waiaas/host/power.py`. It looks into the folder WAIAAS_LEVERS, so that a test
can pull a lever and let it go again while processes run. Without the folder it does nothing.
"""

import errno
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.journeys import mounts
from tests.journeys.api import eventually
from tests.journeys.workshop import Feed, Site, Workshop, migration_17

POWER = '''"""Test overlay: levers, see tests/journeys/levers.py."""

import errno
import os
import re
import shutil

LEVERS = os.environ.get("WAIAAS_LEVERS", "")
TAKES_ROOM = ("write", "append", "copy", "link", "symlink", "mkdir", "fsync")


def _pulled(name):
    try:
        with open(os.path.join(LEVERS, name)) as stream:
            return stream.read().split()
    except OSError:
        return None


def _no_link(*_, **__):
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


if LEVERS and _pulled("no-links") is not None:
    os.link = _no_link
if LEVERS and _pulled("blind") is not None:
    shutil.disk_usage = lambda _: shutil._ntuple_diskusage(1 << 50, 0, 1 << 50)


def at(point):
    if not LEVERS:
        return
    if _pulled("trace") is not None:
        with open(os.path.join(LEVERS, "trace"), "a") as stream:
            stream.write(point + chr(10))
    pause = _pulled("pause")
    if pause and re.fullmatch(pause[0], point):
        try:
            os.rename(os.path.join(LEVERS, "pause"), os.path.join(LEVERS, "taken"))
        except OSError:
            return
        with open(os.path.join(LEVERS, "paused"), "w") as stream:
            stream.write(str(os.getpid()))
        open(os.path.join(LEVERS, "gate")).close()
    fault = _pulled("fail")
    if point == "ballast:remove" and fault and fault[-1] == "lasting" and _pulled("full") is not None:
        for name in ("fail", "full"):
            os.remove(os.path.join(LEVERS, name))
        fault = None
    if fault and _fails(point, *fault):
        number = getattr(errno, fault[0])
        raise OSError(number, os.strerror(number), point)


def _fails(point, _error, where, lasting="no"):
    if _pulled("full") is not None:
        return point.rpartition(":")[2] in TAKES_ROOM
    hit = re.fullmatch(where, point) is not None
    if hit and lasting != "no":
        open(os.path.join(LEVERS, "full"), "w").close()
    return hit
'''
SIZE = 64 << 20  # bytes of a disk of a test's own
OVERLAY = {"waiaas/host/power.py": POWER}


@dataclass(frozen=True)
class Levers:
    """The folder that the artefact looks into."""

    folder: Path

    def pull(self, name: str, *words: str) -> None:
        self.folder.mkdir(exist_ok=True)
        (self.folder / f"{name}.new").write_text(" ".join(words))
        (self.folder / f"{name}.new").rename(self.folder / name)

    def let_go(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)

    def fail(self, error: int, where: str, lasting: str = "no") -> None:
        """Every operation whose name matches `where` fails; "lasting": from the first one on all that take
        room on a disk, until the run drops its ballast; "for-good": until somebody mends it."""
        self.pull("fail", errno.errorcode[error], where, lasting)

    def mend(self) -> None:
        """The fault is gone."""
        self.let_go("fail")
        self.let_go("full")

    def pause(self, where: str) -> None:
        """The first process that comes to such an operation waits there until `go_on`."""
        self.folder.mkdir(exist_ok=True)
        for name in ("paused", "taken", "gate"):
            self.let_go(name)
        os.mkfifo(self.folder / "gate")
        self.pull("pause", where)

    def paused(self) -> int:
        """Wait until somebody does; its pid."""
        return eventually(lambda: int((self.folder / "paused").read_text() or 0))

    def go_on(self) -> None:
        """Whoever waits goes on; nobody may be waiting."""
        self.let_go("pause")
        if (self.folder / "paused").exists():
            gate = self.folder / "gate"
            os.close(eventually(lambda: os.open(gate, os.O_WRONLY | os.O_NONBLOCK), 30))


class Yard:
    """An installation of 1.8.0 with levers, 1.8.1 or 1.9.0 (migration 17) in its feed."""

    def __init__(self, workshop: Workshop, folder: Path) -> None:
        self.old = workshop.build("1.8.0", OVERLAY, name="levers-1.8.0")
        self.patch = workshop.build("1.8.1", OVERLAY, name="levers-1.8.1")
        self.minor = workshop.build("1.9.0", OVERLAY | migration_17(), name="levers-1.9.0")
        self.feeds = {name: Feed(workshop, folder / f"feed-{name}") for name in ("patch", "minor")}
        self.feeds["patch"].publish(self.old, self.patch)
        self.feeds["minor"].publish(self.old, self.minor)
        self.template = folder / "template"
        with_data = Site(folder / "first", self.old)
        for words in (("init",), ("start", "--detach"), ("stop",)):
            with_data.ok(*words)
        shutil.copytree(with_data.data, self.template)

    def site(self, folder: Path, next_version: str = "minor") -> Site:
        """A fresh installation; its levers lie in `folder/levers`."""
        made = Site(folder, self.old, self.feeds[next_version].url)
        made.environ.update(
            WAIAAS_LEVERS=str(folder / "levers"),
            WAIAAS_UPGRADE_PROBATION="0",
            WAIAAS_DAEMON_SHUTDOWN_TIMEOUT="2",
        )
        shutil.copytree(self.template, made.data)
        return made

    def close(self) -> None:
        for feed in self.feeds.values():
            feed.close()


def levers(site: Site) -> Levers:
    return Levers(site.folder / "levers")


def litter(site: Site) -> list[str]:
    """Temporary files, a journal, a staged program; also while the daemon runs."""
    place = site.program.resolve().parent / ".waiaas"
    found = [p for p in place.glob("*") if p.name.startswith(".") or p.name in ("journal", "staged")]
    found += [p for p in (*place.parent.glob(".*"), *site.data.rglob(".*")) if p.name != ".waiaas"]
    return [str(p) for p in found]


def program_disk(site: Site) -> Path:
    mounts.over(site.program.parent, SIZE)
    return site.program.parent


def data_disk(site: Site) -> Path:
    mounts.over(site.data, SIZE)
    return site.data


def one_disk(site: Site) -> Path:
    mounts.over(site.folder, SIZE)
    return site.folder
