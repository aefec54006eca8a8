"""The maker's side: a repository behind the small GitHub that gate 1 is tested with, commits, and keys.

Gate 1 is the real release-please. Merging its pull request is what the rehearsal does for a person.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from github import GitHub
from machine import HERE

sys.path.insert(0, str(HERE))

from tests.release_please.cases import NODE, TOOLS
from tests.release_please.world import World

BEGINS, BEFORE = "1.8.0", "1.7.0"  # the tree is this version, and the newest release is that


def missing() -> str:
    """Why gate 1 cannot be rehearsed here; "" if it can."""
    here = NODE.exists() and (TOOLS / "release-please").is_dir()
    return "" if here else "release-please is not installed (make node)"


class Source:
    """`tree` is a maintainer's clone of this very tree; `keys` holds every key of the feed."""

    def __init__(self, keys: Path, github: GitHub) -> None:
        self.keys = keys
        self._github = github
        self._world = World(github.origin.parent, BEGINS, BEFORE, whole=True)
        self._feed = keys.parent / "feed-of-the-maker"

    def begin(self) -> str:
        """Keys, the root of trust in the tree, the first release through gate 1; returns its tag."""
        self._maker("keys", "--dir", str(self.keys), "--plain", "--threshold", "1")
        shutil.copyfile(self.keys / "root.json", self._world.scratch.folder / "build" / "root.json")
        return self.release("build: the root of trust of our feed")

    def release(self, *commits: str) -> str:
        """These commits on main, the release pull request, its merge, the release; returns the tag."""
        self._world.commit(*commits)
        tag: str = self._world.release()
        self._github.release(tag)
        return tag

    def withdraw(self, tag: str, reason: str, image: str) -> str:
        """What whoever is on call types: two commands; returns what the second one says."""
        branch = ("--branch", f"{self._github.origin}#feed")
        feed = ("--feed", str(self._feed))
        self._maker("fetch", *feed, *branch)
        where = (*feed, "--keys", str(self.keys), *branch, *(("--image", image) if image else ()))
        return self._maker("withdraw", tag.removeprefix("v"), *where, "--reason", reason, "--yes")

    def close(self) -> None:
        self._world.github.close()

    def _maker(self, *arguments: str) -> str:
        argv = [sys.executable, "-m", "waiaas.release", *arguments]
        tree = self._world.scratch.folder
        done = subprocess.run(argv, cwd=tree, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"rehearsal failed: {' '.join(arguments)}\n{done.stdout}{done.stderr}")
        return done.stdout
