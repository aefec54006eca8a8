"""A scratch repository with what release-please reads and writes, at any version."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONFIG, MANIFEST = "release-please-config.json", ".release-please-manifest.json"
CHANGELOG, MODULE = "CHANGELOG.md", "waiaas/__init__.py"
READ = (CONFIG, MODULE, "pyproject.toml", "waiaas/core/version.py")  # and what `begin` writes itself
LITERAL = re.compile(r'^__version__ = "(.+)"  # x-release-please-version$', re.MULTILINE)
HEADING = re.compile(r"^## \[(.+?)\]", re.MULTILINE)
IDENTITY = {
    "GIT_AUTHOR_NAME": "someone",
    "GIT_AUTHOR_EMAIL": "someone@example.org",
    "GIT_COMMITTER_NAME": "someone",
    "GIT_COMMITTER_EMAIL": "someone@example.org",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


def git(folder: Path, *arguments: str, stdin: str | None = None, **environ: str) -> str:
    """What git said, without the last line end; raises where it failed."""
    argv = ["git", "-C", str(folder), *arguments]
    env = {**os.environ, **IDENTITY, **environ}
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=env, input=stdin)
    assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}"
    return done.stdout.removesuffix("\n")


class Scratch:
    """This tree's files in a repository of their own, on `main`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self, version: str, released: str, message: str, paths: tuple[str, ...] = READ) -> str:
        """The tree as of `version`, while the newest release is `released`; returns the commit."""
        for path in paths:
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, self.folder / path)
        self.write(CHANGELOG, unreleased((ROOT / CHANGELOG).read_text(encoding="utf-8")))
        self.write(MANIFEST, json.dumps({".": released}, indent=2) + "\n")
        self.write(MODULE, LITERAL.sub(_literal(version), self.read(MODULE)))
        git(self.folder, "init", "-q", "-b", "main")
        return self.commit(message)

    def read(self, path: str) -> str:
        return (self.folder / path).read_text(encoding="utf-8")

    def write(self, path: str, text: str) -> None:
        (self.folder / path).write_text(text, encoding="utf-8")

    def commit(self, message: str) -> str:
        """Commit whatever changed, if anything did."""
        git(self.folder, "add", "--all")
        git(self.folder, "commit", "-q", "--allow-empty", "--cleanup=verbatim", "-m", message)
        return git(self.folder, "rev-parse", "HEAD")

    def set_rc_line(self, on: bool) -> None:
        """The one switch of the rc line (CONTRIBUTING)."""
        text = self.read(CONFIG)
        changed = re.sub(r'"prerelease": (true|false)', f'"prerelease": {str(on).lower()}', text)
        assert len(re.findall(r'"prerelease": (?:true|false)', text)) == 1
        self.write(CONFIG, changed)


def unreleased(changelog: str) -> str:
    """A changelog without the releases in it: its head, and the section that closes it."""
    head, closing = re.split(r"^## \[", changelog, maxsplit=1, flags=re.MULTILINE)[0], "## 1.7 and earlier"
    before, _, after = changelog.partition(closing)
    assert after, f"{CHANGELOG} ends without {closing!r}, which release-please needs to find its place"
    return (head if head != changelog else before).rstrip() + "\n\n" + closing + after


def stated(files: dict[str, str]) -> dict[str, str]:
    """Every version that stands in the tree: the literal, the manifest, the newest changelog entry."""
    literals = LITERAL.findall(files[MODULE])
    assert len(literals) == 1
    return {
        MODULE: literals[0],
        MANIFEST: json.loads(files[MANIFEST])["."],
        CHANGELOG: HEADING.findall(files[CHANGELOG])[0],
    }


def _literal(version: str) -> str:
    return f'__version__ = "{version}"  # x-release-please-version'
