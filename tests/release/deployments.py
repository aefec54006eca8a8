"""A deployment for tests: a real git repository for the feed, and stand-ins for `gh` and `skopeo`.

The stand-ins are programs on PATH that keep files in a folder, so the command lines are really run.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence

from bench import Bench, artefact

from waiaas.core.version import Version
from waiaas.host.files import Files, sha256
from waiaas.host.processes import Finished, Processes
from waiaas.release import commands, publish
from waiaas.release.deploy import plan
from waiaas.release.deploy.deployment import Deployment
from waiaas.release.publication import Wishes

GH = """#!/bin/sh
# release download TAG --pattern P --dir D --clobber | release upload TAG --clobber FILE…
verb=$2 tag=$3 store=$STORE/assets/$3
mkdir -p "$store"
shift 4
if [ "$verb" = download ]; then
  [ -n "$(ls "$store")" ] || { echo "no assets to download" >&2; exit 1; }
  pattern=$1 folder=$3 found=
  for path in "$store"/$pattern; do [ ! -e "$path" ] || { cp "$path" "$folder"; found=1; }; done
  [ -n "$found" ] || { echo "no assets match the file pattern" >&2; exit 1; }
else
  cp "$@" "$store"
fi
"""
SKOPEO = """#!/bin/sh
# copy OPTIONS dir:D docker://N | inspect OPTIONS docker://N
verb=$1
echo "$@" >>"$STORE/skopeo.log"
for last; do :; done
name=$(echo "${last#docker://}" | tr / _)
mkdir -p "$STORE/images"
if [ "$verb" = copy ]; then
  for word; do case $word in dir:*) cp "${word#dir:}/manifest.json" "$STORE/images/$name";; esac; done
else
  [ -e "$STORE/images/$name" ] || { echo "reading manifest: manifest unknown" >&2; exit 1; }
  cat "$STORE/images/$name"
fi
"""


class Rival(Processes):
    """Git, with somebody who pushes to the same branch just before our first push."""

    def __init__(self, environ: dict[str, str], rival: Sequence[str]) -> None:
        super().__init__(environ)
        self._rival = rival

    def run(self, argv: Sequence[str], *rest: object, **more: object) -> Finished:
        if "push" in argv and self._rival:
            subprocess.run(["sh", "-c", *self._rival], check=True)
            self._rival = ()
        return super().run(argv, *rest, **more)  # type: ignore[arg-type]


class Yard:
    """`bench` has the keys; `origin` is the public repository; `folder` what `assemble` would have made."""

    def __init__(self, bench: Bench, version: str = "1.9.0") -> None:
        self.bench = bench
        self.version = version
        self.said: list[str] = []
        self.origin = bench.folder / "origin.git"
        self.store = bench.folder / "store"
        self.folder = bench.folder / "release"
        self.folder.mkdir()
        self.store.mkdir()
        (bench.folder / "build").mkdir()
        shutil.copyfile(bench.keys / "root.json", bench.folder / "build" / "root.json")
        subprocess.run(["git", "init", "-q", "--bare", str(self.origin)], check=True)
        tools = bench.folder / "tools"
        tools.mkdir()
        for name, text in (("gh", GH), ("skopeo", SKOPEO)):
            (tools / name).write_text(text)
            (tools / name).chmod(0o755)
        self.environ = {
            "PATH": f"{tools}:{os.environ['PATH']}",
            "STORE": str(self.store),
            "WAIAAS_RELEASE_PUBLISH": "true",
        }
        self.assemble(version)

    def assemble(self, version: str, extra: bytes = b"", shells: Wishes = ()) -> None:
        """Another artefact, its plan, and the change that adds it to what is public now."""
        self.version = version
        made = artefact(self.folder, version, extra)
        self.plan = plan.Plan(
            tag=f"v{version}",
            version=Version.parse(version),
            commit="c0ffee",
            artefact=made.name,
            length=made.stat().st_size,
            sha256=sha256(made),
            root_sha256="",
            feed_url="http://127.0.0.1:9/",
            feed_branch=f"{self.origin}#feed",
            targets_floor=0,
            images=("registry.example/waiaas/daemon",),
            rehearsal=False,
        )
        plan.write(self.plan, self.folder, Files())
        shutil.copyfile(self.bench.keys / "root.json", self.folder / "root.json")
        deployment = self.deployment()
        deployment.branch.fetch(deployment.feed)
        shutil.rmtree(deployment.pending, ignore_errors=True)
        root = (self.bench.keys / "root.json").read_bytes()
        publish.prepare(self.bench.maker, deployment.feed, [made], publish.Terms(), root, shells)

    def deployment(self, rival: Sequence[str] = (), **environ: str) -> Deployment:
        given = {**self.environ, **environ}
        processes = Rival(given, rival)
        outside = commands.Bench(
            files=Files(),
            clock=self.bench.clock,
            processes=processes,
            environ=given,
            passphrase=commands.Passphrases(bytes, bytes),
            say=self.said.append,
            remark=self.said.append,
            ask=lambda _: "",
        )
        return Deployment(outside, self.folder, self.plan, self.bench.folder, self.bench.keys)

    def public(self, *arguments: str) -> str:
        """What git says of the public repository."""
        done = subprocess.run(["git", "-C", str(self.origin), *arguments], capture_output=True, text=True)
        return done.stdout.strip()

    def assets(self) -> dict[str, bytes]:
        folder = self.store / "assets" / self.plan.tag
        return {path.name: path.read_bytes() for path in sorted(folder.glob("*"))}

    def images(self) -> dict[str, str]:
        """Tag and the bytes of its manifest."""
        found = sorted((self.store / "images").glob("*"))
        return {path.name.rpartition(":")[2]: path.read_text() for path in found}
