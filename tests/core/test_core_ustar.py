"""The strict USTAR reader: what the writer makes comes back, and nothing else gets in (BNDL-1)."""

import gzip
import io
import tarfile
import zlib
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waiaas.core.errors import Exit, TrustRefused
from waiaas.core.ustar import BLOCK, CHUNK, SLACK, Member, Reader, header, pack, parse

NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789./-", min_size=1, max_size=100)
FILES = st.lists(st.tuples(NAMES, st.binary(max_size=2000)), max_size=6)


def packed(*files: tuple[str, bytes]) -> bytes:
    return b"".join(pack((Member(name, len(data)), [data]) for name, data in files))


def plain(*files: tuple[str, bytes]) -> bytes:
    """The archive without its gzip."""
    return gzip.decompress(packed(*files))


def unpacked(data: bytes, step: int = CHUNK) -> list[tuple[str, bytes]]:
    reader = Reader(data[start : start + step] for start in range(0, len(data), step))
    found = []
    while (member := reader.member()) is not None:
        found.append((member.name, b"".join(reader.content(member))))
    return found


def refused(data: bytes) -> TrustRefused:
    with pytest.raises(TrustRefused) as caught:
        unpacked(data)
    assert caught.value.exit_code is Exit.TRUST
    assert caught.value.hint
    assert caught.value.message.isprintable()
    return caught.value


def edited(change: Callable[[bytearray], None], *, seal: bool = True) -> bytes:
    """One file whose header `change` has been at; `seal`: with the right checksum."""
    block = bytearray(header(Member("a", 3)))
    change(block)
    if seal:
        block[148:156] = b"%06o\0 " % (sum(block[:148]) + sum(b" " * 8) + sum(block[156:]))
    return gzip.compress(bytes(block) + b"abc".ljust(BLOCK, b"\0") + bytes(2 * BLOCK))


# --- what is written is read


@given(FILES, st.integers(1, 3000))
def test_what_is_written_is_read__BNDL_1(files: list[tuple[str, bytes]], step: int) -> None:
    data = packed(*files)
    assert unpacked(data, step) == files
    assert packed(*files) == data


@given(NAMES, st.integers(0, 8**11 - 1))
def test_a_header_says_name_and_size_and_nothing_else(name: str, size: int) -> None:
    assert parse(header(Member(name, size))) == Member(name, size)


def test_others_can_read_what_is_written__BNDL_1() -> None:
    files = [("metadata/1.root.json", b"{}"), ("targets/a", bytes(range(256)) * 700)]
    with tarfile.open(fileobj=io.BytesIO(packed(*files)), mode="r:gz") as tar:
        found = [(m.name, tar.extractfile(m).read(), m.mode, m.uid, m.isreg()) for m in tar]  # type: ignore[union-attr]
    assert found == [(name, data, 0o644, 0, True) for name, data in files]


def test_the_bytes_do_not_depend_on_how_the_content_comes() -> None:
    content = bytes(range(256)) * 1000
    pieces = [content[start : start + 7] for start in range(0, len(content), 7)]
    assert b"".join(pack([(Member("a", len(content)), pieces)])) == packed(("a", content))


@pytest.mark.parametrize("member", [Member("a" * 101, 0), Member("", 0), Member("a", 8**11), Member("a", -1)])
def test_what_has_no_header_is_not_written(member: Member) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        header(member)


def test_a_content_of_another_size_is_not_written() -> None:
    with pytest.raises(ValueError, match="has 2 bytes, not 3"):
        list(pack([(Member("a", 3), [b"ab"])]))


# --- hostile shapes


TARFILE_KINDS = {
    "a symbolic link": tarfile.SYMTYPE,
    "a hard link": tarfile.LNKTYPE,
    "a character device": tarfile.CHRTYPE,
    "a block device": tarfile.BLKTYPE,
    "a directory": tarfile.DIRTYPE,
    "a FIFO": tarfile.FIFOTYPE,
    "a contiguous file": tarfile.CONTTYPE,
    "a PAX header": b"x",
    "a PAX header for the whole archive": b"g",
    "a GNU long name": b"L",
    "a GNU long link": b"K",
    "a GNU sparse file": b"S",
    "an entry of the old tar format": b"\0",
    "an entry of unknown type": b"Z",
}


@pytest.mark.parametrize("said", TARFILE_KINDS)
def test_everything_but_plain_files_is_refused__BNDL_1(said: str) -> None:
    def change(block: bytearray) -> None:
        block[156:157] = TARFILE_KINDS[said]

    problem = refused(edited(change))
    assert problem.code == "bundle-kind"
    assert said in problem.message


def at(offset: int, data: bytes) -> Callable[[bytearray], None]:
    def change(block: bytearray) -> None:
        block[offset : offset + len(data)] = data

    return change


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (at(0, b"a\0hidden"), "bundle-name", "hides bytes"),
        (at(0, "ä".encode()), "bundle-name", "not ASCII"),
        (at(124, b"\x80" + bytes(10) + b"\x03"), "bundle-size", "base 256"),
        (at(124, b"\xff" * 12), "bundle-size", "negative"),
        (at(124, b"-0000000003\0"), "bundle-size", "no number"),
        (at(124, b"          3\0"), "bundle-size", "no number"),
        (at(124, b"00000000003 "), "bundle-size", "no number"),
        (at(124, bytes(12)), "bundle-size", "no number"),
        (at(157, b"/etc/passwd"), "bundle-link", "a link"),
        (at(345, b"../.."), "bundle-prefix", "before that of"),
        (at(265, b"root"), "bundle-header", "says more about"),
        (at(100, b"0004755"), "bundle-header", "says more about"),
        (at(136, b"00000000001"), "bundle-header", "says more about"),
        (at(500, b"!"), "bundle-header", "says more about"),
        (at(257, b"ustar  \0"), "bundle-gnu", "GNU"),
        (at(257, bytes(8)), "bundle-not-tar", "no USTAR"),
        (at(257, b"ustar\x0001"), "bundle-not-tar", "no USTAR"),
    ],
)
def test_headers_that_say_anything_else_are_refused__BNDL_1(
    change: Callable[[bytearray], None], code: str, said: str
) -> None:
    problem = refused(edited(change))
    assert problem.code == code
    assert said in problem.message


def test_a_wrong_checksum_is_refused__BNDL_1() -> None:
    assert refused(edited(at(0, b"b"), seal=False)).code == "bundle-checksum"


@pytest.mark.parametrize("kind", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_archives_in_other_formats_are_refused__BNDL_1(kind: int) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", format=kind) as tar:
        info = tarfile.TarInfo("x" * 150)
        info.size = 3
        tar.addfile(info, io.BytesIO(b"abc"))
    assert refused(stream.getvalue()).code in ("bundle-kind", "bundle-gnu")


def test_hidden_bytes_in_the_padding_are_refused() -> None:
    archive = bytearray(plain(("a", b"abc")))
    archive[BLOCK + 100] = 1
    assert refused(gzip.compress(archive)).code == "bundle-padding"


def test_what_follows_the_end_is_refused__BNDL_1() -> None:
    whole = packed(("a", b"abc"))
    assert refused(whole + b"x").code == "bundle-second"
    assert refused(whole + whole).code == "bundle-second"
    assert refused(whole + gzip.compress(b"")).code == "bundle-second"
    assert refused(gzip.compress(plain(("a", b"abc")) + b"x")).code == "bundle-trailing"
    assert refused(gzip.compress(plain(("a", b"abc")) + bytes(10240))).code == "bundle-trailing"
    assert refused(gzip.compress(plain(("a", b"abc"))[:-BLOCK] + b"x" * BLOCK)).code == "bundle-end"


@given(st.data())
def test_a_truncated_archive_is_refused__BNDL_1(data: st.DataObject) -> None:
    whole = packed(("a", b"abc" * 100), ("b", b""))
    cut = data.draw(st.integers(0, len(whole) - 1))
    assert refused(whole[:cut]).code == "bundle-truncated"


@given(st.integers(0, 4000), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_is_the_content_s_own__BNDL_1(place: int, change: int) -> None:
    """The gzip checksum finds what the form does not; only the header's free fields may differ."""
    whole = bytearray(packed(("a", b"abc" * 100)))
    place %= len(whole)
    whole[place] ^= change
    try:
        assert unpacked(bytes(whole)) == [("a", b"abc" * 100)]
        assert place in range(3, 10), place  # flags, date, system of the gzip header
    except TrustRefused as problem:
        assert problem.message.isprintable()


@given(st.binary(max_size=2000))
def test_any_bytes_are_refused_in_words__BNDL_1(data: bytes) -> None:
    refused(data)
    refused(gzip.compress(data))


def test_what_is_no_gzip_is_said_so() -> None:
    assert refused(b"<html>please log in</html>").code == "bundle-not-gzip"
    assert refused(b"PK\3\4" + bytes(100)).code == "bundle-not-gzip"
    assert "empty" in refused(b"").message


# --- bounds


class Counted:
    """Chunks, and how many bytes of them were asked for."""

    def __init__(self, data: bytes, endless: bytes = b"") -> None:
        self.data, self.endless, self.read = data, endless, 0

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self.data), CHUNK):
            chunk = self.data[start : start + CHUNK]
            self.read += len(chunk)
            yield chunk
        while self.endless:
            self.read += len(self.endless)
            yield self.endless


def test_a_bomb_does_not_unfold__BNDL_1() -> None:
    """1000:1, behind a header that promises it all: only what is asked for is ever made."""
    size = 64 << 20
    bomb = zlib.compressobj(9, wbits=31)
    data = bomb.compress(header(Member("a", size)) + bytes(size)) + bomb.flush()
    reader = Reader([data])
    member = reader.member()
    assert member is not None
    assert len(next(reader.content(member))) <= CHUNK


@pytest.mark.parametrize(
    "hollow",
    [
        zlib.compressobj(9, wbits=31).flush(zlib.Z_SYNC_FLUSH) + b"\0\0\0\xff\xff" * 20_000,
        b"\x1f\x8b\x08\x08\0\0\0\0\0\xff" + b"n" * CHUNK,
    ],
    ids=["empty blocks", "endless name"],
)
def test_compressed_nothing_is_not_read_for_ever__BNDL_1(hollow: bytes) -> None:
    endless = hollow[-50_000:] if hollow.endswith(b"\xff") else hollow[-CHUNK:]
    chunks = Counted(hollow, endless)
    with pytest.raises(TrustRefused) as caught:
        Reader(chunks).member()
    assert caught.value.code == "bundle-hollow"
    assert chunks.read <= 2 * SLACK
