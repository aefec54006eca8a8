"""The maker's stories: publish, roll out, withdraw, refresh, rotate.

A change to the feed is described as releases, frozen into bytes, signed, and committed. Whoever
holds all keys does that in one go, here; otherwise the frozen change waits in `F.pending` for the
signatures of its holders (ceremony.py), and `publish_pending` commits it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from waiaas.core.errors import WaiaasError
from waiaas.core.release import Release, Withdrawal
from waiaas.core.value import frozen, replace
from waiaas.core.version import Version
from waiaas.host.clock import Clock
from waiaas.host.files import Files
from waiaas.host.locks import Lock
from waiaas.release import keys, pending, publication
from waiaas.release import root as roots
from waiaas.release.publication import Wishes
from waiaas.release.repository import Repository
from waiaas.release.withdrawal import target, words
from waiaas.release.withdrawal.secrets import Secrets

SNAPSHOT_DAYS = 20  # `refresh` signs snapshot anew when fewer remain


@frozen
class Terms:
    """How a release is offered. `rollout` in percent of installations."""

    channel: str | None = None
    rollout: int = 100
    critical: bool = False
    min_from: Version | None = None
    via: tuple[Version, ...] = ()
    notes_url: str = ""
    min_safe: Version | None = None


@frozen
class Reason:
    """Why a release is withdrawn. Without `to`, the default of target.py."""

    reason: str
    severity: str
    to: Version | None = None


@frozen
class Rotation:
    """`replaced`: beginning of the id of the key that goes, "" for the oldest."""

    role: str
    replaced: str = ""
    threshold: int | None = None
    plain: bool = False


@frozen
class Maker:
    """The outside world of these stories."""

    files: Files
    clock: Clock

    def repository(self, feed: Path) -> Repository:
        return Repository(feed, self.files, self.clock)


def prepare(
    maker: Maker, feed: Path, paths: Sequence[Path], terms: Terms, root: bytes, shells: Wishes = ()
) -> Path | None:
    """Freeze the publication of artefacts into `F.pending`; None if all are published already."""
    with alone(maker, feed):
        change = publication.draft(maker.repository(feed), maker.clock, paths, terms, root, shells)
        return None if change is None else freeze(maker, feed, change)


def freeze(maker: Maker, feed: Path, change: pending.Change) -> Path:
    """Let a change wait in `F.pending` for signatures; returns that folder."""
    folder = pending.folder_of(feed)
    pending.freeze(change, folder, maker.files)
    return folder


def publish_pending(maker: Maker, feed: Path, keyring: keys.Keyring, *, keep: bool = False) -> int | None:
    """Publish what is frozen, with the signatures that have arrived and those of `keyring`.

    Returns the new version of targets, or of root where keys change; None if nothing waits any more.
    `keep`: leave F.pending, for a caller that has to make the feed public as well and may have to begin
    again.
    """
    with alone(maker, feed):
        folder, repository = pending.folder_of(feed), maker.repository(feed)
        if repository.rooted and not folder.exists():
            return None
        version = repository.publish(pending.thaw(folder), keyring)
        if not keep:
            pending.drop(folder, maker.files)
        return version


def publish(
    maker: Maker,
    feed: Path,
    paths: Sequence[Path],
    terms: Terms,
    root: bytes,
    keyring: keys.Keyring,
    shells: Wishes = (),
) -> int | None:
    """Publish artefacts at once; the new version of targets, None if all are published already."""
    with alone(maker, feed):
        change = publication.draft(maker.repository(feed), maker.clock, paths, terms, root, shells)
        return _commit(maker, feed, change, keyring)


def rollout(maker: Maker, feed: Path, version: Version, percent: int, keyring: keys.Keyring) -> int | None:
    """Offer a release to `percent` of installations from now on."""
    with alone(maker, feed):
        return _commit(maker, feed, offered(maker, feed, version, percent), keyring)


def withdraw(maker: Maker, feed: Path, version: Version, why: Reason, keyring: keys.Keyring) -> int | None:
    """Mark a release as withdrawn (FEED-5). Nothing is deleted; saying the same again changes nothing."""
    with alone(maker, feed):
        return _commit(maker, feed, withdrawal(maker, feed, version, why), keyring)


def offered(maker: Maker, feed: Path, version: Version, percent: int) -> pending.Change | None:
    """The change that offers a release to `percent` of installations; None if it is so already."""
    repository = maker.repository(feed)
    before = target.find(repository.releases(), version)
    start = before.rollout.start if before.rollout else maker.clock.seconds()
    after = replace(before, rollout=publication.share(percent, start))
    return _described_anew(repository, before, after)


def withdrawal(maker: Maker, feed: Path, version: Version, why: Reason) -> pending.Change | None:
    """The change that marks a release as withdrawn; None if it says just that already."""
    repository = maker.repository(feed)
    releases = repository.releases()
    after = marked(releases, version, why, maker.clock.seconds())
    return _described_anew(repository, target.find(releases, version), after)


def marked(releases: Sequence[Release], version: Version, why: Reason, now: int) -> Release:
    """The release as it is to be signed: withdrawn at `now`, or when it first was (WDR-2).

    Raises UsageError `bad-value` for a reason that is empty or not one visible line, `bad-successor`,
    `unknown-version`; WaiaasError `secret-found`.
    """
    before = target.find(releases, version)
    Secrets().refuse("the signed feed", words.line("reason", why.reason))
    to = target.successor(releases, version) if why.to is None else target.checked(releases, version, why.to)
    at = before.withdrawn.at if before.withdrawn else now
    return replace(before, withdrawn=Withdrawal(at, why.reason, why.severity, to))


def refresh(maker: Maker, feed: Path, keyring: keys.Keyring) -> list[str]:
    """The daily signing by the online keys; returns the roles signed."""
    with alone(maker, feed):
        return maker.repository(feed).refresh(keyring, SNAPSHOT_DAYS)


def rotate(maker: Maker, feed: Path, folder: Path, wish: Rotation, passphrase: keys.Passphrase) -> int:
    """A new key for a role in `folder`, and the root that names it; returns that root's version."""
    with alone(maker, feed):
        repository = maker.repository(feed)
        old = repository.root()
        keyring = keys.load_folder(folder, passphrase)
        gone = roots.choose_key(old.signed.roles[wish.role].keyids, wish.replaced)
        fresh = keys.new_key()
        thresholds = {} if wish.threshold is None else {wish.role: wish.threshold}
        turnover = roots.Turnover({wish.role: [fresh.public_key]}, [gone], thresholds)
        new = roots.changed(old, turnover, maker.clock)
        keyring.with_key(fresh).sign_role(new, "root", [old, new])
        kept = keys.keep_next(fresh, folder, wish.role, None if wish.plain else passphrase(), maker.files)
        try:
            repository.publish(repository.draft_root(new), keyring.with_key(fresh))
        except WaiaasError:  # a signature is missing, so nothing was published
            maker.files.remove("keys.unused", kept)
            raise
        keys.keep_root(repository.root(), folder, maker.files)
        keys.retire(gone, folder, passphrase, maker.files)
        return new.signed.version


@contextmanager
def alone(maker: Maker, feed: Path) -> Iterator[None]:
    """One change to a feed at a time; raises Busy."""
    maker.files.make_directory("feed.parent", feed.parent, pending.PUBLIC_DIRECTORY)
    with Lock.acquire(feed.with_name(feed.name + ".lock"), "change to this feed"):
        yield


def _described_anew(repository: Repository, before: Release, after: Release) -> pending.Change | None:
    return None if after == before else repository.draft([after], {}, b"")


def _commit(maker: Maker, feed: Path, change: pending.Change | None, keyring: keys.Keyring) -> int | None:
    return None if change is None else maker.repository(feed).publish(change, keyring)
