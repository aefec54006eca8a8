"""What every step works with: the plan, the outside world, and whether this is a dry run."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from waiaas.core.errors import WaiaasError
from waiaas.core.value import field, frozen
from waiaas.host.files import sha256
from waiaas.host.processes import Finished
from waiaas.release.deploy.branch import POINT_OF_COMMIT, Branch, parse
from waiaas.release.deploy.plan import ROOT, Plan, is_for_real
from waiaas.release.pending import folder_of

if TYPE_CHECKING:
    from waiaas.release.commands import Bench
    from waiaas.release.publish import Maker
    from waiaas.release.repository import Repository

PATIENCE = 900.0  # seconds for one tool
DONE, THERE, WOULD, HOLDS = "done", "there already", "would be done", "holds"


@frozen
class Result:
    """How a step ended, and what it saw then.

    DONE: something was missing; THERE: nothing was; WOULD: a dry run; HOLDS: a proof, which changes nothing.
    """

    outcome: str
    observed: Mapping[str, str] = field(default_factory=dict)


@frozen
class Deployment:
    """`folder` is what `assemble` made, `source` the tree at the tag, `keys` a folder or nothing."""

    bench: "Bench"
    folder: Path
    plan: Plan
    source: Path
    keys: Path | None = None

    @property
    def publishes(self) -> bool:
        """False in a dry run."""
        return is_for_real(self.plan, self.bench.environ)

    @property
    def artefact(self) -> Path:
        return self.folder / self.plan.artefact

    @property
    def feed(self) -> Path:
        """Our copy of the public feed."""
        return self.folder / "feed"

    @property
    def pending(self) -> Path:
        """The frozen change to the feed that adds this release, as `assemble` made it."""
        return folder_of(self.feed)

    @property
    def assets(self) -> Path:
        """The files of the GitHub Release that are made behind the gate."""
        return self.folder / "assets"

    @property
    def branch(self) -> Branch:
        return parse(self.plan.feed_branch, self.bench.processes)

    def fetch(self) -> str:
        """Make our copy what is public, and read it as a client does; returns the commit, "" for none.

        Raises TrustRefused `feed-refused`: whoever can push to the branch cannot sign.
        """
        commit = self.branch.fetch(self.feed)
        genuine(self.feed, self.source)
        return commit

    @property
    def maker(self) -> "Maker":
        from waiaas.release.publish import Maker  # here: `tuf` takes longer than most steps do

        return Maker(self.bench.files, self.bench.clock)

    @property
    def repository(self) -> "Repository":
        return self.maker.repository(self.feed)

    def would(self, argv: Sequence[str]) -> None:
        """Say what a dry run leaves undone."""
        self.bench.remark(f"dry run: would run {' '.join(argv)}")

    def tool(self, argv: Sequence[str], hint: str = "") -> str:
        """Run a program of somebody else; its stdout. Raises WaiaasError `tool-missing`, `tool-failed`."""
        done = self.attempt(argv)
        if done.code:
            lines = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
            raise WaiaasError(
                "tool-failed", f"{argv[0]} failed with exit code {done.code}: {lines[-1]}", hint
            )
        return done.stdout

    def attempt(self, argv: Sequence[str]) -> Finished:
        """The same, for who reads the exit code."""
        if shutil.which(argv[0], path=self.bench.environ.get("PATH")) is None:
            raise WaiaasError(
                "tool-missing", f"{argv[0]} is not installed", f"install {argv[0]}, and run this step again"
            )
        return self.bench.processes.run(argv, PATIENCE)


def genuine(feed: Path, source: Path) -> None:
    """Every signature and every byte of a feed holds, from the tree's own root of trust on."""
    if (source / ROOT).is_file() and (feed / POINT_OF_COMMIT).is_file():
        from waiaas.release.reader import read

        read(feed, (source / ROOT).read_bytes())


def same_bytes(path: Path, digest: str, what: str) -> None:
    """Raise WaiaasError `other-bytes` unless the file has this sha256."""
    found = sha256(path) if path.is_file() else "missing"
    if found != digest:
        raise WaiaasError(
            "other-bytes",
            f"{what} has the sha256 {found}, and {digest} was expected",
            "publish nothing; find out where the two come from",
        )
