"""Everything a withdrawal touches, on one disk: a signed feed, GitHub, a registry, a git remote.

The feed and git are real; `gh` and `skopeo` are executables of ours that keep state (fake_gh.py,
fake_skopeo.py), so that what is read back was really changed.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bench import Bench

from waiaas.core.version import Version
from waiaas.release import __main__ as tool
from waiaas.release import publish
from waiaas.release.archive import pack

HERE = Path(__file__).parent
REPOSITORY = "acme/waiaas"
IMAGE = "registry.example/acme/waiaas"


def artefact(folder: Path, version: str, commit: str = "", schema: int = 16, python: str = ">=3.11") -> Path:
    """A file that says about itself what a real build does; it migrates up to `schema`."""
    facts = {"version": version, "commit": commit, "built": 1700000000, "python": python}
    contents = {
        "waiaas/_build.json": json.dumps(facts).encode(),
        "waiaas/core/compat.py": f"LATEST_SCHEMA_VERSION = {schema}\nSCHEMAS = {{11: ('1.5.0',)}}\n".encode(),
        "waiaas/upgrade/root.json": b"{}",
    }
    path = folder / f"waiaas-{version}.pyz"
    path.write_bytes(pack(contents, 0))
    return path


class Office:
    """1.8.0, 1.9.0-rc.1 and 1.9.0 are out; 1.9.0 will have to go. HEAD is beyond all of them."""

    def __init__(self, folder: Path, plain_keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.bench = Bench(folder, plain_keys)
        self.feed, self.keys = self.bench.feed, self.bench.keys
        self.records = folder / "feed.records"
        self.tools = folder / "tools"
        self.monkeypatch = monkeypatch
        (folder / "gitconfig").write_text("[user]\nname = Ada\nemail = ada@example.org\n")
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(folder / "gitconfig"))
        monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
        monkeypatch.setenv("PATH", str(self.tools))
        tool._passphrase.cache_clear()
        self._install()
        self._commits()
        self.publish("1.8.0", "1.9.0-rc.1", "1.9.0")

    def publish(self, *versions: str, schema: int = 16, python: str = ">=3.11", **terms: Any) -> None:
        """Publish, each from the commit of its tag; and everywhere else what a release leaves behind."""
        files = [
            artefact(self.folder, version, self.commit(f"v{version}"), schema, python) for version in versions
        ]
        root = (self.keys / "root.json").read_bytes()
        wish = publish.Terms(**terms)
        publish.publish(self.bench.maker, self.feed, files, wish, root, self.bench.ring)
        registry, github = self.state("registry"), self.state("github")
        for text in versions:
            version = Version.parse(text)
            manifest = f'{{"image of": "{text}"}}'
            tags = [text] if version.is_rc else [text, "latest", str(version.major), text.rpartition(".")[0]]
            registry |= {f"{IMAGE}:{tag}": manifest for tag in tags}
            github["releases"][f"v{text}"] = {
                "name": f"v{text}",
                "body": f"### Added\r\n\r\n- things of {text}",
                "url": f"https://example.org/{REPOSITORY}/releases/tag/v{text}",
                "isDraft": False,
                "isPrerelease": version.is_rc,
                "api": {"published_at": "2026-11-01T00:00:00Z", "assets": [{"download_count": 40}]},
            }
            github["latest"] = github["latest"] if version.is_rc else f"v{text}"
        self.keep("registry", registry)
        self.keep("github", github)

    def run(self, *argv: str | Path) -> int:
        return int(tool.main([str(word) for word in argv]))

    def withdraw(self, version: str = "1.9.0", *more: str | Path, reason: str = "it loses mail") -> int:
        """As whoever is on call, with everything at hand."""
        words = ("withdraw", "--feed", self.feed, "--keys", self.keys, version, "--reason", reason, "--yes")
        return self.run(*words, *self.reach, *more)

    @property
    def reach(self) -> tuple[str | Path, ...]:
        return "--repository", REPOSITORY, "--image", IMAGE, "--checkout", self.checkout

    def record(self, version: str = "1.9.0", kind: str = "withdrawal") -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.records / version / f"{kind}.json").read_text())
        return found

    def outcomes(self, version: str = "1.9.0") -> dict[str, str]:
        return {step["name"]: step["outcome"] for step in self.record(version)["steps"]}

    def observed(self, name: str, version: str = "1.9.0") -> str:
        return next(str(s["observed"]) for s in self.record(version)["steps"] if s["name"] == name)

    def state(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.tools / f"{name}.json").read_text())
        return found

    def keep(self, name: str, state: dict[str, Any]) -> None:
        (self.tools / f"{name}.json").write_text(json.dumps(state))

    def fault(self, **faults: str) -> None:
        """`issue_create="fail"`: see fake_gh.py."""
        self.keep("faults", {name.replace("_", " "): kind for name, kind in faults.items()})

    def calls(self) -> list[list[str]]:
        """What `gh` was told since the last question."""
        path = self.tools / "calls.jsonl"
        found = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        path.unlink(missing_ok=True)
        return found

    def serves(self, tag: str) -> str:
        """The version that a tag of the image serves."""
        return str(json.loads(self.state("registry")[f"{IMAGE}:{tag}"])["image of"])

    def git(self, *words: str, where: Path | None = None) -> str:
        argv = ["git", "-C", str(where or self.checkout), *words]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, name: str) -> str:
        return self.git("rev-parse", f"{name}^{{commit}}")

    def remote_tags(self) -> set[str]:
        return set(self.git("tag", "--list", where=self.origin).split())

    def world(self) -> dict[str, Any]:
        """Everything that a withdrawal may change, but for the record's times."""
        files = {
            str(path.relative_to(self.folder)): path.read_bytes()
            for part in (self.feed, self.records)
            for path in sorted(part.rglob("*"))
            if path.is_file() and path.name != "withdrawal.json"
        }
        tags = self.git("for-each-ref", "--format=%(refname) %(*objectname)", where=self.origin)
        return {**files, "github": self.state("github"), "registry": self.state("registry"), "git": tags}

    def without(self, *programs: str) -> None:
        for name in programs:
            (self.tools / name).unlink()

    def dies_after(self, program: str, words: str) -> None:
        """The next time `program` is told something with `words` in it, it does that, and the one who
        called it is killed before it can know: as if the power went."""
        real = self.tools / f"real-{program}"
        if not real.exists():
            (self.tools / program).rename(real)
        die = f'if /bin/rm "{self.tools}/armed" 2>/dev/null; then kill -9 "$PPID"; fi'
        script = f'#!/bin/sh\n"{real}" "$@"; code=$?\ncase "$*" in *"{words}"*) {die};; esac\nexit $code\n'
        (self.tools / program).write_text(script)
        (self.tools / program).chmod(0o755)
        (self.tools / "armed").touch()

    def _install(self) -> None:
        self.tools.mkdir()
        git = shutil.which("git", path="/usr/bin:/bin:/usr/local/bin")
        assert git, "git is needed"
        (self.tools / "git").symlink_to(git)
        for name in ("gh", "skopeo"):
            source = (HERE / f"fake_{name}.py").read_text()
            (self.tools / name).write_text(f"#!{sys.executable} -ISE\n{source}")
            (self.tools / name).chmod(0o755)
        self.keep("registry", {})
        self.keep(
            "github",
            {
                "repository": REPOSITORY,
                "signed_in": True,
                "labels": ["bug", "release"],
                "issues": [],
                "releases": {},
                "latest": None,
                "runs": [],
                "logs": {},
            },
        )

    def _commits(self) -> None:
        """A clone whose origin is `…/acme/waiaas.git`; each release is a commit with its tag."""
        self.origin, self.checkout = self.folder / "hub" / f"{REPOSITORY}.git", self.folder / "checkout"
        self.git("init", "-q", "--bare", "-b", "main", str(self.origin), where=self.folder)
        self.git("clone", "-q", str(self.origin), str(self.checkout), where=self.folder)
        for name in ("1.8.0", "1.9.0-rc.1", "1.9.0", "1.9.1", "1.9.2", "2.0.0", "beyond"):
            self.git("commit", "-q", "--allow-empty", "-m", name)
            if name != "beyond":
                self.git("tag", f"v{name}")
        self.git("push", "-q", "origin", "HEAD:main", "v1.8.0", "v1.9.0")


def run(*argv: str | Path) -> int:
    return int(tool.main([str(word) for word in argv]))


def withdraw(feed: Bench, version: str = "1.9.0", *more: str | Path, reason: str = "it loses mail") -> int:
    words = ("withdraw", "--feed", feed.feed, "--keys", feed.keys, version, "--reason", reason)
    return run(*words, *more)
