"""`python -m tests.systemd.versions FOLDER`: what the machines install, made where there is a network.

`FOLDER/1.8.0.pyz`, which they begin with, and a signed feed for each next version, in `FOLDER/feeds`.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from tests.journeys import sabotage
from tests.journeys.sabotage import Overlay
from tests.journeys.workshop import REPOSITORY, Feed, Workshop, migration_17

OLD, PATCH, MINOR = "1.8.0", "1.8.1", "1.9.0"  # MINOR has migration 17

# At one named operation, `name#2` for the second of that name, a run waits: for the power of its machine
# to fail, or until the folder TRACE.cut is gone. The daemon cannot write there, and passes all of them.
POWER = '''"""Test overlay: waits at a named operation, see tests/systemd/versions.py."""

import os
import re
import time

TRACE, CUT = os.environ.get("WAIAAS_TRACE", ""), os.environ.get("WAIAAS_CUT", "")


def at(point):
    try:
        with open(TRACE, "a") as stream:
            stream.write(point + chr(10))
        reached = open(TRACE).read().split()
        if CUT and re.fullmatch(CUT, f"{point}#{reached.count(point)}"):
            os.mkdir(TRACE + ".cut")
            while os.path.isdir(TRACE + ".cut"):
                time.sleep(0.02)
    except OSError:
        pass
'''
DEAD = """
import os as _os
if _os.path.exists("/etc/waiaas-is-dead"):
    raise SystemExit("this version is dead by now")
"""


def overlays() -> dict[str, tuple[str, Overlay]]:
    """Each next version by its name: number, and what is different in it."""
    main = "waiaas/cli/main.py"
    dead = {main: (REPOSITORY / main).read_text() + DEAD}
    found = {
        "patch": (PATCH, {}),
        "minor": (MINOR, migration_17()),
        "crashes": (PATCH, sabotage.exits_at_once()),
        "hangs": (MINOR, migration_17() | sabotage.never_becomes_ready()),
        "falls-ill": (PATCH, sabotage.falls_ill_in_probation()),
        "dead-later": (MINOR, migration_17() | dead),
    }
    power = {"waiaas/host/power.py": POWER}
    return {name: (version, power | changed) for name, (version, changed) in found.items()}


def make(folder: Path) -> None:
    feeds = folder / "feeds"
    feeds.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="ws-") as name:
        workshop = Workshop(Path(name))
        old = workshop.build(OLD, {"waiaas/host/power.py": POWER}, name="old")
        shutil.copy(old, folder / f"{OLD}.pyz")
        for name, (version, changed) in overlays().items():
            feed = Feed(workshop, feeds / name)
            feed.publish(old, workshop.build(version, changed, name=name))
            feed.close()


if __name__ == "__main__":
    make(Path(sys.argv[1]))
