"""What lies in an offline bundle, and in which order (BNDL-1). Both ends: who makes and who reads one.

    metadata/1.root.json … metadata/N.root.json    every root, so that any installation can follow
    metadata/timestamp.json
    metadata/V.snapshot.json
    metadata/V.targets.json
    targets/<sha256>.waiaas-X.Y.Z.pyz               the one payload

The names are those of a feed, so an unpacked bundle is one. Nothing in here is verified: `read` only
says that the form is right and within its bounds; all refusals are TrustRefused.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from waiaas.core.errors import TrustRefused, WaiaasError
from waiaas.core.ustar import Member, Reader, pack, refuse, shown
from waiaas.core.value import frozen
from waiaas.core.version import Version

MAX_MEMBERS = 300
METADATA_BUDGET = 8 << 20  # bytes of all metadata together
MAX_PAYLOAD = 1 << 30  # bytes
NUMBER = r"[1-9][0-9]{0,9}"
ROOT = re.compile(rf"metadata/({NUMBER})\.root\.json")
PAYLOAD = re.compile(r"targets/([0-9a-f]{64})\.(waiaas-([0-9A-Za-z.-]{5,60})\.pyz)")
ROLES = (
    ("timestamp", re.compile(r"metadata/timestamp\.json")),
    ("snapshot", re.compile(rf"metadata/{NUMBER}\.snapshot\.json")),
    ("targets", re.compile(rf"metadata/{NUMBER}\.targets\.json")),
    ("payload", PAYLOAD),
)


@frozen
class Payload:
    """What a bundle says it carries. `target`: `waiaas-X.Y.Z.pyz`; `size` in bytes."""

    version: Version
    target: str
    sha256: str
    size: int

    @property
    def name(self) -> str:
        return f"targets/{self.sha256}.{self.target}"


@frozen
class Contents:
    """`metadata`: name below the feed's address → bytes, in the order of the bundle."""

    metadata: Mapping[str, bytes]
    payload: Payload

    @property
    def roots(self) -> int:
        return len(self.metadata) - len(ROLES) + 1

    def role(self, name: str) -> bytes:
        """The metadata of a role; of root the newest."""
        return [data for key, data in self.metadata.items() if key.endswith(f"{name}.json")][-1]


def read(chunks: Iterable[bytes]) -> tuple[Contents, Iterator[bytes]]:
    """The metadata at once, and the payload's bytes: only after the last one the end was seen to be right."""
    reader, order = Reader(chunks), _Order()
    metadata: dict[str, bytes] = {}
    while True:
        member = reader.member()
        if member is None:
            raise order.incomplete()
        payload = order.admit(member)
        if payload is not None:
            return Contents(metadata, payload), _payload(reader, member)
        metadata[member.name] = b"".join(reader.content(member))


def write(contents: Contents, payload: Iterable[bytes]) -> Iterator[bytes]:
    """The bundle in chunks; raises TrustRefused for contents that `read` would refuse, and ValueError
    for a payload of another size."""
    order = _Order()
    members = [Member(name, len(data)) for name, data in contents.metadata.items()]
    last = Member(contents.payload.name, contents.payload.size)
    for member in (*members, last):
        order.admit(member)
    parts = zip(members, ([data] for data in contents.metadata.values()), strict=True)
    return pack((*parts, (last, payload)))


class _Order:
    """Which member may come next."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._bytes = 0
        self._roots = 0
        self._place = 0  # in ROLES

    def admit(self, member: Member) -> Payload | None:
        """Raises TrustRefused before a byte of the member is read; the payload is the last one."""
        name = member.name
        if len(self._seen) >= MAX_MEMBERS:
            raise refuse("bundle-members", f"holds more than {MAX_MEMBERS} files")
        if name in self._seen:
            raise refuse("bundle-twice", f"holds {shown(name)} twice")
        self._seen.add(name)
        root = ROOT.fullmatch(name)
        if root is not None:
            self._next_root(int(root[1]))
            self._count(member)
            return None
        role = next((role for role, pattern in ROLES if pattern.fullmatch(name)), None)
        if role is None:
            raise _stranger(name)
        expected = ROLES[self._place][0]
        if role != expected or not self._roots:
            raise refuse("bundle-order", f"holds {shown(name)} where its {expected} should be")
        self._place += 1
        if role == "payload":
            return _payload_of(member)
        self._count(member)
        return None

    def incomplete(self) -> TrustRefused:
        return refuse("bundle-incomplete", f"ends without its {ROLES[self._place][0]}")

    def _next_root(self, number: int) -> None:
        if self._place:
            raise refuse("bundle-order", f"holds root {number} behind its other metadata")
        if number != self._roots + 1:
            raise refuse("bundle-roots", f"lacks root {self._roots + 1}: it has to carry every one")
        self._roots = number

    def _count(self, member: Member) -> None:
        self._bytes += member.size
        if self._bytes > METADATA_BUDGET:
            raise refuse("bundle-metadata", f"holds more than {METADATA_BUDGET >> 20} MiB of metadata")


def _payload_of(member: Member) -> Payload:
    match = PAYLOAD.fullmatch(member.name)
    if match is None or not 0 < member.size <= MAX_PAYLOAD:
        raise refuse(
            "bundle-payload", f"says that its program has the impossible size of {member.size} bytes"
        )
    try:
        return Payload(Version.parse(match[3]), match[2], match[1], member.size)
    except WaiaasError as problem:
        raise _stranger(member.name) from problem


def _payload(reader: Reader, member: Member) -> Iterator[bytes]:
    yield from reader.content(member)
    following = reader.member()
    if following is not None:
        raise refuse("bundle-order", f"holds {shown(following.name)} behind its program")


def _stranger(name: str) -> TrustRefused:
    if name.startswith("/") or "\\" in name or ".." in name.split("/"):
        return refuse("bundle-path", f"holds {shown(name)}, a name that leads out of it")
    return refuse("bundle-stranger", f"holds {shown(name)}, which belongs into no bundle")
