"""A maintainer's clone, the repository behind GitHub, and the real command line of release-please."""

import os
import subprocess
import sys
from pathlib import Path

from tests.release_please.cases import NODE, TOOLS
from tests.release_please.fake_github import GitHub
from tests.release_please.origin import Origin
from tests.release_please.scratch import CHANGELOG, MANIFEST, MODULE, READ, ROOT, Scratch, git, stated

CLI = TOOLS / "release-please/build/src/bin/release-please.js"


class World:
    """`main` begins at `version`, and the manifest names `released`; `whole`: every file of this tree."""

    def __init__(self, folder: Path, version: str, released: str, *, whole: bool = False) -> None:
        self.origin = Origin(folder / "origin.git")
        self.github = GitHub(self.origin)
        self.scratch = Scratch(folder / "clone")
        self.scratch.folder.mkdir()
        self.first = self.scratch.begin(version, released, "feat: begin", _everything() if whole else READ)
        git(self.scratch.folder, "remote", "add", "origin", str(self.origin.folder))
        self._push()

    def released_already(self, version: str) -> None:
        """As if the first commit were the release of `version`."""
        wanted = {"tag_name": f"v{version}", "target_commitish": self.first, "name": f"v{version}"}
        self.github.answer(
            "POST", "/repos/example/waiaas/releases", {}, wanted | {"body": "", "draft": False}
        )

    def commit(self, *messages: str) -> None:
        """Commits on main, the first with whatever the tree holds by then."""
        git(self.scratch.folder, "pull", "-q", "--rebase", "--autostash", "origin", "main")
        for message in messages:
            self.scratch.commit(message)
        self._push()

    def release_please(self, command: str) -> str:
        """`release-pr` or `github-release`, as its own program; returns what it said."""
        argv = [str(NODE), str(CLI), command, "--repo-url", "example/waiaas", "--target-branch", "main"]
        environ = {**os.environ, "NODE_COMPILE_CACHE": str(TOOLS.parent / "compiled")}  # a sixth of its time
        argv += ["--token", "none", "--api-url", self.github.url, "--graphql-url", self.github.url]
        done = subprocess.run(argv, env=environ, capture_output=True, text=True, check=False, timeout=100)
        assert done.returncode == 0, done.stdout + done.stderr
        assert self.github.unknown == []
        return done.stdout + done.stderr

    def release(self) -> str:
        """A whole release through gate 1; returns its tag."""
        self.release_please("release-pr")
        (pull,) = self.github.open_pulls()
        self.github.merge(pull["number"])
        self.release_please("github-release")
        tag: str = self.github.releases[-1]["tag_name"]
        return tag

    def stated(self, name: str = "main") -> dict[str, str]:
        """Every version that stands in the tree of a commit."""
        return stated({path: self.origin.read(name, path) for path in (CHANGELOG, MANIFEST, MODULE)})

    def inside(self, *arguments: str) -> str:
        """What this Python says in the clone."""
        argv = [sys.executable, *arguments]
        done = subprocess.run(argv, cwd=self.scratch.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def tags(self) -> dict[str, str]:
        return self.origin.refs("tags")

    def _push(self) -> None:
        git(self.scratch.folder, "push", "-q", "origin", "main")


def _everything() -> tuple[str, ...]:
    """The files of this tree that git knows or would add."""
    names = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    return tuple(name for name in names if (ROOT / name).is_file() and name not in (CHANGELOG, MANIFEST))
