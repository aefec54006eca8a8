"""A USTAR archive in gzip, read strictly and written to the same rules (BNDL-1).

For bytes that nobody has verified yet, so it knows one form only: plain files, whose header says
nothing but name and size and is byte for byte what `header` would write. Every other form (links,
devices, PAX and GNU extensions, numbers in base 256, a second gzip member, anything behind the end)
is refused with a sentence of its own. What is read is bounded before it is read, and no more is ever
held than one chunk.

Pure: it takes an iterator of bytes and gives one. All refusals are TrustRefused.
"""

import zlib
from collections.abc import Iterable, Iterator

from waiaas.core.errors import TrustRefused
from waiaas.core.value import frozen

BLOCK = 512  # bytes; headers and padding
CHUNK = 1 << 16  # bytes handed on at once
SLACK = 1 << 18  # compressed bytes that may come before the content they should hold
MAX_NAME = 100  # bytes
MAX_SIZE = 8**11 - 1  # bytes; what eleven octal digits can say
END = bytes(2 * BLOCK)
MAGIC, GNU_MAGIC = b"ustar\x0000", b"ustar  \x00"
DATE = 315_532_800  # Unix seconds: 1980-01-01, the same in every bundle
GZIP_HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
STORED = 65_535  # bytes of a deflate block that is not compressed
KINDS = {
    b"\0": "an entry of the old tar format",
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a character device",
    b"4": "a block device",
    b"5": "a directory",
    b"6": "a FIFO",
    b"7": "a contiguous file",
    b"x": "a PAX header",
    b"g": "a PAX header for the whole archive",
    b"L": "a GNU long name",
    b"K": "a GNU long link",
    b"S": "a GNU sparse file",
}


@frozen
class Member:
    """One plain file: its name in ASCII, its size in bytes."""

    name: str
    size: int


def refuse(code: str, message: str) -> TrustRefused:
    """The refusal of a bundle, before anything of it was believed."""
    return TrustRefused(
        code, f"this bundle {message}", "nothing was changed; carry the bundle again, or make a new one"
    )


class Reader:
    """`member`, then all of `content`, and so on until `member` says None: nothing follows then."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._gzip = _Gzip(iter(chunks))

    def member(self) -> Member | None:
        block = self._exactly(BLOCK)
        if block != bytes(BLOCK):
            return parse(block)
        if any(self._exactly(BLOCK)):
            raise refuse("bundle-end", "has no proper end: one empty block, and then more")
        self._gzip.finish()
        return None

    def content(self, member: Member) -> Iterator[bytes]:
        """The bytes of the member that `member` returned last."""
        left = member.size
        while left:
            chunk = self._some(left)
            left -= len(chunk)
            yield chunk
        if any(self._exactly(-member.size % BLOCK)):
            raise refuse("bundle-padding", f"hides bytes behind the end of {shown(member.name)}")

    def _exactly(self, count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            data += self._some(count - len(data))
        return bytes(data)

    def _some(self, count: int) -> bytes:
        data = self._gzip.read(min(count, CHUNK))
        if not data:
            raise refuse("bundle-truncated", "ends before its content does: part of it is missing")
        return data


def parse(block: bytes) -> Member:
    """The one header block of a plain file; raises TrustRefused for every other."""
    if block[257:265] == GNU_MAGIC:
        raise refuse("bundle-gnu", "has a header in GNU's format, where plain USTAR is expected")
    if block[257:265] != MAGIC:
        raise refuse("bundle-not-tar", "holds something that is no USTAR archive")
    if block[148:156] != _checksum(block):
        raise refuse("bundle-checksum", "has a header with a wrong checksum: it is damaged")
    name, kind = _name(block[:MAX_NAME]), block[156:157]
    if kind != b"0":
        what = KINDS.get(kind, f"an entry of unknown type {kind!r}")
        raise refuse("bundle-kind", f"holds {what}; only plain files belong into it")
    if any(block[157:257]):
        raise refuse("bundle-link", f"gives {shown(name)} a link, which a plain file has not")
    if any(block[345:500]):
        raise refuse("bundle-prefix", f"puts a name before that of {shown(name)}")
    member = Member(name, _size(block[124:136], name))
    if block != header(member):
        raise refuse("bundle-header", f"says more about {shown(name)} than its name and size")
    return member


def header(member: Member) -> bytes:
    """The one form a header has."""
    block = bytearray(BLOCK)
    name = member.name.encode("ascii")
    if not 0 < len(name) <= MAX_NAME or not 0 <= member.size <= MAX_SIZE:
        raise ValueError(f"{member} does not fit into a USTAR header")
    block[0 : len(name)] = name
    block[100:124] = b"0000644\0" + b"0000000\0" * 2
    block[124:136] = b"%011o\0" % member.size
    block[136:148] = b"%011o\0" % DATE
    block[156:157] = b"0"
    block[257:265] = MAGIC
    block[329:345] = b"0000000\0" * 2
    block[148:156] = _checksum(block)
    return bytes(block)


def pack(members: Iterable[tuple[Member, Iterable[bytes]]]) -> Iterator[bytes]:
    """The archive, in chunks. The same members give the same bytes on every machine, so nothing is
    compressed. Raises ValueError where a content has not the size that its member says."""
    yield from _stored(_archive(members))


def shown(name: str) -> str:
    """A name as it may be printed."""
    return ascii(name[:120])


class _Gzip:
    """Exactly one gzip member. A bomb never unfolds: each read says how much it may give."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._inflate = zlib.decompressobj(wbits=31)
        self._rest = b""
        self._taken = self._given = 0

    def read(self, count: int) -> bytes:
        """1 to `count` bytes; none at the end."""
        while not self._inflate.eof:
            try:
                data = self._inflate.decompress(self._rest, count)
            except zlib.error as problem:
                raise self._damaged(problem) from problem
            self._rest = self._inflate.unconsumed_tail
            if data:
                self._given += len(data)
                return data
            if not self._inflate.eof:
                self._rest = self._more()
        return b""

    def finish(self) -> None:
        """Nothing may follow."""
        if self.read(1):
            raise refuse("bundle-trailing", "goes on behind the end of its archive")
        if self._inflate.unused_data or any(self._chunks):
            raise refuse("bundle-second", "has something appended to it behind its end")

    def _more(self) -> bytes:
        if self._taken > 2 * self._given + SLACK:
            raise refuse("bundle-hollow", "is compressed around next to nothing")
        chunk = next(self._chunks, b"")
        self._taken += len(chunk)
        if not chunk:
            known = "is cut off: part of it is missing" if self._taken else "is an empty file"
            raise refuse("bundle-truncated", known)
        return chunk

    def _damaged(self, problem: zlib.error) -> TrustRefused:
        if not self._given and "header" in str(problem):
            return refuse("bundle-not-gzip", "is no bundle: it is not even compressed with gzip")
        return refuse("bundle-damaged", "is damaged: its compressed data make no sense")


def _checksum(block: bytes | bytearray) -> bytes:
    return b"%06o\0 " % (sum(block[:148]) + sum(b" " * 8) + sum(block[156:]))


def _name(field: bytes) -> str:
    name, _, behind = field.partition(b"\0")
    if any(behind):
        raise refuse("bundle-name", "hides bytes behind the end of a name")
    try:
        return name.decode("ascii")
    except UnicodeDecodeError as problem:
        raise refuse("bundle-name", "has a name that is not ASCII") from problem


def _size(field: bytes, name: str) -> int:
    if field[0] & 0x80:
        sign = "a negative size" if field[0] & 0x40 else "a size in base 256"
        raise refuse("bundle-size", f"gives {shown(name)} {sign}, where octal digits are expected")
    digits, end = field[:11], field[11:]
    if end != b"\0" or any(digit not in b"01234567" for digit in digits):
        raise refuse("bundle-size", f"gives {shown(name)} a size that is no number")
    return int(digits, 8)


def _archive(members: Iterable[tuple[Member, Iterable[bytes]]]) -> Iterator[bytes]:
    for member, content in members:
        yield header(member)
        written = 0
        for chunk in content:
            written += len(chunk)
            yield chunk
        if written != member.size:
            raise ValueError(f"{member.name} has {written} bytes, not {member.size}")
        yield bytes(-member.size % BLOCK)
    yield END


def _stored(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """gzip without compression: the artefact is compressed already, and every zlib packs otherwise."""
    yield GZIP_HEADER
    checksum = length = 0
    buffer = bytearray()
    for chunk in chunks:
        checksum = zlib.crc32(chunk, checksum)
        length += len(chunk)
        buffer += chunk
        while len(buffer) > STORED:
            yield _block(bytes(buffer[:STORED]), last=False)
            del buffer[:STORED]
    yield _block(bytes(buffer), last=True)
    yield checksum.to_bytes(4, "little") + (length % 2**32).to_bytes(4, "little")


def _block(data: bytes, *, last: bool) -> bytes:
    size = len(data)
    return bytes([last]) + size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little") + data
