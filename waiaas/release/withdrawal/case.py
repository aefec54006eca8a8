"""One withdrawal while it is being done: what the feed says, what is at hand, what was seen so far."""

from collections.abc import Mapping
from pathlib import Path

from waiaas.core.errors import UsageError
from waiaas.core.release import Release, Withdrawal
from waiaas.core.value import frozen, replace
from waiaas.core.version import Version
from waiaas.host.http import Network
from waiaas.release.shells import Shell
from waiaas.release.withdrawal import github, images
from waiaas.release.withdrawal.kinds import BY_HAND, DONE, NOT_NEEDED
from waiaas.release.withdrawal.outside import Outside
from waiaas.release.withdrawal.records import Shelf
from waiaas.release.withdrawal.settings import Settings
from waiaas.release.withdrawal.texts import Facts


@frozen
class Seen:
    """What a step observed when it was over. `todo`: what is left to a person; `reference`: an address."""

    outcome: str
    observed: str
    todo: str = ""
    reference: str = ""


def done(observed: str, reference: str = "") -> Seen:
    return Seen(DONE, observed, reference=reference)


def by_hand(observed: str, todo: str) -> Seen:
    return Seen(BY_HAND, observed, todo)


def not_needed(observed: str) -> Seen:
    return Seen(NOT_NEEDED, observed)


@frozen
class Tools:
    """What is at hand (W-24). `no_github`, `no_git`: why not, empty where it can be used."""

    no_github: str
    no_git: str
    registry: images.Registry | None

    @classmethod
    def probe(cls, outside: Outside, settings: Settings) -> "Tools":
        no_github = github.at_hand(outside) if settings.repository else "no repository is named"
        registry = images.at_hand(outside) if settings.images else None
        return cls(no_github, _no_git(outside, settings), registry)


@frozen
class Desk:
    """Where it is worked on: records, settings, and what is at hand."""

    shelf: Shelf
    settings: Settings
    tools: Tools
    outside: Outside
    network: Network


@frozen
class Case:
    """What the steps work with. `releases` and `shells`: of the feed as read back."""

    releases: tuple[Release, ...]
    shells: tuple[Shell, ...]
    facts: Facts
    withdrawal: Withdrawal
    desk: Desk
    seen: Mapping[str, Seen]  # of the steps before, as it grows

    @property
    def version(self) -> Version:
        return self.facts.version

    @property
    def to(self) -> Version | None:
        """Where the feed sends users."""
        return self.withdrawal.to

    @property
    def texts(self) -> Facts:
        """The facts with the address of the issue, once there is one."""
        return replace(self.facts, issue=self.issue)

    @property
    def issue(self) -> str:
        return self.seen["issue"].reference if "issue" in self.seen else ""

    def write(self, name: str, text: str) -> Path:
        """Write a text beside the record; returns its path."""
        return self.desk.shelf.write(Path(str(self.version), name), text)


def _no_git(outside: Outside, settings: Settings) -> str:
    if settings.checkout is None:
        return "no checkout is named"
    if not outside.has("git"):
        return "git is not installed"
    if outside.run(("git", "-C", str(settings.checkout), "rev-parse", "--git-dir")).code != 0:
        raise UsageError("no-checkout", f"{settings.checkout} is no git checkout", "name one with --checkout")
    return ""
