"""`python -m tests.containers.artefacts FOLDER`: what an image is built from, made where there is a network.

The folder becomes a build context: the tree's ignore file, and in `dist/` the artefacts of 1.8.0 and of
the next version, which has migration 17.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from tests.journeys.workshop import REPOSITORY, Workshop

OLD, NEW = "1.8.0", "1.9.0"


def make(context: Path) -> None:
    dist = context / "dist"
    dist.mkdir(parents=True)
    shutil.copy(REPOSITORY / ".dockerignore", context)
    with tempfile.TemporaryDirectory(prefix="wc-") as folder:
        workshop = Workshop(Path(folder))
        for artefact in (workshop.current, workshop.minor):
            shutil.copy2(artefact, dist)
    assert sorted(path.name for path in dist.iterdir()) == [f"waiaas-{v}.pyz" for v in (OLD, NEW)]


if __name__ == "__main__":
    make(Path(sys.argv[1]))
