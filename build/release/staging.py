"""A staging feed for what `assemble` made: install, upgrade to it, upgrade from it, roll back.

    python build/release/staging.py RELEASE

The very artefact that is to be published is offered by a feed in a temporary folder, signed with keys
that are thrown away; `[upgrade] trusted_root` and `feed_url` point there. The predecessor is the newest
release that is public, if there is one. The successor is the same tree under the next version.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))

from waiaas.core.version import Version  # noqa: E402
from waiaas.host.clock import Clock  # noqa: E402
from waiaas.host.files import Files  # noqa: E402
from waiaas.host.processes import Processes  # noqa: E402
from waiaas.release.deploy import branch, client, plan  # noqa: E402
from waiaas.release.deploy.assemble import payload  # noqa: E402
from waiaas.release.deploy.deployment import genuine  # noqa: E402
from waiaas.release.repository import Repository  # noqa: E402


class Staging:
    """A folder that goes away, with a feed, its keys and one installation."""

    def __init__(self, release: Path, folder: Path) -> None:
        self.plan = plan.read(release)
        self.artefact = release / self.plan.artefact
        self.root = release / "root.json"
        self.folder = folder
        self.feed = folder / "feed"
        self.program = folder / "bin" / "waiaas"
        self.environ = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "WAIAAS_DATA_DIR": str(folder / "data"),
            "WAIAAS_DAEMON_PORT": "0",
            "WAIAAS_UPGRADE_PROBATION": "1",
            "WAIAAS_UPGRADE_MODE": "self",
            "WAIAAS_UPGRADE_CHANNEL": "rc",
            "WAIAAS_UPGRADE_FEED_URL": self.feed.as_uri(),
            "WAIAAS_UPGRADE_TRUSTED_ROOT": str(folder / "keys" / "root.json"),
        }

    def run(self) -> None:
        """The whole of it, in order."""
        self.maker("keys", "--dir", "keys", "--plain")
        predecessor = self.predecessor()
        first = predecessor or self.artefact
        self.publish(first)
        self.install(first)
        self.waiaas("init")
        self.waiaas("start", "--detach")
        try:
            if predecessor:
                self.publish(self.artefact)
                self.upgrade(str(self.plan.version))
            successor = self.successor()
            self.publish(self.folder / "dist" / f"waiaas-{successor}.pyz")
            self.upgrade(str(successor))
            self.waiaas("upgrade", "--rollback")
            self.expect(str(self.plan.version))
        finally:
            self.waiaas("stop")
        came = f"upgraded from {predecessor.name}, " if predecessor else "installed, "
        print(f"staging: {self.plan.artefact} {came}upgraded to {successor}, rolled back")

    def predecessor(self) -> Path | None:
        """The newest good release that is public, as users have it; its file."""
        public = self.folder / "public"
        branch.parse(self.plan.feed_branch, Processes(os.environ)).fetch(public)
        genuine(public, REPOSITORY)  # what runs below is what a client would run
        releases = Repository(public, Files(), Clock()).releases()
        found = client.predecessor(releases, self.plan.version)
        if found is None:
            return None
        named = self.folder / found.target
        named.write_bytes(payload(public, found).read_bytes())
        return named

    def successor(self) -> Version:
        """The same tree as the next version, built here."""
        now = self.plan.version
        successor = Version(now.major, now.minor, now.patch + 1)
        self.maker("build", "--root", str(self.root), "-o", "dist", "--version", str(successor))
        return successor

    def publish(self, artefact: Path) -> None:
        self.maker("publish", "--feed", "feed", "--keys", "keys", str(artefact))

    def install(self, artefact: Path) -> None:
        self.program.parent.mkdir()
        self.program.write_bytes(artefact.read_bytes())
        self.program.chmod(0o755)

    def upgrade(self, version: str) -> None:
        self.waiaas("upgrade", "--check")
        self.waiaas("upgrade")
        self.expect(version)

    def expect(self, version: str) -> None:
        """The daemon that answers is this version, and healthy."""
        health = json.loads(self.waiaas("health"))
        if (health["version"], health["status"]) != (version, "ok"):
            sys.exit(f"expected a healthy {version}, and this answers: {health}")

    def maker(self, *arguments: str) -> str:
        argv = [sys.executable, "-m", "waiaas.release", *arguments]
        return self._done(argv, {**os.environ, "PYTHONPATH": str(REPOSITORY)})

    def waiaas(self, *arguments: str) -> str:
        return self._done([str(self.program), *arguments], self.environ)

    def _done(self, argv: list[str], environ: dict[str, str]) -> str:
        done = subprocess.run(argv, cwd=self.folder, env=environ, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{' '.join(argv)} failed with exit code {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="waiaas-staging-") as name:
        Staging(Path(sys.argv[1]).resolve(), Path(name)).run()
