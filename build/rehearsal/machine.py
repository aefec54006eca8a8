"""The machines that GitHub gives for a job: empty workspaces, and the actions that our workflows use."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from github import REPOSITORY, GitHub
from workflow import Action, Runner

HERE = Path(__file__).resolve().parents[2]
KEYS = {"TARGETS": "targets-1.pem", "SNAPSHOT": "snapshot-1.pem", "TIMESTAMP": "timestamp-1.pem"}


@dataclass
class Machines:
    """Makes them. `keys`: the feed's, as secrets; `variables`: the repository's."""

    folder: Path
    github: GitHub
    variables: dict[str, str]
    keys: Path
    made: int = 0

    def runner(self, tag: str) -> Runner:
        """A fresh machine for a job of a run for this tag."""
        self.made += 1
        place = self.folder / f"machine-{self.made}"
        (place / "work").mkdir(parents=True)
        return Runner(place / "work", self._contexts(tag), self._environ(place), self._actions(tag))

    def _contexts(self, tag: str) -> dict[str, str]:
        given = {
            "github.event.release.tag_name": tag,
            "github.event.repository.name": REPOSITORY.partition("/")[2],
            "github.repository": REPOSITORY,
            "github.server_url": str(self.github.folder),
            "github.actor": "rehearsal",
            "github.token": "a-token-for-the-rehearsal",
            "github.run_attempt": str(self.made),
            "env.TAG": tag,
            "secrets.FEED_PASSPHRASE": "",
            "secrets.MINISIGN_KEY": "",
            "secrets.REGISTRY_LOGINS": "",
        }
        secrets = {f"secrets.FEED_KEY_{role}": (self.keys / name).read_text() for role, name in KEYS.items()}
        return given | secrets | {f"vars.{name}": value for name, value in self.variables.items()}

    def _environ(self, place: Path) -> dict[str, str]:
        config = place / "gh"
        config.mkdir()
        (config / "config.yml").write_text(f"http_unix_socket: {self.github.socket}\n")
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(place),
            "RUNNER_TEMP": str(place),
            "GH_CONFIG_DIR": str(config),
        }

    def _actions(self, tag: str) -> dict[str, Action]:
        store = self.folder / f"artefacts-{tag}"

        def checkout(runner: Runner, given: Mapping[str, str]) -> None:
            name = given["ref"].removeprefix("refs/tags/")
            clone = ["git", "clone", "-q", "--depth", "1", "--branch", name, self.github.origin.as_uri()]
            subprocess.run([*clone, str(runner.workspace)], check=True, env={**os.environ, **QUIET})
            _with_tools(runner.workspace)

        def upload(runner: Runner, given: Mapping[str, str]) -> None:
            source, place = runner.workspace / given["path"], store / given["name"]
            shutil.rmtree(place, ignore_errors=True)
            if source.is_dir():
                shutil.copytree(source, place, copy_function=shutil.copyfile)  # modes are lost there too
            else:
                place.mkdir(parents=True)
                shutil.copyfile(source, place / source.name)

        def download(runner: Runner, given: Mapping[str, str]) -> None:
            shutil.copytree(store / given["name"], runner.workspace / given["path"])

        def attest(runner: Runner, given: Mapping[str, str]) -> None:
            subjects = sorted(runner.workspace.glob(given["subject-path"]))
            runner.outputs["attested"] = hashlib.sha256(subjects[0].read_bytes()).hexdigest()

        return {
            "actions/checkout": checkout,
            "actions/setup-python": lambda *_: None,  # this machine's Python
            "actions/upload-artifact": upload,
            "actions/download-artifact": download,
            "actions/attest-build-provenance": attest,
        }


QUIET = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "advice.detachedHead", "GIT_CONFIG_VALUE_0": "false"}


def _with_tools(workspace: Path) -> None:
    """`make setup` finds its work done, as from a cache: the tools of the tree that rehearses."""
    (workspace / ".venv").symlink_to(HERE / ".venv")
    (workspace / ".cache").symlink_to(HERE / ".cache")
    os.utime(workspace / "build" / "dev.lock", (0, 0))
