"""The metadata of a feed as files: read the newest, number the next, write, drop what is old.

Every number is taken above all that lie on disk, so an interrupted run never makes two files of one
name with different bytes.
"""

import itertools
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer

from waiaas.core.errors import WaiaasError
from waiaas.host.clock import Clock
from waiaas.host.files import Files
from waiaas.release.pending import PUBLIC_DIRECTORY, PUBLIC_MODE
from waiaas.release.root import LIFETIME, lifetime_end

KEPT = timedelta(days=35)  # metadata that something newer has replaced
COMPACT = JSONSerializer(compact=True)


class Shelf:
    """The folder `metadata` of a feed. Whoever changes it holds the lock of the story (publish.py)."""

    def __init__(self, folder: Path, files: Files, clock: Clock) -> None:
        self.folder = folder
        self._files = files
        self._clock = clock

    @property
    def exists(self) -> bool:
        """Whether anything was ever committed."""
        return (self.folder / "timestamp.json").is_file()

    def chain(self) -> tuple[bytes, ...]:
        """Every root, oldest first; empty in a folder that is no feed."""
        return tuple((self.folder / f"{n}.root.json").read_bytes() for n in self.versions("root"))

    def root(self) -> Metadata[Root]:
        """The newest root; raises WaiaasError `no-feed`."""
        versions = self.versions("root")
        if not versions:
            raise self._nothing()
        return Metadata[Root].from_file(str(self.folder / f"{versions[-1]}.root.json"))

    def timestamp(self) -> Metadata[Timestamp]:
        if not self.exists:
            raise self._nothing()
        return Metadata[Timestamp].from_file(str(self.folder / "timestamp.json"))

    def snapshot(self) -> Metadata[Snapshot]:
        version = self.timestamp().signed.snapshot_meta.version
        return Metadata[Snapshot].from_file(str(self.folder / f"{version}.snapshot.json"))

    def targets(self) -> Metadata[Targets]:
        return Metadata[Targets].from_bytes(self.targets_file())

    def targets_file(self) -> bytes:
        """The targets in force, as they are served."""
        version = self.snapshot().signed.meta["targets.json"].version
        return (self.folder / f"{version}.targets.json").read_bytes()

    def versions(self, role: str) -> list[int]:
        pattern = re.compile(rf"([0-9]+)\.{role}\.json")
        names = (pattern.fullmatch(path.name) for path in self.folder.glob(f"*.{role}.json"))
        return sorted(int(match[1]) for match in names if match)

    def renew(self, metadata: Metadata[Any], role: str) -> None:
        """The next version, above all that lie on disk; unsigned, with a full lifetime."""
        known = [*self.versions(role), metadata.signed.version if self.exists else 0]
        metadata.signed.version = max(known) + 1
        metadata.signed.expires = lifetime_end(self._clock, role)
        metadata.signatures.clear()

    def commit(self, chain: Sequence[Metadata[Any]]) -> None:
        """Write in the order of `chain`: whatever refers to something comes after it."""
        for metadata in chain:
            role = metadata.signed.type
            name = "timestamp.json" if role == "timestamp" else f"{metadata.signed.version}.{role}.json"
            self.write(name, metadata.to_bytes(COMPACT))
        if chain:
            self._prune()

    def write(self, name: str, data: bytes) -> None:
        self._files.make_directory("feed.folder", self.folder, PUBLIC_DIRECTORY)
        self._files.write("feed.metadata", self.folder / name, data, PUBLIC_MODE)

    def now(self) -> datetime:
        return self._clock.utc().replace(microsecond=0)

    def _prune(self) -> None:
        """Drop snapshots and targets that were replaced more than 35 days ago; never a root."""
        for role, current in (("snapshot", self.snapshot()), ("targets", self.targets())):
            versions = self.versions(role)
            for version, successor in itertools.pairwise(versions):
                if version < current.signed.version and self._made(role, successor) < self.now() - KEPT:
                    self._files.remove("feed.prune", self.folder / f"{version}.{role}.json")

    def _made(self, role: str, version: int) -> datetime:
        """When a version was signed."""
        expires: datetime = (
            Metadata[Any].from_file(str(self.folder / f"{version}.{role}.json")).signed.expires
        )
        return expires - timedelta(days=LIFETIME[role])

    def _nothing(self) -> WaiaasError:
        feed = self.folder.parent
        if self.versions("root"):
            return WaiaasError("no-feed", f"{feed} holds a root of trust, but no release yet", "publish one")
        return WaiaasError("no-feed", f"{feed} is no feed", "publish something into it first")


def entry(metadata: Metadata[Any]) -> MetaFile:
    """How snapshot and timestamp name a file of metadata."""
    return MetaFile.from_data(metadata.signed.version, metadata.to_bytes(COMPACT), ["sha256"])
