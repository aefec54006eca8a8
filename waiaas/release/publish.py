"""The maker's stories: prepare, sign, publish, roll out, withdraw, refresh, rotate.

A change to the feed is described as releases, frozen into bytes, signed, and committed. Whoever
holds all keys does that in one go; otherwise the frozen change waits in `F.pending` for signatures.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from waiaas.core.errors import UsageError, WaiaasError
from waiaas.core.release import Release, Rollout, Withdrawal, target_name
from waiaas.core.version import Version
from waiaas.host.clock import Clock
from waiaas.host.files import Files
from waiaas.host.locks import Lock
from waiaas.release import keys, pending
from waiaas.release.artefact import Artefact, read
from waiaas.release.repository import Repository, frozen_releases
from waiaas.release.withdrawal import target, words
from waiaas.release.withdrawal.secrets import Secrets

SNAPSHOT_DAYS = 20  # `refresh` signs snapshot anew when fewer remain


@dataclass(frozen=True)
class Terms:
    """How a release is offered. `rollout` in percent of installations."""

    channel: str | None = None
    rollout: int = 100
    critical: bool = False
    min_from: Version | None = None
    via: tuple[Version, ...] = ()
    notes_url: str = ""
    min_safe: Version | None = None


@dataclass(frozen=True)
class Reason:
    """Why a release is withdrawn. Without `to`, the default of target.py."""

    reason: str
    severity: str
    to: Version | None = None


@dataclass(frozen=True)
class Rotation:
    """`replaced`: beginning of the id of the key that goes, "" for the oldest."""

    role: str
    replaced: str = ""
    threshold: int | None = None
    plain: bool = False


@dataclass(frozen=True)
class Maker:
    """The outside world of these stories."""

    files: Files
    clock: Clock

    def repository(self, feed: Path) -> Repository:
        return Repository(feed, self.files, self.clock)


def prepare(maker: Maker, feed: Path, paths: Sequence[Path], terms: Terms, root: bytes) -> Path | None:
    """Freeze the publication of artefacts into `F.pending`; None if all are published already."""
    with _alone(maker, feed):
        change = _publication(maker, feed, paths, terms, root)
        if change is None:
            return None
        folder = pending.folder_of(feed)
        pending.freeze(change, folder, maker.files)
        return folder


def contents(folder: Path) -> list[str]:
    """What somebody signs who signs `folder`, one line a release."""
    return [
        f"{r.version} ({r.channel}, seq {r.seq}, sha256 {r.sha256}){' WITHDRAWN' if r.withdrawn else ''}"
        for r in frozen_releases(pending.thaw(folder).targets)
    ]


def sign(maker: Maker, folder: Path, key: Path, passphrase: keys.Passphrase) -> Path:
    """One partial signature over what is frozen in `folder`, by a key that may sign it."""
    change = pending.thaw(folder)
    signature = keys.partial_signature(change.root, change.targets, keys.load(key, passphrase))
    return pending.add_signature(folder, signature, maker.files)


def publish_pending(maker: Maker, feed: Path, keyring: keys.Keyring, *, keep: bool = False) -> int | None:
    """Publish what is frozen, with the signatures that have arrived and those of `keyring`.

    Returns the new version of targets, None if nothing waits any more. `keep`: leave F.pending, for a
    caller that has to make the feed public as well and may have to begin again.
    """
    with _alone(maker, feed):
        folder, repository = pending.folder_of(feed), maker.repository(feed)
        if repository.exists and not folder.exists():
            return None
        version = repository.publish(pending.thaw(folder), keyring)
        if not keep:
            pending.drop(folder, maker.files)
        return version


def publish(
    maker: Maker, feed: Path, paths: Sequence[Path], terms: Terms, root: bytes, keyring: keys.Keyring
) -> int | None:
    """Publish artefacts at once; the new version of targets, None if all are published already."""
    with _alone(maker, feed):
        change = _publication(maker, feed, paths, terms, root)
        return None if change is None else maker.repository(feed).publish(change, keyring)


def rollout(maker: Maker, feed: Path, version: Version, percent: int, keyring: keys.Keyring) -> int | None:
    """Offer a release to `percent` of installations from now on."""
    with _alone(maker, feed):
        repository = maker.repository(feed)
        before = target.find(repository.releases(), version)
        started = before.rollout.start if before.rollout else maker.clock.seconds()
        shares = _rollout(percent, started)
        return _describe_anew(repository, before, dataclasses.replace(before, rollout=shares), keyring)


def withdraw(maker: Maker, feed: Path, version: Version, why: Reason, keyring: keys.Keyring) -> int | None:
    """Mark a release as withdrawn (FEED-5). Nothing is deleted; saying the same again changes nothing."""
    with _alone(maker, feed):
        repository = maker.repository(feed)
        releases = repository.releases()
        after = marked(releases, version, why, maker.clock.seconds())
        return _describe_anew(repository, target.find(releases, version), after, keyring)


def marked(releases: Sequence[Release], version: Version, why: Reason, now: int) -> Release:
    """The release as it is to be signed: withdrawn at `now`, or when it first was (WDR-2).

    Raises UsageError `bad-value` for a reason that is empty or not one visible line, `bad-successor`,
    `unknown-version`; WaiaasError `secret-found`.
    """
    before = target.find(releases, version)
    Secrets().refuse("the signed feed", words.line("reason", why.reason))
    to = target.successor(releases, version) if why.to is None else target.checked(releases, version, why.to)
    at = before.withdrawn.at if before.withdrawn else now
    return dataclasses.replace(before, withdrawn=Withdrawal(at, why.reason, why.severity, to))


def refresh(maker: Maker, feed: Path, keyring: keys.Keyring) -> list[str]:
    """The daily signing by the online keys; returns the roles signed."""
    with _alone(maker, feed):
        return maker.repository(feed).refresh(keyring, SNAPSHOT_DAYS)


def rotate(maker: Maker, feed: Path, folder: Path, wish: Rotation, passphrase: keys.Passphrase) -> int:
    """A new key for a role in `folder`, and the root that names it; returns that root's version."""
    with _alone(maker, feed):
        repository = maker.repository(feed)
        old = repository.root()
        keyring = keys.load_folder(folder, passphrase)
        gone = keys.choose_key(old.signed.roles[wish.role].keyids, wish.replaced)
        fresh = keys.new_key()
        ring = keyring.with_key(fresh)
        new = keys.rotated(
            old, wish.role, gone, fresh, wish.threshold, keys.lifetime_end(maker.clock, "root")
        )
        ring.sign_role(new, "root", [old, new])
        kept = keys.keep(fresh, folder, wish.role, None if wish.plain else passphrase(), maker.files)
        try:
            repository.install_root(new, wish.role, ring)
        except WaiaasError:  # a signature is missing, so nothing was published
            maker.files.remove("keys.unused", kept)
            raise
        keys.keep_root(new, folder, maker.files)
        keys.retire(gone, folder, passphrase, maker.files)
        return new.signed.version


def _publication(
    maker: Maker, feed: Path, paths: Sequence[Path], terms: Terms, root: bytes
) -> pending.Change | None:
    """The change that adds the artefacts that are not published yet, in order of their versions."""
    repository = maker.repository(feed)
    published = {release.version: release for release in repository.releases()}
    artefacts = sorted((read(path) for path in paths), key=lambda artefact: artefact.version)
    fresh = [artefact for artefact in artefacts if not _is_published(artefact, published)]
    _check_terms(terms, {*published, *(artefact.version for artefact in fresh)})
    seq = max((release.seq for release in published.values()), default=0)
    start = maker.clock.seconds()
    releases = [_release(artefact, terms, seq + n, start) for n, artefact in enumerate(fresh, 1)]
    payloads = {target_name(artefact.version): artefact.path for artefact in fresh}
    return repository.draft(releases, payloads, root) if fresh else None


def _is_published(artefact: Artefact, published: dict[Version, Release]) -> bool:
    there = published.get(artefact.version)
    if there is not None and there.sha256 != artefact.sha256:
        raise WaiaasError(
            "version-taken",
            f"{artefact.version} is published already with other bytes, and a version is never used again",
            "publish the next version",
        )
    return there is not None


def _check_terms(terms: Terms, known: set[Version]) -> None:
    unknown = [str(version) for version in terms.via if version not in known]
    if unknown:
        raise UsageError(
            "unknown-version", f"the feed has no {', '.join(unknown)}", "name published versions as --via"
        )


def _release(artefact: Artefact, terms: Terms, seq: int, start: int) -> Release:
    version = artefact.version
    if version.is_rc and terms.channel == "stable":
        raise UsageError("rc-in-stable", f"{version} is a release candidate", "publish it to channel rc")
    return Release(
        version=version,
        seq=seq,
        min_safe=terms.min_safe,
        channel=terms.channel or version.channel,
        commit=artefact.commit,
        built=artefact.built,
        schema=artefact.schema,
        min_from=terms.min_from,
        via=terms.via,
        python=artefact.python,
        notes_url=terms.notes_url,
        critical=terms.critical,
        withdrawn=None,
        rollout=_rollout(terms.rollout, start),
        target=target_name(version),
        length=artefact.length,
        sha256=artefact.sha256,
    )


def _rollout(percent: int, start: int) -> Rollout | None:
    if not 0 <= percent <= 100:
        raise UsageError("bad-rollout", f"{percent} is no percentage", "use 0 to 100")
    return None if percent == 100 else Rollout(start, ((0, percent),))


def _describe_anew(
    repository: Repository, before: Release, after: Release, keyring: keys.Keyring
) -> int | None:
    return None if after == before else repository.publish(repository.draft([after], {}, b""), keyring)


@contextmanager
def _alone(maker: Maker, feed: Path) -> Iterator[None]:
    """One change to a feed at a time; raises Busy."""
    maker.files.make_directory("feed.parent", feed.parent, pending.PUBLIC_DIRECTORY)
    with Lock.acquire(feed.with_name(feed.name + ".lock"), "change to this feed"):
        yield
