"""The rehearsal's story, in order, with the tables it prints."""

import hashlib
import re
import shutil
import sys
import time
from pathlib import Path

from client import Client
from github import GitHub
from images import NO_IMAGES, Images
from machine import HERE, Machines
from source import Source
from workflow import Workflow

RELEASE = Workflow.read(HERE / ".github" / "workflows" / "release.yml")
ANSWERED = ("test", "chain-integration", "platform")  # quality jobs: `make` runs them elsewhere
ELSEWHERE = frozenset({"The same bytes from everywhere", "Lint the workflows"})
SHORTENED = ELSEWHERE | {"Install and upgrade from a staging feed"}
COMMITS = ("fix: say more plainly what is missing", "feat: a word in the notice", "docs: the house")
BAD = "fix: something that loses mail"
REASON = "it loses mail"


class Rehearsal:
    """A folder that goes away, with a GitHub, a registry, keys, a source tree and an installation."""

    def __init__(self, folder: Path, *, short: bool) -> None:
        self.folder = folder
        self.short = short
        self.begun = time.monotonic()
        (folder / "g").mkdir()
        self.github = GitHub(folder / "g" / "hub", folder / "g" / "s")
        self.images = Images(folder / "registry", wanted=not short)
        self.source = Source(folder / "keys", self.github)
        self.client = Client(folder / "client")
        variables = {"FEED_URL": self.github.feed_url, "RELEASE_PUBLISH": "true", "ROLLOUT": ""}
        self.machines = Machines(folder, self.github, variables | NO_IMAGES, self.source.keys)

    def run(self) -> None:
        """Everything, in order."""
        self._title("The first release: keys, the root of trust in the tree, gate 1")
        first = self.source.begin()
        self._release(first, SHORTENED)
        self.client.install(self._file(first))
        self.machines.variables |= self.images.variables
        self._title("Three commits, and gate 1: the pull request of release-please is merged")
        for commit in COMMITS:
            self._say(f"  {commit}")
        tag = self.source.release(*COMMITS)
        self._say(f"  → {tag}")
        self._release(tag, SHORTENED if self.short else ELSEWHERE, thorough=True)
        self._title(f"Whoever has {first} gets {tag}")
        self._say(self.client.upgrade(tag))
        self._title("A bad version goes out")
        bad = self.source.release(BAD)
        self._release(bad, SHORTENED)
        self._say(self.client.upgrade(bad))
        self._title(f"{bad} is withdrawn")
        self._withdraw(bad, tag)
        self._say(f"\nthe whole rehearsal: {time.monotonic() - self.begun:.0f} s")

    def close(self) -> None:
        self.client.close()
        self.images.close()
        self.source.close()
        self.github.close()

    def _release(self, tag: str, skip: frozenset[str], *, thorough: bool = False) -> None:
        """`release: published` of this tag: the quality jobs, gate 2, the deployment."""
        for job in ANSWERED:
            self._say(f"  {job}: answered by the rehearsal")
        left_out = skip if self.machines.variables["IMAGES"] else skip | {"Build the image"}
        self._job("publish-check", tag, left_out)
        for name in sorted(left_out):
            self._say(f"  publish-check  {name:<50} left out here")
        self._say("  gate 2: approved by the rehearsal")
        if thorough and not self.short:
            self._thorough(tag)
        else:
            self._job("deploy", tag)

    def _thorough(self, tag: str) -> None:
        """Once, again, and from the same beginning dying after each step."""
        self._keep("before")
        self._job("deploy", tag)
        once = self._state(tag)
        self._say("  the same once more:")
        self._job("deploy", tag)
        self._expect(self._state(tag) == once, "the second time changed something")
        self._say("  → nothing has changed")
        self._say("  from the same beginning, on a new machine each time, dying after each step:")
        self._go_back("before")
        lines = [step["name"] for step in RELEASE.steps("deploy") if "run" in step]
        for name in lines[:-1]:
            self._job("deploy", tag, quiet=True, until=name)
            self._say(f"    died after: {name}")
        self._job("deploy", tag)
        self._expect(_lasting(self._state(tag)) == _lasting(once), "the interrupted way ended elsewhere")
        self._say("  → ends the same")

    def _job(
        self, job: str, tag: str, skip: frozenset[str] = frozenset(), *, quiet: bool = False, until: str = ""
    ) -> None:
        def told(step: str, seconds: float, said: str) -> None:
            if not quiet:
                lines = said.strip().splitlines()
                self._say(f"  {job:<14} {step:<50} {seconds:>5.1f} s  {lines[0][:60] if lines else ''}")

        runner = self.machines.runner(tag)
        RELEASE.run(job, runner, told, skip, until)
        shutil.rmtree(runner.workspace.parent)

    def _withdraw(self, bad: str, good: str) -> None:
        """On the machine of whoever is on call; the client asks once."""
        began = time.monotonic()
        said = self.source.withdraw(bad, REASON, self.images.variables["IMAGES"])
        withdrawn = time.monotonic()
        told = self.client.told(bad, good, REASON)
        knows = time.monotonic()
        self._say("\n".join(f"  {line}" for line in said.splitlines()))
        self._say(told)
        self._say(f"  withdraw → public: {withdrawn - began:.1f} s")
        self._say(f"  withdraw → the client knows (one check): {knows - began:.1f} s")
        published = self.github.payloads()
        self._say(self.client.upgrade(good))
        self._expect(self.github.payloads() == published, "the feed has another artefact")
        same = self.client.program.read_bytes() == self._file(good).read_bytes()
        self._expect(same, "the client runs something else than was released")
        self._say(f"  the very bytes of {good}; artefacts in the feed: {len(published)}, as before")

    def _file(self, tag: str) -> Path:
        """The artefact of a release, as somebody downloads it from GitHub."""
        return self.github.assets / tag / f"waiaas-{tag.removeprefix('v')}.pyz"

    def _state(self, tag: str) -> dict[str, object]:
        """Everything public, as it can be seen from outside."""
        targets = self.github.newest("targets.json")
        return {
            "feed": self.github.head("feed"),
            "targets": hashlib.sha256(targets).hexdigest(),
            "assets": self.github.attached(tag),
            "tags": self.images.tags(),
        }

    def _keep(self, name: str) -> None:
        self.github.save(self.folder / name / "hub")
        self.images.save(self.folder / name / "registry")

    def _go_back(self, name: str) -> None:
        self.github.restore(self.folder / name / "hub")
        self.images.restore(self.folder / name / "registry")

    def _expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            sys.exit(f"rehearsal failed: {otherwise}")

    def _title(self, text: str) -> None:
        self._say(f"\n=== {text}")

    def _say(self, text: str) -> None:
        print(text, flush=True)


def _lasting(state: dict[str, object]) -> dict[str, object]:
    """Without what carries the time of signing: the commit of the feed's branch."""
    return {name: value for name, value in state.items() if not re.fullmatch("feed", name)}
