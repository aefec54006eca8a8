"""The repository behind a GitHub: a real bare one, and the operations on objects that its API offers."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.release_please.scratch import git


class Origin:
    """Every name is a branch, a tag or a commit; what does not exist raises KeyError."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        git(folder.parent, "init", "-q", "--bare", "-b", "main", str(folder))

    def commit_of(self, name: str) -> str:
        try:
            return self._git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        except AssertionError as problem:
            raise KeyError(name) from problem

    def tree_of(self, commit: str) -> str:
        return self._git("rev-parse", f"{commit}^{{tree}}")

    def parents(self, commit: str) -> list[str]:
        return self._git("log", "-1", "--format=%P", commit).split()

    def message(self, commit: str) -> str:
        return self._git("log", "-1", "--format=%B", commit).rstrip("\n")

    def history(self, branch: str) -> list[str]:
        """Newest first."""
        return self._git("rev-list", self.commit_of(branch)).split()

    def changed(self, commit: str) -> list[str]:
        """The paths that a commit touches."""
        return self._git("show", "--format=", "--name-only", commit).split()

    def entries(self, name: str) -> list[dict[str, Any]]:
        """Every file of a tree, as the API lists them."""
        rows = self._git("ls-tree", "-r", self.commit_of(name)).splitlines()
        split = [(row.partition("\t")[0].split(), row.partition("\t")[2]) for row in rows]
        return [{"mode": mode, "type": kind, "sha": sha, "path": path} for (mode, kind, sha), path in split]

    def blob(self, sha: str) -> str:
        return self._git("cat-file", "blob", sha) + "\n"  # every file of ours ends its last line

    def read(self, name: str, path: str) -> str:
        return self._git("show", f"{name}:{path}") + "\n"

    def make_tree(self, base: str, entries: list[dict[str, Any]]) -> str:
        """A tree like `base` but for `entries`: path, mode, content."""
        with TemporaryDirectory() as scratch:
            index = {"GIT_INDEX_FILE": os.path.join(scratch, "index")}
            git(self.folder, "read-tree", base, **index)
            for entry in entries:
                sha = git(self.folder, "hash-object", "-w", "--stdin", stdin=entry["content"])
                place = f"{entry['mode']},{sha},{entry['path']}"
                git(self.folder, "update-index", "--add", "--cacheinfo", place, **index)
            return git(self.folder, "write-tree", **index)

    def make_commit(self, tree: str, parents: list[str], message: str) -> str:
        options = [option for parent in parents for option in ("-p", parent)]
        return git(self.folder, "commit-tree", tree, *options, stdin=message)

    def set_ref(self, ref: str, commit: str) -> None:
        """`ref` as in `refs/heads/main`."""
        self._git("update-ref", ref, commit)

    def refs(self, kind: str) -> dict[str, str]:
        """`tags` or `heads`: name, commit."""
        form = "--format=%(refname:strip=2) %(objectname)"
        rows = self._git("for-each-ref", form, f"refs/{kind}").splitlines()
        return dict(row.split(" ", 1) for row in rows)

    def _git(self, *arguments: str) -> str:
        return git(self.folder, *arguments)
