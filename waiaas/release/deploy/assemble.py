"""Before the gate: the artefact, the plan that names it, and the frozen change to the feed.

Needs no secret: the feed is public, and what is frozen is signed later. The tree's own root of trust
is `build/root.json`. A tree without one can be rehearsed, never published: its artefact carries a
root of trust whose keys are thrown away at once.
"""

import json
import shutil
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from waiaas.core.errors import UsageError
from waiaas.core.release import Release
from waiaas.core.value import frozen
from waiaas.core.version import Version
from waiaas.host.clock import Clock
from waiaas.host.files import Files, sha256
from waiaas.host.processes import Processes
from waiaas.release import artefact, build, keys, publish
from waiaas.release.deploy import branch, plan
from waiaas.release.deploy.deployment import genuine
from waiaas.release.pending import PUBLIC_DIRECTORY
from waiaas.release.repository import Repository

PATIENCE = 60.0  # seconds for git


@frozen
class Wish:
    """What is asked for. `output`: a folder that does not exist yet, or that an earlier run made."""

    tag: str
    source: Path
    output: Path
    feed_url: str
    feed_branch: str
    images: tuple[str, ...]
    terms: publish.Terms
    cache: Path | None = None


def assemble(wish: Wish, files: Files, clock: Clock, processes: Processes) -> plan.Plan:
    """Build what the tag names; returns the plan, written as `release.json` in the output folder."""
    version, commit = _tagged(wish, processes)
    _clear(wish.output)
    files.make_directory("release.folder", wish.output, PUBLIC_DIRECTORY)
    feed, maker = wish.output / "feed", publish.Maker(files, clock)
    branch.parse(wish.feed_branch, processes).fetch(feed)
    genuine(feed, wish.source)
    rehearsal = not (wish.source / plan.ROOT).is_file()
    root = _root(wish, files, clock, rehearsal=rehearsal)
    floor = _targets_floor(maker.repository(feed), version)
    order = build.Order(
        source=wish.source, output=wish.output, root=root, feed_url=wish.feed_url,
        targets_floor=floor, cache=wish.cache,
    )  # fmt: skip
    made = artefact.read(build.build(order, files, processes))
    if not rehearsal:
        publish.prepare(maker, feed, [made.path], wish.terms, root.read_bytes())
    described = plan.Plan(
        tag=wish.tag,
        version=version,
        commit=commit,
        artefact=made.path.name,
        length=made.length,
        sha256=made.sha256,
        root_sha256=sha256(root),
        feed_url=wish.feed_url,
        feed_branch=wish.feed_branch,
        targets_floor=floor,
        images=wish.images,
        rehearsal=rehearsal,
    )
    plan.write(described, wish.output, files)
    shutil.rmtree(feed)  # fetched again behind the gate
    return described


def _tagged(wish: Wish, processes: Processes) -> tuple[Version, str]:
    """Version and commit of the tree, if the tag really names them; raises UsageError `tag-mismatch`."""
    version = _literal(wish.source)
    git = ["git", "-C", str(wish.source), "rev-parse", "--verify", "--quiet"]
    head = processes.run([*git, "HEAD"], PATIENCE).stdout.strip()
    tagged = processes.run([*git, f"refs/tags/{wish.tag}^{{commit}}"], PATIENCE).stdout.strip()
    if wish.tag != f"v{version}":
        raise UsageError(
            "tag-mismatch",
            f"the tag is {wish.tag} and the tree is {version}",
            f"check out the tag v{version}",
        )
    if not tagged or head != tagged:
        raise UsageError(
            "tag-mismatch",
            f"the tree is at {head[:12] or 'no commit'} and {wish.tag} at {tagged[:12] or 'no commit'}",
            f"check out {wish.tag}",
        )
    return version, head


def _literal(source: Path) -> Version:
    found = build.LITERAL.search((source / "waiaas" / "__init__.py").read_text(encoding="utf-8"))
    if found is None:
        raise UsageError("no-version", f"{source} has no version", "restore `__version__ = …`")
    return Version.parse(found[1])


def _clear(output: Path) -> None:
    """Only what an earlier `assemble` made is removed."""
    if output.exists() and any(output.iterdir()) and not (output / plan.FILE).is_file():
        raise UsageError("not-empty", f"{output} holds something else", "name a new folder with -o")
    shutil.rmtree(output, ignore_errors=True)


def _root(wish: Wish, files: Files, clock: Clock, *, rehearsal: bool) -> Path:
    """The root of trust to build in, copied beside the artefact, so that the build can be repeated."""
    copy = wish.output / plan.COPY_OF_ROOT
    if not rehearsal:
        files.copy("release.root", wish.source / plan.ROOT, copy, plan.PUBLIC_MODE)
        return copy
    with TemporaryDirectory(prefix="waiaas-keys-") as scratch:
        made = keys.generate(Path(scratch, "K"), 2, None, files, clock)
        files.copy("release.root", made, copy, plan.PUBLIC_MODE)
    return copy


def _targets_floor(repository: Repository, version: Version) -> int:
    """No list of releases older than today's is ever believed by this build (FEED-8).

    A version that is published already keeps the floor that its artefact was built with.
    """
    if not repository.exists:
        return 0
    for release in repository.releases():
        if release.version == version:
            with zipfile.ZipFile(payload(repository.folder, release)) as archive:
                return int(json.loads(archive.read(artefact.BUILD))["targetsFloor"])
    return next(state.version for state in repository.roles() if state.role == "targets")


def payload(feed: Path, release: Release) -> Path:
    """The artefact of a release inside a feed."""
    return feed / "targets" / f"{release.sha256}.{release.target}"
