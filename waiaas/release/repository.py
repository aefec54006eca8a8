"""The feed: a TUF repository as files, read and written whole (FEED-1).

Everything is signed and checked before anything is written. Then: payload, targets, snapshot, and
`timestamp.json` last, which is the one point of commit. Consistent snapshots, hash-prefixed targets.
"""

import itertools
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tuf.api.exceptions import DownloadError, DownloadHTTPError, RepositoryError
from tuf.api.metadata import Metadata, MetaFile, Root, Signature, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization import DeserializationError
from tuf.api.serialization.json import JSONSerializer
from tuf.ngclient import FetcherInterface, Updater

from waiaas.core.errors import TrustRefused, WaiaasError
from waiaas.core.release import Release, from_custom, to_custom
from waiaas.host.clock import Clock
from waiaas.host.files import Files, sha256
from waiaas.release.keys import LIFETIME, Keyring, lifetime_end, require
from waiaas.release.pending import PUBLIC_DIRECTORY, PUBLIC_MODE, Change

KEPT = timedelta(days=35)  # metadata that something newer has replaced
COMPACT = JSONSerializer(compact=True)


@dataclass(frozen=True)
class RoleState:
    role: str
    version: int
    expires: datetime
    keyids: tuple[str, ...]
    threshold: int


class Repository:
    """The feed in `folder`. Whoever changes it holds the lock of the story (publish.py)."""

    def __init__(self, folder: Path, files: Files, clock: Clock) -> None:
        self.folder = folder
        self.metadata = folder / "metadata"
        self.targets_folder = folder / "targets"
        self._files = files
        self._clock = clock

    @property
    def exists(self) -> bool:
        """Whether anything was ever committed."""
        return (self.metadata / "timestamp.json").is_file()

    def root(self) -> Metadata[Root]:
        """The newest root; raises WaiaasError `no-feed`."""
        versions = self._versions("root")
        if not versions:
            raise WaiaasError("no-feed", f"{self.folder} is no feed", "publish something into it first")
        return Metadata[Root].from_file(str(self.metadata / f"{versions[-1]}.root.json"))

    def releases(self) -> tuple[Release, ...]:
        """What the current targets say, oldest publication first."""
        if not self.exists:
            return ()
        entries = self._targets().signed.targets.values()
        return _described(entries)

    def roles(self) -> tuple[RoleState, ...]:
        """Version and expiry of each role, from root to timestamp."""
        root = self.root().signed
        signed = {"root": root, "targets": self._targets().signed}
        signed |= {"snapshot": self._snapshot().signed, "timestamp": self._timestamp().signed}
        return tuple(
            RoleState(name, s.version, s.expires, tuple(root.roles[name].keyids), root.roles[name].threshold)
            for name, s in signed.items()
        )

    def draft(self, changed: Sequence[Release], payloads: Mapping[str, Path], root: bytes) -> Change:
        """Freeze the next targets metadata, in which these releases are added or described anew.

        `payloads`: target name -> file; `root`: used while the feed is empty.
        """
        targets = self._targets() if self.exists else Metadata(Targets())
        self._renew(targets, "targets")
        for release in changed:
            before = targets.signed.targets.get(release.target)
            custom = {**(before.custom if before else {}), **to_custom(release)}  # keys of newer tools stay
            hashes = {"sha256": release.sha256}
            targets.signed.targets[release.target] = TargetFile(
                release.length, hashes, release.target, {"custom": custom}
            )
        names = {targets.signed.targets[t].get_prefixed_paths()[0]: path for t, path in payloads.items()}
        base = self.root().to_bytes(COMPACT) if self._versions("root") else root
        return Change(base, targets.to_bytes(COMPACT), names)

    def publish(self, change: Change, keyring: Keyring) -> int | None:
        """Commit a change; returns the new version of targets, None if it is in force already.

        Raises WaiaasError `signatures-missing`, `stale-change`, `payload-missing`.
        """
        root = self.root() if self._versions("root") else Metadata[Root].from_bytes(change.root)
        require(root, "root", root)
        targets = Metadata[Targets].from_bytes(change.targets)
        if self.exists and targets.signed.version <= (current := self._targets()).signed.version:
            if targets.signed == current.signed:
                return None
            raise WaiaasError(
                "stale-change",
                "the feed has changed since this was prepared",
                "drop it and run `prepare` again",
            )
        for signature in change.signatures:
            targets.signatures[signature["keyid"]] = Signature.from_dict(dict(signature))
        chain = self._chain(keyring, [root], targets)
        self._copy_payloads(targets.signed, change.payloads)
        if not self._versions("root"):
            self._write_metadata("1.root.json", change.root)
        self._commit(chain)
        return targets.signed.version

    def refresh(self, keyring: Keyring, days: int) -> list[str]:
        """Sign timestamp anew, and snapshot when fewer than `days` remain; returns what was signed."""
        old = self._snapshot().signed.expires - self._now() < timedelta(days=days)
        chain = self._chain(keyring, [self.root()], snapshot=old)
        self._commit(chain)
        return [metadata.signed.type for metadata in chain]

    def install_root(self, new: Metadata[Root], role: str, keyring: Keyring) -> None:
        """Publish a root with another key for `role`, with no moment in which a client would refuse.

        What the role has signed is signed by its old and new keys first, then the root appears.
        Where the old keys are gone, the root comes first. `new` is signed already.
        """
        old = self.root()
        try:
            chain, early = self._resigned(role, keyring, [old, new]), True
        except WaiaasError:
            chain, early = self._resigned(role, keyring, [new]), False
        if early:
            self._commit(chain)
        self._write_metadata(f"{new.signed.version}.root.json", new.to_bytes(COMPACT))
        if not early:
            self._commit(chain)

    def _resigned(self, role: str, keyring: Keyring, roots: Sequence[Metadata[Root]]) -> list[Metadata[Any]]:
        if role == "root":
            return []
        targets = self._targets() if role == "targets" else None
        if targets:
            self._renew(targets, "targets")
        return self._chain(keyring, roots, targets, snapshot=role == "snapshot")

    def _chain(
        self,
        keyring: Keyring,
        roots: Sequence[Metadata[Root]],
        targets: Metadata[Targets] | None = None,
        *,
        snapshot: bool = False,
    ) -> list[Metadata[Any]]:
        """A new timestamp and, before it, what it newly leads to; signed for each of `roots`."""
        listing = self._snapshot() if self.exists else Metadata(Snapshot())
        stamp = self._timestamp() if self.exists else Metadata(Timestamp())
        chain: list[Metadata[Any]] = []
        if targets is not None:
            keyring.sign_role(targets, "targets", roots)
            listing.signed.meta["targets.json"] = _meta(targets)
            chain.append(targets)
        if targets is not None or snapshot:
            self._renew(listing, "snapshot")
            keyring.sign_role(listing, "snapshot", roots)
            chain.append(listing)
        stamp.signed.snapshot_meta = _meta(listing)
        self._renew(stamp, "timestamp")
        keyring.sign_role(stamp, "timestamp", roots)
        return [*chain, stamp]

    def _renew(self, metadata: Metadata[Any], role: str) -> None:
        """The next version, above all that lie on disk; unsigned, with a full lifetime."""
        known = [*self._versions(role), metadata.signed.version if self.exists else 0]
        metadata.signed.version = max(known) + 1
        metadata.signed.expires = lifetime_end(self._clock, role)
        metadata.signatures.clear()

    def _commit(self, chain: Sequence[Metadata[Any]]) -> None:
        """Write in the order of `chain`: whatever refers to something comes after it."""
        for metadata in chain:
            role = metadata.signed.type
            name = "timestamp.json" if role == "timestamp" else f"{metadata.signed.version}.{role}.json"
            self._write_metadata(name, metadata.to_bytes(COMPACT))
        if chain:
            self._prune()

    def _write_metadata(self, name: str, data: bytes) -> None:
        self._files.make_directory("feed.folder", self.metadata, PUBLIC_DIRECTORY)
        self._files.write("feed.metadata", self.metadata / name, data, PUBLIC_MODE)

    def _copy_payloads(self, targets: Targets, payloads: Mapping[str, Path]) -> None:
        self._files.make_directory("feed.folder", self.targets_folder, PUBLIC_DIRECTORY)
        for target in targets.targets.values():
            name = target.get_prefixed_paths()[0]
            place = self.targets_folder / name
            if place.is_file() and place.stat().st_size == target.length:
                continue
            if name not in payloads or sha256(payloads[name]) != target.hashes["sha256"]:
                raise WaiaasError(
                    "payload-missing", f"the bytes of {target.path} are not at hand", "prepare again"
                )
            self._files.copy("feed.payload", payloads[name], place, PUBLIC_MODE)

    def _prune(self) -> None:
        """Drop snapshots and targets that were replaced more than 35 days ago; never a root."""
        for role, current in (("snapshot", self._snapshot()), ("targets", self._targets())):
            versions = self._versions(role)
            for version, successor in itertools.pairwise(versions):
                if version < current.signed.version and self._made(role, successor) < self._now() - KEPT:
                    self._files.remove("feed.prune", self.metadata / f"{version}.{role}.json")

    def _made(self, role: str, version: int) -> datetime:
        """When a version was signed."""
        expires: datetime = (
            Metadata[Any].from_file(str(self.metadata / f"{version}.{role}.json")).signed.expires
        )
        return expires - timedelta(days=LIFETIME[role])

    def _timestamp(self) -> Metadata[Timestamp]:
        if not self.exists:
            raise WaiaasError("no-feed", f"{self.folder} is no feed", "publish something into it first")
        return Metadata[Timestamp].from_file(str(self.metadata / "timestamp.json"))

    def _snapshot(self) -> Metadata[Snapshot]:
        version = self._timestamp().signed.snapshot_meta.version
        return Metadata[Snapshot].from_file(str(self.metadata / f"{version}.snapshot.json"))

    def _targets(self) -> Metadata[Targets]:
        version = self._snapshot().signed.meta["targets.json"].version
        return Metadata[Targets].from_file(str(self.metadata / f"{version}.targets.json"))

    def _versions(self, role: str) -> list[int]:
        pattern = re.compile(rf"([0-9]+)\.{role}\.json")
        names = (pattern.fullmatch(path.name) for path in self.metadata.glob(f"*.{role}.json"))
        return sorted(int(match[1]) for match in names if match)

    def _now(self) -> datetime:
        return self._clock.utc().replace(microsecond=0)


def frozen_releases(targets: bytes) -> tuple[Release, ...]:
    """What a targets file describes, whoever signed it."""
    return _described(Metadata[Targets].from_bytes(targets).signed.targets.values())


def verify(feed: Path, root: bytes) -> tuple[Release, ...]:
    """Read the feed as a client does that knows only `root`, every payload included.

    Raises TrustRefused `feed-refused`.
    """
    with tempfile.TemporaryDirectory(prefix="waiaas-verify-") as cache:
        try:
            updater = Updater(
                cache, (feed / "metadata").resolve().as_uri(), fetcher=_FromDisk(), bootstrap=root
            )
            updater.refresh()
            targets = Metadata[Targets].from_file(str(Path(cache, "targets.json"))).signed.targets
            for target in targets.values():
                with (feed / "targets" / target.get_prefixed_paths()[0]).open("rb") as payload:
                    target.verify_length_and_hashes(payload)
        except (RepositoryError, DownloadError, DeserializationError, OSError) as problem:
            raise TrustRefused(
                "feed-refused",
                f"a client would refuse this feed: {problem}",
                "see `status`, then `refresh` or publish",
            ) from problem
    return _described(targets.values())


class _FromDisk(FetcherInterface):
    """`file://` for the library's own client."""

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = Path(unquote(urlsplit(url).path))
        if not path.is_file():
            raise DownloadHTTPError(f"{path} is missing", 404)
        yield path.read_bytes()


def _described(targets: Iterable[TargetFile]) -> tuple[Release, ...]:
    """The releases that these targets are, oldest publication first."""
    found = [from_custom(t.custom, t.path, t.length, t.hashes.get("sha256", "")) for t in targets]
    return tuple(sorted(found, key=lambda release: release.seq))


def _meta(metadata: Metadata[Any]) -> MetaFile:
    return MetaFile.from_data(metadata.signed.version, metadata.to_bytes(COMPACT), ["sha256"])
