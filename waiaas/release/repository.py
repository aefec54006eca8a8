"""The feed: a TUF repository as files, read and written whole (FEED-1).

Everything is signed and checked before anything is written. Then: payload, targets, snapshot, and
`timestamp.json` last, which is the one point of commit. Consistent snapshots, hash-prefixed targets.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tuf.api.metadata import Metadata, Root, Snapshot, TargetFile, Targets, Timestamp

from waiaas.core.errors import WaiaasError
from waiaas.core.release import Release, to_custom
from waiaas.core.value import frozen, replace
from waiaas.host.clock import Clock
from waiaas.host.files import Files, sha256
from waiaas.release import root as roots
from waiaas.release.examine import examine
from waiaas.release.keys import Keyring
from waiaas.release.metadata import COMPACT, Shelf, entry
from waiaas.release.pending import PUBLIC_DIRECTORY, PUBLIC_MODE, Change
from waiaas.release.reader import read
from waiaas.release.shells import Shell, releases_among, shells_among

AGAIN = "drop the folder, prepare the change again, and let it be signed again"


@frozen
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
        self.targets_folder = folder / "targets"
        self._shelf = Shelf(folder / "metadata", files, clock)
        self._files = files
        self._clock = clock

    @property
    def exists(self) -> bool:
        """Whether anything was ever committed."""
        return self._shelf.exists

    @property
    def rooted(self) -> bool:
        """Whether it has a root of trust, with or without releases."""
        return bool(self._shelf.versions("root"))

    def root(self) -> Metadata[Root]:
        """The newest root; raises WaiaasError `no-feed`."""
        return self._shelf.root()

    def releases(self) -> tuple[Release, ...]:
        """What the current targets say, oldest publication first."""
        return releases_among(self._targets())

    def shells(self) -> tuple[Shell, ...]:
        """The bundles of the desktop shell in the current targets."""
        return shells_among(self._targets())

    def roles(self) -> tuple[RoleState, ...]:
        """Version and expiry of each role, from root to timestamp."""
        shelf, root = self._shelf, self.root().signed
        signed = {"root": root, "targets": shelf.targets().signed}
        signed |= {"snapshot": shelf.snapshot().signed, "timestamp": shelf.timestamp().signed}
        return tuple(
            RoleState(name, s.version, s.expires, tuple(root.roles[name].keyids), root.roles[name].threshold)
            for name, s in signed.items()
        )

    def draft(
        self,
        changed: Iterable[Release],
        payloads: Mapping[str, Path],
        root: bytes,
        shells: Iterable[Shell] = (),
    ) -> Change:
        """Freeze the next targets, in which these releases and bundles are added or described anew.

        `payloads`: target name -> file; `root`: used while the feed has none.
        """
        targets = self._shelf.targets() if self.exists else Metadata(Targets())
        self._shelf.renew(targets, "targets")
        for release in changed:
            before = targets.signed.targets.get(release.target)
            custom = {**(before.custom if before else {}), **to_custom(release)}  # keys of newer tools stay
            _describe(targets.signed, release, custom)
        for shell in shells:
            _describe(targets.signed, shell, shell.to_custom())
        names = {targets.signed.targets[t].get_prefixed_paths()[0]: path for t, path in payloads.items()}
        return Change(
            self._shelf.chain() or (root,),
            self._shelf.targets_file() if self.exists else b"",
            targets=targets.to_bytes(COMPACT),
            payloads=names,
        )

    def draft_root(self, new: Metadata[Root]) -> Change:
        """Freeze the next root; and the targets anew, where those in force lack signatures under it."""
        if not self.exists:
            return Change(self._shelf.chain(), root=new.to_bytes(COMPACT))
        targets = self._shelf.targets()
        if roots.fits(new, "targets", targets):
            return Change(self._shelf.chain(), self._shelf.targets_file(), new.to_bytes(COMPACT))
        return replace(self.draft([], {}, b""), root=new.to_bytes(COMPACT))

    def publish(self, change: Change, keyring: Keyring) -> int | None:
        """Commit a change; returns the new version of root or targets, None if it is in force already.

        Raises WaiaasError `signatures-missing`, `stale-change`, `payload-missing`; TrustRefused
        `pending-tampered`.
        """
        documents = examine(change).documents
        targets = documents.get("targets")
        in_force = targets is not None and self.exists and targets.signed == self._shelf.targets().signed
        if "root" in documents:
            # targets in force: an earlier try got that far
            return self._turn(change, documents["root"], None if in_force else targets, keyring)
        if targets is None or in_force:
            return None
        self._check_fresh(change, [targets])
        root = self.root() if self.rooted else Metadata[Root].from_bytes(change.roots[-1])
        chain = self._chain(keyring, [root], targets)
        self._copy_payloads(targets.signed, change.payloads)
        if not self.rooted:
            self._shelf.write("1.root.json", change.roots[0])
        self._shelf.commit(chain)
        return int(targets.signed.version)

    def refresh(self, keyring: Keyring, days: int) -> list[str]:
        """Sign timestamp anew, and snapshot when fewer than `days` remain; returns what was signed."""
        old = self._shelf.snapshot().signed.expires - self._shelf.now() < timedelta(days=days)
        chain = self._chain(keyring, [self.root()], snapshot=old)
        self._shelf.commit(chain)
        return [metadata.signed.type for metadata in chain]

    def _turn(
        self, change: Change, new: Metadata[Root], targets: Metadata[Targets] | None, keyring: Keyring
    ) -> int | None:
        """Publish the next root, with no moment in which a client would refuse.

        What lacks signatures under the new root is signed for the old and the new one first, then the
        root appears. Where the old keys are gone, the root comes first.
        """
        there = self.rooted and self.root().signed == new.signed
        if not there:
            self._check_fresh(change, [new] if targets is None else [new, targets])
        old = [self.root()] if self.rooted and not there else []
        keyring.sign_role(new, "root", [*old, new])
        try:
            chain, early = self._bridge(keyring, [*old, new], targets), True
        except WaiaasError:
            chain, early = self._bridge(keyring, [new], targets), False
        if there and not chain:
            return None
        if early:
            self._shelf.commit(chain)
        if not there:
            self._shelf.write(f"{new.signed.version}.root.json", new.to_bytes(COMPACT))
        if not early:
            self._shelf.commit(chain)
        return new.signed.version

    def _bridge(
        self, keyring: Keyring, known: Sequence[Metadata[Root]], targets: Metadata[Targets] | None
    ) -> list[Metadata[Any]]:
        """What lies below root and the last of `known` would not accept as it is, signed for all of them."""
        if not self.exists:
            return []
        new = known[-1]
        snapshot = not roots.fits(new, "snapshot", self._shelf.snapshot())
        if targets is None and not snapshot and roots.fits(new, "timestamp", self._shelf.timestamp()):
            return []
        return self._chain(keyring, known, targets, snapshot=snapshot)

    def _chain(
        self,
        keyring: Keyring,
        known: Sequence[Metadata[Root]],
        targets: Metadata[Targets] | None = None,
        *,
        snapshot: bool = False,
    ) -> list[Metadata[Any]]:
        """A new timestamp and, before it, what it newly leads to; signed for each root of `known`."""
        listing = self._shelf.snapshot() if self.exists else Metadata(Snapshot())
        stamp = self._shelf.timestamp() if self.exists else Metadata(Timestamp())
        chain: list[Metadata[Any]] = []
        if targets is not None:
            keyring.sign_role(targets, "targets", known)
            listing.signed.meta["targets.json"] = entry(targets)
            chain.append(targets)
        if targets is not None or snapshot:
            self._shelf.renew(listing, "snapshot")
            keyring.sign_role(listing, "snapshot", known)
            chain.append(listing)
        stamp.signed.snapshot_meta = entry(listing)
        self._shelf.renew(stamp, "timestamp")
        keyring.sign_role(stamp, "timestamp", known)
        return [*chain, stamp]

    def _check_fresh(self, change: Change, documents: Sequence[Metadata[Any]]) -> None:
        """What `documents` were prepared on is what the feed says now; else `stale-change`."""
        roles = {document.signed.type for document in documents}
        chain = self._shelf.chain()
        before = self._shelf.targets_file() if self.exists else b""
        if (chain and change.roots != chain) or ("targets" in roles and change.before != before):
            raise WaiaasError("stale-change", "the feed has changed since this was prepared", AGAIN)
        if any(document.signed.expires <= self._shelf.now() for document in documents):
            raise WaiaasError("stale-change", "this was prepared so long ago that it has expired", AGAIN)

    def _copy_payloads(self, targets: Targets, payloads: Mapping[str, Path]) -> None:
        for target in targets.targets.values():
            name = target.get_prefixed_paths()[0]
            place = self.targets_folder / name
            if place.is_file() and place.stat().st_size == target.length:
                continue
            if name not in payloads or sha256(payloads[name]) != target.hashes["sha256"]:
                raise WaiaasError(
                    "payload-missing", f"the bytes of {target.path} are not at hand", "prepare again"
                )
            self._files.make_directory("feed.folder", place.parent, PUBLIC_DIRECTORY)
            self._files.copy("feed.payload", payloads[name], place, PUBLIC_MODE)

    def _targets(self) -> Iterable[TargetFile]:
        return self._shelf.targets().signed.targets.values() if self.exists else ()


def frozen_releases(targets: bytes) -> tuple[Release, ...]:
    """What a targets file describes, whoever signed it."""
    return releases_among(Metadata[Targets].from_bytes(targets).signed.targets.values())


def verify(feed: Path, root: bytes) -> tuple[Release, ...]:
    """The releases as a client reads them that knows only `root`; raises TrustRefused `feed-refused`."""
    return read(feed, root).releases


def _describe(targets: Targets, what: Release | Shell, custom: Mapping[str, Any]) -> None:
    hashes = {"sha256": what.sha256}
    targets.targets[what.target] = TargetFile(what.length, hashes, what.target, {"custom": dict(custom)})
