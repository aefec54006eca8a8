"""The maker's own machine: a clone of the scratch repository, the keys, the commits."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from github import GitHub
from machine import HERE

VERSION = re.compile(r'^__version__ = "([0-9.]+)"', re.MULTILINE)
MODULE = Path("waiaas", "__init__.py")
NAMED = {
    "GIT_AUTHOR_NAME": "maker", "GIT_AUTHOR_EMAIL": "maker@example.org",
    "GIT_COMMITTER_NAME": "maker", "GIT_COMMITTER_EMAIL": "maker@example.org",
}  # fmt: skip


class Source:
    """`tree` is a clone of this very tree at HEAD; `keys` holds every key of the feed."""

    def __init__(self, tree: Path, keys: Path, github: GitHub) -> None:
        self.tree = tree
        self.keys = keys
        self._github = github
        self._ours = tree.parent / "feed-of-the-maker"

    def begin(self) -> str:
        """The scratch repository, its keys, the root of trust in the tree; returns the first tag."""
        subprocess.run(["git", "clone", "-q", str(HERE), str(self.tree)], check=True)
        self._git("remote", "set-url", "origin", str(self._github.origin))
        self._maker("keys", "--dir", str(self.keys), "--plain", "--threshold", "1")
        shutil.copyfile(self.keys / "root.json", self.tree / "build" / "root.json")
        self._commit("build: the root of trust of our feed")
        return self._publish_tag(self._version())

    def release(self, commits: Sequence[tuple[str, str]]) -> str:
        """Commits on main, then what merging the release pull request does; returns the new tag."""
        for message, path in commits:
            with (self.tree / path).open("a") as stream:
                stream.write(f"\n# {message}\n")
            self._commit(message)
        major, minor, patch = (int(part) for part in self._version().split("."))
        feature = any(message.startswith("feat") for message, _ in commits)
        version = f"{major}.{minor + 1}.0" if feature else f"{major}.{minor}.{patch + 1}"
        module = self.tree / MODULE
        module.write_text(VERSION.sub(f'__version__ = "{version}"', module.read_text()))
        self._commit(f"chore(main): release {version}")
        return self._publish_tag(version)

    def withdraw(self, tag: str, reason: str, image: str) -> str:
        """What whoever is on call types: two commands; returns what the second one says."""
        branch = ("--branch", f"{self._github.origin}#feed")
        feed = ("--feed", str(self._ours))
        self._maker("fetch", *feed, *branch)
        where = (*feed, "--keys", str(self.keys), *branch, *(("--image", image) if image else ()))
        return self._maker("withdraw", tag.removeprefix("v"), *where, "--reason", reason, "--yes")

    def _publish_tag(self, version: str) -> str:
        tag = f"v{version}"
        self._git("tag", tag)
        self._git("push", "-q", "origin", "HEAD:main", tag)
        self._github.release(tag)
        return tag

    def _version(self) -> str:
        found = VERSION.search((self.tree / MODULE).read_text())
        if found is None:
            sys.exit("rehearsal failed: this tree is not at a version X.Y.Z")
        return found[1]

    def _commit(self, message: str) -> None:
        self._git("add", "--all")
        self._git("commit", "-q", "-m", message)

    def _git(self, *arguments: str) -> None:
        subprocess.run(["git", "-C", str(self.tree), *arguments], check=True, env={**os.environ, **NAMED})

    def _maker(self, *arguments: str) -> str:
        argv = [sys.executable, "-m", "waiaas.release", *arguments]
        done = subprocess.run(argv, cwd=self.tree, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"rehearsal failed: {' '.join(arguments)}\n{done.stdout}{done.stderr}")
        return done.stdout
