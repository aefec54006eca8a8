"""A feed in memory, keys included: for tests of whoever reads one. Nothing of it is faked but the wire.

`Simulator` is a TUF repository and, at once, the `Network` that serves it:

    feed = Simulator(clock)                          # root, targets 2 of 3; snapshot, timestamp 1
    feed.publish(release("1.9.0"), b"the artefact")  # signed all the way up to timestamp
    client = feed.client(tmp_path)                   # the product's own Feed, trusting its root 1
    client.refresh(5.0).releases

Then be the attacker, or time:

    old = feed.state()                  # what is served now …
    feed.answer(old)                    # … comes again: replay
    feed.resign_old_targets(old)        # … under fresh signatures of stolen online keys
    feed.rotate("targets")              # new keys for a role, announced by a new root
    feed.expire("snapshot")             # signed, but out of date
    feed.sign_with("targets", thief)    # whose keys sign, whatever root says
    feed.served["metadata/timestamp.json"] = b"<html>"   # any bytes at all
    feed.broken["metadata/2.root.json"] = NetworkProblem("network-dns", "…")
    feed.requests                       # every path that was asked for, in order
    feed.write(folder)                  # as files, for a real web server or file://
"""

import copy
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer

from tests.core import choosing
from tests.fakes import FakeClock
from waiaas.core.release import Release, to_custom
from waiaas.core.value import replace
from waiaas.core.version import Version
from waiaas.host.files import Files
from waiaas.host.http import Network
from waiaas.host.problems import HttpStatus, NetworkProblem
from waiaas.upgrade.feed import Feed
from waiaas.upgrade.floors import Floors

URL = "https://feed.example.test"
KEYS = {"root": 3, "targets": 3, "snapshot": 1, "timestamp": 1}
THRESHOLDS = {"root": 2, "targets": 2, "snapshot": 1, "timestamp": 1}
DAYS = {"root": 730, "targets": 182, "snapshot": 35, "timestamp": 14}
COMPACT = JSONSerializer(compact=True)
BUILT = 1_795_000_000  # Unix seconds, two days before FakeClock starts

State = dict[str, bytes]


def release(version: str = "1.9.0", seq: int | None = None, **changes: Any) -> Release:
    """A release that suits everybody, but for `changes`. Length and digest come with publishing."""
    parsed = Version.parse(version)
    numbered = parsed.major * 10000 + parsed.minor * 100 + parsed.patch if seq is None else seq
    told = {"commit": "0" * 40, "built": BUILT, "notes_url": f"https://example.test/{version}"}
    return choosing.release(version, seq=numbered, **(told | changes))


class Simulator(Network):
    """See the module. `served` maps a path below the feed's address to bytes."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__({}, clock)
        self.clock = clock
        self.served: State = {}
        self.broken: dict[str, Exception] = {}
        self.requests: list[str] = []
        self.signers = {role: new_keys(count) for role, count in KEYS.items()}
        self.root = Root(expires=self._later("root"), consistent_snapshot=True)
        self.targets = Targets(expires=self._later("targets"))
        self.snapshot = Snapshot(expires=self._later("snapshot"))
        self.timestamp = Timestamp(expires=self._later("timestamp"))
        for role in KEYS:
            self._announce(role)
        self.root.version = 0
        self.publish_root()
        self.trusted = self.served["metadata/1.root.json"]
        self.targets.version = self.snapshot.version = self.timestamp.version = 0
        self.publish_targets()

    # --- the wire

    def fetch(self, url: str, deadline: float, budget: int) -> Iterator[bytes]:
        if self.clock.monotonic() >= deadline:
            raise NetworkProblem("network-timeout", "the feed did not answer in time")
        path = url.removeprefix(f"{URL}/")
        self.requests.append(path)
        if path in self.broken:
            raise self.broken[path]
        if path not in self.served:
            raise HttpStatus(f"there is nothing at {url} (404)", 404)
        data = self.served[path]
        if len(data) > budget:
            raise NetworkProblem("network-too-large", f"the answer to {url} is too large")
        for start in range(0, len(data), 1000):
            yield data[start : start + 1000]

    def client(self, folder: Path, **changes: Any) -> Feed:
        """The product's own client, its metadata and floors below `folder`."""
        given: dict[str, Any] = {
            "url": URL,
            "cache_dir": folder / "metadata",
            "root": self.trusted,
            "network": self,
            "clock": self.clock,
            "files": Files(),
            "floors": Floors(folder / "floors.json", Files()),
            "build_time": BUILT,
        }
        return Feed(**(given | changes))

    def state(self) -> State:
        return dict(self.served)

    def answer(self, state: State) -> None:
        """Serve exactly this from now on."""
        self.served = dict(state)

    def write(self, folder: Path) -> str:
        """Everything as files; returns the `file://` address."""
        for path, data in self.served.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        return folder.as_uri()

    # --- the maker's work

    def publish(self, new: Release, payload: bytes = b"artefact") -> Release:
        """Add or describe anew; returns the release with its real length and digest."""
        new = replace(new, length=len(payload), sha256=sha256(payload).hexdigest())
        self.served[f"targets/{new.sha256}.{new.target}"] = payload
        self.publish_custom(new.target, payload, to_custom(new))
        return new

    def publish_custom(self, name: str, payload: bytes, custom: object) -> None:
        """Sign any `custom` at all."""
        digest = {"sha256": sha256(payload).hexdigest()}
        fields = {} if custom is None else {"custom": custom}
        self.targets.targets[name] = TargetFile(len(payload), digest, name, fields)
        self.publish_targets()

    def publish_targets(self) -> None:
        self.targets.version += 1
        data = self._put("targets", self.targets)
        self.snapshot.meta["targets.json"] = MetaFile.from_data(self.targets.version, data, ["sha256"])
        self.publish_snapshot()

    def publish_snapshot(self) -> None:
        self.snapshot.version += 1
        data = self._put("snapshot", self.snapshot)
        self.timestamp.snapshot_meta = MetaFile.from_data(self.snapshot.version, data, ["sha256"])
        self.publish_timestamp()

    def publish_timestamp(self) -> None:
        """The daily re-signing."""
        self.timestamp.version += 1
        self._put("timestamp", self.timestamp)

    def publish_root(self, signers: Sequence[CryptoSigner] | None = None) -> None:
        self.root.version += 1
        self._put("root", self.root, signers)

    def refresh(self) -> None:
        """Sign everything anew, with a full lifetime from now."""
        for signed in (self.targets, self.snapshot, self.timestamp):
            signed.expires = self._later(signed.type)
        self.publish_targets()

    # --- attackers, and time

    def rotate(self, role: str, count: int | None = None, keep: int = 0) -> None:
        """New keys for `role` (keeping the first `keep`), a new root, and the role signed anew."""
        old = self.signers[role]
        self.signers[role] = [*old[:keep], *new_keys((KEYS[role] if count is None else count) - keep)]
        self._announce(role)
        self.root.expires = self._later("root")
        self.publish_root([*old, *self.signers["root"]] if role == "root" else None)
        if role != "root":
            self.publish_targets()

    def expire(self, role: str) -> None:
        """Sign `role` anew with a date that is past."""
        signed: Any = getattr(self, role)
        signed.expires = self._moment(-1)
        getattr(self, f"publish_{role}")()
        signed.expires = self._later(role)

    def sign_with(self, role: str, signers: Sequence[CryptoSigner]) -> None:
        """Sign `role` with these keys from now on, without telling root."""
        self.signers[role] = list(signers)
        getattr(self, f"publish_{role}")()

    def resign_old_targets(self, old: State) -> None:
        """What thieves of the online keys can do: hide newer targets under fresh signatures."""
        name = max((n for n in old if n.endswith(".targets.json")), key=lambda n: int(n[9:].split(".")[0]))
        version = int(name.removeprefix("metadata/").split(".")[0])
        self.served[name] = old[name]
        self.snapshot.meta["targets.json"] = MetaFile.from_data(version, old[name], ["sha256"])
        self.publish_snapshot()

    def _announce(self, role: str) -> None:
        for keyid in list(self.root.roles[role].keyids):
            self.root.revoke_key(keyid, role)
        for signer in self.signers[role]:
            self.root.add_key(signer.public_key, role)
        self.root.roles[role].threshold = min(THRESHOLDS[role], len(self.signers[role]))

    def _put(self, role: str, signed: Any, signers: Sequence[CryptoSigner] | None = None) -> bytes:
        metadata = Metadata(copy.deepcopy(signed))
        for signer in signers or self.signers[role]:
            metadata.sign(signer, append=True)
        data: bytes = metadata.to_bytes(COMPACT)
        name = role if role == "timestamp" else f"{signed.version}.{role}"
        self.served[f"metadata/{name}.json"] = data
        return data

    def _later(self, role: str) -> datetime:
        return self._moment(DAYS[role])

    def _moment(self, days: float) -> datetime:
        now = datetime.fromtimestamp(int(self.clock.now()), UTC)
        return now + timedelta(days=days)


def new_keys(count: int) -> list[CryptoSigner]:
    return [CryptoSigner.generate_ed25519() for _ in range(count)]
