"""The first step: the signed mark in the feed, planned, done, and read back as a client reads it."""

from pathlib import Path

from waiaas.core.errors import UsageError, WaiaasError
from waiaas.core.release import Release, Withdrawal
from waiaas.core.value import frozen, replace
from waiaas.core.version import Version
from waiaas.release import pending, publish
from waiaas.release.deploy.branch import Branch
from waiaas.release.keys import Keyring
from waiaas.release.reader import Verified, read
from waiaas.release.repository import frozen_releases
from waiaas.release.withdrawal import target
from waiaas.release.withdrawal.case import Seen, done
from waiaas.release.withdrawal.words import SEVERITIES, line


@frozen
class Wish:
    """What was asked for. None where the feed, or the default, decides."""

    version: Version
    reason: str | None
    severity: str | None
    to: Version | None
    nowhere: bool


@frozen
class Mark:
    """The release as the feed shall describe it, and whether it does so already or once it is signed."""

    release: Release
    withdrawal: Withdrawal
    way: target.Way | None
    signed: bool
    frozen: bool

    def reason(self) -> publish.Reason:
        return publish.Reason(self.withdrawal.reason, self.withdrawal.severity, self.withdrawal.to)


def plan(maker: publish.Maker, feed: Path, wish: Wish, *, in_parts: bool) -> Mark:
    """What will be signed, or was. `in_parts`: others have signed, so the feed or F.pending decides.

    Raises UsageError `no-reason`, `bad-value`, `bad-successor`, `no-successor`, `unknown-version`,
    `not-withdrawn-yet`. Changes nothing.
    """
    releases = maker.repository(feed).releases()
    before = target.find(releases, wish.version)
    if in_parts and before.withdrawn is None:
        return _frozen(feed, releases, before)
    if in_parts:
        return _mark(releases, before, signed=True, frozen=False)
    why = _reason(releases, before, wish)
    after = publish.marked(releases, wish.version, why, maker.clock.seconds())
    if after != before:
        _check_nowhere(after, wish)
    return _mark(releases, after, signed=after == before, frozen=False)


def carry_out(
    maker: publish.Maker, feed: Path, mark: Mark, ring: Keyring, branch: Branch | None
) -> tuple[Seen, Verified]:
    """Sign and commit unless the feed says so already, make it public, and read it back.

    Returns what was seen, and all that the feed says. Frozen signatures are dropped last: until the feed is
    public, they may be needed again.
    """
    version, folder = mark.release.version, pending.folder_of(feed)
    if mark.frozen:
        publish.publish_pending(maker, feed, ring, keep=True)
    elif not mark.signed:
        publish.withdraw(maker, feed, version, mark.reason(), ring)
    where = f"; public as {branch.push(feed, f'withdraw {version}')[:12]}" if branch else ""
    seen, verified = _read_back(feed, version)
    if folder.is_dir() and _frozen_releases(folder) == verified.releases:
        pending.drop(folder, maker.files)
    return done(seen + where), verified


def _read_back(feed: Path, version: Version) -> tuple[str, Verified]:
    """The whole feed, as a client reads it that knows only its first root of trust."""
    verified = read(feed, (feed / "metadata" / "1.root.json").read_bytes())
    gone = target.find(verified.releases, version).withdrawn
    if gone is None:
        raise WaiaasError("not-shown", f"the feed does not say that {version} is withdrawn")
    where = f"go to {gone.to}" if gone.to else "no version to go to"
    return f"a client reads: {version} is withdrawn ({gone.severity}: {gone.reason}), {where}", verified


def _reason(releases: tuple[Release, ...], before: Release, wish: Wish) -> publish.Reason:
    """The wish; what it leaves open stays as it was signed before."""
    old = before.withdrawn
    reason = wish.reason if wish.reason is not None else old.reason if old else None
    if reason is None:
        raise UsageError("no-reason", "nobody is told to leave a version without a reason", "--reason '…'")
    severity = wish.severity or (old.severity if old and old.severity in SEVERITIES else "high")
    return publish.Reason(line("reason", reason), severity, wish.to or _kept(releases, before))


def _kept(releases: tuple[Release, ...], before: Release) -> Version | None:
    """Where the feed sends users already, if that is still good."""
    try:
        to = before.withdrawn.to if before.withdrawn else None
        return target.checked(releases, before.version, to) if to else None
    except UsageError:
        return None


def _check_nowhere(after: Release, wish: Wish) -> None:
    to = after.withdrawn.to if after.withdrawn else None
    if to is None and not wish.nowhere:
        raise UsageError(
            "no-successor",
            f"there is no good earlier version that users of {wish.version} could go to",
            "name a newer one as --to, or say --nowhere: they are told to stop and wait",
        )
    if to is not None and wish.nowhere:
        raise UsageError("has-successor", f"users can go to {to}", "leave out --nowhere")


def _frozen(feed: Path, releases: tuple[Release, ...], before: Release) -> Mark:
    """What waits in F.pending, if it is this withdrawal and nothing else."""
    folder, version = pending.folder_of(feed), before.version
    if not folder.is_dir():
        raise UsageError(
            "not-withdrawn-yet",
            f"the feed does not say that {version} is withdrawn, and nothing waits in {folder}",
            "prepare-withdrawal, then sign by each holder, then this again; or --keys K",
        )
    frozen = _frozen_releases(folder)
    after = next((release for release in frozen if release.version == version), before)
    rest = {release for release in frozen if release.version != version}
    same = replace(after, withdrawn=None) == before
    if after.withdrawn is None or not same or rest != {r for r in releases if r.version != version}:
        raise UsageError(
            "other-change",
            f"{folder} holds something else than the withdrawal of {version}",
            "publish that first, or drop it",
        )
    return _mark(releases, after, signed=False, frozen=True)


def _frozen_releases(folder: Path) -> tuple[Release, ...]:
    """What the feed would say once this is published; nothing, where it changes more than releases."""
    change = pending.thaw(folder)
    return () if change.root or change.payloads or not change.targets else frozen_releases(change.targets)


def _mark(releases: tuple[Release, ...], after: Release, *, signed: bool, frozen: bool) -> Mark:
    gone = after.withdrawn
    if gone is None:
        raise UsageError("not-withdrawn-yet", f"{after.version} is not withdrawn", "")
    way = target.way_to(releases, after.version, gone.to) if gone.to else None
    return Mark(after, gone, way, signed, frozen)
