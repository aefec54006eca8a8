"""Which release to go to: a pure function of the signed releases and who asks (FEED-4, FEED-5).

Newest first, the first release that is not withdrawn, in my channel, within my pin, in my share of
its roll-out, and installable from my version, schema and Python, over stepping stones where one hop
is not enough. Never an older one, but where the installed version was withdrawn and the targets
role signed where to go instead, or where the operator asked for it by name.
"""

import hashlib
from collections.abc import Sequence

from waiaas.core.reach import Footing, find_path, obstacle, stepping_stones
from waiaas.core.release import Release, Withdrawal
from waiaas.core.value import frozen
from waiaas.core.version import Version


@frozen
class Policy:
    """Who asks. `schema`: of the database, None without one; `now`: Unix seconds.

    `pin` is `""`, `"1"` or `"1.8"`: nothing beyond it is offered. `to`: exactly this version, which
    channel, pin and roll-out then do not keep away. `seq_floor`: nothing with a lower `seq` is
    offered. `at_hand`: the only versions that can be had, because they were carried here; whoever
    carried one has chosen it, so no roll-out keeps it away. None: all of them.
    """

    channel: str
    pin: str
    installation_id: str
    schema: int | None
    python: tuple[int, int, int]
    now: float
    to: Version | None = None
    seq_floor: int = 0
    at_hand: frozenset[Version] | None = None


@frozen
class Upgrade:
    """Go to `path[-1]`, hop by hop. `downgrade`: it is older than the installed version.

    `loses_data`: it cannot read the present database, so an older one has to come back with it.
    """

    path: tuple[Release, ...]
    reason: str
    downgrade: bool = False
    loses_data: bool = False

    @property
    def target(self) -> Release:
        return self.path[-1]


@frozen
class Stay:
    """Nothing to install, for a `reason` in plain words under a stable `code`.

    `up-to-date` is the good one; the others say what stands in the way. `latest` is the newest
    eligible release, or None.
    """

    reason: str
    code: str
    latest: Release | None


def choose(releases: Sequence[Release], installed: Version, policy: Policy) -> Upgrade | Stay:
    """The decision. `releases` are those of the verified feed, in any order."""
    asker = _Asker(releases, installed, policy)
    if policy.to is not None:
        return asker.named(policy.to)
    return asker.offered()


def newest_eligible(releases: Sequence[Release], installed: Version, policy: Policy) -> Release | None:
    """The newest release that I could be running, the installed one included (VCHK-04)."""
    return _Asker(releases, installed, policy).newest()


def withdrawal_of(releases: Sequence[Release], installed: Version) -> Withdrawal | None:
    """Why the installed version was withdrawn, or None (FEED-5)."""
    return next((r.withdrawn for r in releases if r.version == installed), None)


def unfit(releases: Sequence[Release], version: Version) -> str | None:
    """Why nobody should run that version, whether it is still listed or not; None: nothing is known
    against it (FEED-3, FEED-5)."""
    against = _against(version, withdrawal_of(releases, version), _oldest_safe(releases))
    return against and against[1]


def _oldest_safe(releases: Sequence[Release]) -> Version | None:
    return max((release.min_safe for release in releases if release.min_safe is not None), default=None)


def _against(
    version: Version, gone: Withdrawal | None, oldest_safe: Version | None
) -> tuple[str, str] | None:
    if gone is not None:
        return "withdrawn", f"{version} was withdrawn: {gone.reason}"
    if oldest_safe is not None and version < oldest_safe:
        return "unsafe", f"{version} is older than {oldest_safe}, the oldest safe version"
    return None


def bucket(installation_id: str, version: Version) -> int:
    """0..99, the same for this installation and version for ever; it never leaves the machine."""
    return int(hashlib.sha256(f"{installation_id}{version}".encode()).hexdigest(), 16) % 100


class _Asker:
    """One question: the feed, the installed version and the policy together."""

    def __init__(self, releases: Sequence[Release], installed: Version, policy: Policy) -> None:
        self.releases = sorted(releases, key=lambda release: release.version, reverse=True)
        self.installed = installed
        self.policy = policy
        self.footing = Footing(installed, policy.schema)
        self.min_safe = _oldest_safe(releases)

    def offered(self) -> Upgrade | Stay:
        hindrance: tuple[str, str] | None = None
        for release in self.releases:
            if not (self._in_sight(release) and release.version > self.installed):
                continue
            blocked = self._blocked(release)
            if blocked is None:
                reason = f"{release.version} is the newest release for this installation"
                return Upgrade(self._path(release), f"{reason}; {hindrance[1]}" if hindrance else reason)
            hindrance = hindrance or blocked
        gone = withdrawal_of(self.releases, self.installed)
        if gone is not None:
            return self._leave(gone)
        hindrance = hindrance or self._carried_in_vain()
        if hindrance is not None:
            return Stay(hindrance[1], hindrance[0], self.newest())
        return self._up_to_date()

    def named(self, version: Version) -> Upgrade | Stay:
        release = self._find(version)
        if version == self.installed:
            return Stay(f"{version} is installed already", "up-to-date", self.newest())
        if release is None:
            return Stay(f"the feed has no {version}", "not-in-feed", self.newest())
        refused = self._never(release)
        down = version < self.installed
        if refused is None:
            hop = obstacle(self.footing, release, self.policy.python)
            path = () if down and hop else (release,) if down else self._path(release)
            if path:
                return Upgrade(path, f"{version} was asked for", downgrade=down)
            refused = hop
        code, reason = refused or ("too-far", f"no way leads from {self.installed} to {version}")
        return Stay(reason, code, self.newest())

    def newest(self) -> Release | None:
        for release in self.releases:
            if self._in_sight(release) and (
                release.version <= self.installed or self._blocked(release) is None
            ):
                return release
        return None

    def _leave(self, gone: Withdrawal) -> Upgrade | Stay:
        """Away from a withdrawn version, to where the targets role says (FEED-5)."""
        said = f"{self.installed} was withdrawn: {gone.reason}"
        release = self._destination(gone)
        if release is not None and (absent := self._absent(release)) is not None:
            return Stay(f"{said}; {absent[1]}", "withdrawn", self.newest())
        if release is None or self._never(release) is not None:
            return Stay(f"{said}; there is no version to go to yet", "withdrawn", self.newest())
        if not self._in_sight(release):
            return Stay(f"{said}; {release.version} is a release candidate", "withdrawn", self.newest())
        if release.version < self.installed:
            return self._down(release, said)
        path = self._path(release)
        blocked = self._pinned(release) or (None if path else self._why_no_path(release))
        if blocked is not None:
            return Stay(f"{said}; {blocked[1]}", "withdrawn", self.newest())
        return Upgrade(path, f"{said}; go to {release.version}")

    def _destination(self, gone: Withdrawal) -> Release | None:
        """Where `gone` says; if that was withdrawn as well, where that one says."""
        seen = {self.installed}
        while gone.to is not None and gone.to not in seen:
            seen.add(gone.to)
            release = self._find(gone.to)
            if release is None or release.withdrawn is None:
                return release
            gone = release.withdrawn
        return None

    def _down(self, release: Release, said: str) -> Upgrade | Stay:
        hop = obstacle(self.footing, release, self.policy.python)
        if hop is not None and hop[0] != "schema":
            return Stay(f"{said}; {hop[1]}", "withdrawn", self.newest())
        reason = f"{said}; go back to {release.version}"
        return Upgrade((release,), reason, downgrade=True, loses_data=hop is not None)

    def _in_sight(self, release: Release) -> bool:
        """Meant for me at all. What is not is never mentioned as standing in the way."""
        return self._never(release) is None and (release.channel == "stable" or self.policy.channel == "rc")

    def _never(self, release: Release) -> tuple[str, str] | None:
        return _against(release.version, release.withdrawn, self.min_safe) or self._absent(release)

    def _carried_in_vain(self) -> tuple[str, str] | None:
        """Why a newer version is not even in sight: whoever carried it here wants to know."""
        for release in self.releases:
            if release.version in (self.policy.at_hand or ()) and release.version > self.installed:
                candidate = f"{release.version} is a release candidate; this installation follows stable"
                return self._never(release) or ("channel", candidate)
        return None

    def _absent(self, release: Release) -> tuple[str, str] | None:
        at_hand = self.policy.at_hand
        if at_hand is None or release.version in at_hand or release.version == self.installed:
            return None
        return "not-at-hand", f"{release.version} was not carried here"

    def _blocked(self, release: Release) -> tuple[str, str] | None:
        """Why a newer release that is in sight is not offered; None if it is."""
        version, policy = release.version, self.policy
        if (pinned := self._pinned(release)) is not None:
            return pinned
        if release.seq < policy.seq_floor:
            return "old-news", f"{version} is not offered: it was published before the installed version"
        if not release.critical and release.rollout is not None and policy.at_hand is None:
            share = release.rollout.percent(policy.now)
            if bucket(policy.installation_id, version) >= share:
                return "rollout", f"{version} is being rolled out ({share} %) and not here yet"
        return None if self._path(release) else self._why_no_path(release)

    def _pinned(self, release: Release) -> tuple[str, str] | None:
        pin = self.policy.pin
        if not pin or not _beyond(release.version, pin):
            return None
        return "pinned", f"{release.version} is not offered: this installation is pinned to {pin}"

    def _why_no_path(self, release: Release) -> tuple[str, str]:
        fallback = "too-far", f"no way leads from {self.installed} to {release.version}"
        return obstacle(self.footing, release, self.policy.python) or fallback

    def _path(self, release: Release) -> tuple[Release, ...]:
        rc = "rc" in (self.policy.channel, release.channel)
        stones = stepping_stones(
            release, self.releases, lambda r: self._never(r) is None and (rc or r.channel == "stable")
        )
        return find_path(self.footing, release, stones, self.policy.python)

    def _up_to_date(self) -> Stay:
        latest = self.newest()
        if latest is not None and latest.version < self.installed:
            channel = self.policy.channel
            reason = f"{self.installed} is newer than {latest.version}, the newest in channel {channel}"
        else:
            reason = f"{self.installed} is the newest version"
        return Stay(reason, "up-to-date", latest)

    def _find(self, version: Version) -> Release | None:
        return next((release for release in self.releases if release.version == version), None)


def _beyond(version: Version, pin: str) -> bool:
    limit = tuple(int(part) for part in pin.split(".") if part.isdecimal())
    return (version.major, version.minor, version.patch)[: len(limit)] > limit
