"""Matrix H: every hostile bundle is refused with its own words, early, and with nothing changed (BNDL-1).

Early is counted in bytes that were read and made, never in seconds; the time is printed (`-s`).
"""

import gzip
import os
import tarfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.simulator import Simulator, new_keys, release
from tests.upgrade.carriage import PAYLOAD, by_hand, open_bundle
from tests.upgrade.sticks import Stick, payload_flipped
from waiaas.core.bundle import METADATA_BUDGET
from waiaas.core.errors import Exit, TrustRefused
from waiaas.core.ustar import BLOCK, SLACK, Member, header
from waiaas.upgrade import carried


def kind(type_: bytes, link: str = "") -> Callable[[tarfile.TarInfo], None]:
    def change(info: tarfile.TarInfo) -> None:
        info.type, info.linkname = type_, link

    return change


def named(name: str) -> Callable[[tarfile.TarInfo], None]:
    def change(info: tarfile.TarInfo) -> None:
        info.name = name

    return change


def pax(info: tarfile.TarInfo) -> None:
    info.pax_headers = {"comment": "x"}


def cve_2024_6232(_: Stick) -> bytes:
    """A PAX header that made the standard library's reader backtrack for minutes."""
    body = b"0" * 200_000 + b" "
    block = bytearray(header(Member("PaxHeader", len(body))))
    block[156:157] = b"x"
    block[148:156] = b"%06o\0 " % (sum(block[:148]) + sum(b" " * 8) + sum(block[156:]))
    return gzip.compress(bytes(block) + body)


def bomb(stick: Stick) -> bytes:
    """1000:1 inside the first member, whose header tells the truth about it."""
    size = 64 << 20
    packer = zlib.compressobj(9, wbits=31)
    return (
        packer.compress(header(Member(stick.parts[0][0], size)))
        + packer.compress(bytes(size))
        + packer.flush()
    )


def zeros(_: Stick) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return packer.compress(bytes(64 << 20)) + packer.flush()


def many(stick: Stick) -> bytes:
    roots = [(f"metadata/{number}.root.json", b"{}") for number in range(1, 10_001)]
    return stick.pack([*roots, *stick.parts[1:]])


def cut(where: float) -> Callable[[Stick], bytes]:
    return lambda stick: stick.good[: int(len(stick.good) * where)]


def sized(size: bytes) -> Callable[[Stick], bytes]:
    """Another number where the first member's size should be."""

    def build(stick: Stick) -> bytes:
        archive = stick.plain()
        archive[124:136] = size
        block = archive[:BLOCK]
        archive[148:156] = b"%06o\0 " % (sum(block[:148]) + sum(b" " * 8) + sum(block[156:]))
        return gzip.compress(archive)

    return build


def edited(stick: Stick) -> bytes:
    """A date that reads well, and that nobody has signed."""
    name, data = stick.parts[stick.index("timestamp")]
    return stick.changed(name, data.replace(b'"version":', b'"version":1', 1))


def torn(stick: Stick) -> bytes:
    """The gzip's own checksum finds a flipped bit before anything else can."""
    data = bytearray(stick.good)
    data[len(data) // 2] ^= 1
    return bytes(data)


def swapped(stick: Stick) -> bytes:
    parts = list(stick.parts)
    parts[1], parts[2] = parts[2], parts[1]
    return stick.pack(parts)


def other_repository(stick: Stick) -> bytes:
    other = Simulator(stick.feed.clock)
    new = other.publish(release("1.9.0"), PAYLOAD)
    return by_hand(other, new, stick.path).read_bytes()


def mixed(stick: Stick) -> bytes:
    """A fresh timestamp put before metadata of another day."""
    stick.feed.publish(release("1.9.1"), b"later")
    return stick.changed("timestamp", stick.feed.served["metadata/timestamp.json"])


def by_one_key(stick: Stick) -> bytes:
    stick.feed.sign_with("targets", stick.feed.signers["targets"][:1])
    return by_hand(stick.feed, stick.new, stick.path).read_bytes()


def by_a_thief(stick: Stick) -> bytes:
    stick.feed.sign_with("targets", new_keys(3))
    return by_hand(stick.feed, stick.new, stick.path).read_bytes()


def not_signed(stick: Stick) -> bytes:
    return stick.renamed("targets/", f"targets/{'a' * 64}.waiaas-9.9.9.pyz")


def other_program(stick: Stick) -> bytes:
    return stick.renamed("targets/", f"targets/{'a' * 64}.waiaas-1.9.0.pyz")


GNU = tarfile.GNU_FORMAT
HOSTILE: dict[str, tuple[Callable[[Stick], bytes], str]] = {
    "empty": (lambda _: b"", "bundle-truncated"),
    "web page": (lambda _: b"<!DOCTYPE html><html>please log in</html>", "bundle-not-gzip"),
    "zip": (lambda _: b"PK\5\6" + bytes(18), "bundle-not-gzip"),
    "gzip of nothing": (lambda _: gzip.compress(b""), "bundle-truncated"),
    "gzip of a page": (lambda _: gzip.compress(b"<html>" * 200), "bundle-not-tar"),
    "cut in the header": (cut(0.00003), "bundle-truncated"),
    "cut in the metadata": (cut(0.01), "bundle-truncated"),
    "cut in the payload": (cut(0.6), "bundle-truncated"),
    "cut at the end": (lambda s: s.good[:-1], "bundle-truncated"),
    "flipped bit": (torn, "bundle-damaged"),
    "edited metadata": (edited, "feed-other-keys"),
    "edited targets": (lambda s: s.changed("targets.json", b"{}"), "feed-broken"),
    "page as metadata": (lambda s: s.changed("timestamp", b"<html>please log in</html>"), "bundle-page"),
    "deep JSON": (lambda s: s.changed("timestamp", b"[" * 16_000), "feed-broken"),
    "metadata over its bound": (lambda s: s.changed("timestamp", b" " * 600_000), "feed-broken"),
    "traversal": (lambda s: s.renamed("timestamp", "../../bin/waiaas"), "bundle-path"),
    "absolute": (lambda s: s.renamed("timestamp", "/etc/cron.d/x"), "bundle-path"),
    "backslash": (lambda s: s.renamed("timestamp", "..\\..\\x"), "bundle-path"),
    "trailing slash": (lambda s: s.renamed("timestamp", "metadata/timestamp.json/"), "bundle-stranger"),
    "NUL in the name": (lambda s: s.first(named("metadata/1.root.json\0/../x")), "bundle-name"),
    "unicode": (lambda s: s.first(named("metadata/１.root.json")), "bundle-name"),
    "symbolic link": (lambda s: s.first(kind(tarfile.SYMTYPE, "/etc/passwd")), "bundle-kind"),
    "hard link": (lambda s: s.first(kind(tarfile.LNKTYPE, "targets/x")), "bundle-kind"),
    "character device": (lambda s: s.first(kind(tarfile.CHRTYPE)), "bundle-kind"),
    "block device": (lambda s: s.first(kind(tarfile.BLKTYPE)), "bundle-kind"),
    "FIFO": (lambda s: s.first(kind(tarfile.FIFOTYPE)), "bundle-kind"),
    "folder": (lambda s: s.first(kind(tarfile.DIRTYPE)), "bundle-kind"),
    "sparse": (lambda s: s.first(kind(tarfile.GNUTYPE_SPARSE)), "bundle-kind"),
    "PAX": (lambda s: s.first(pax, tarfile.PAX_FORMAT), "bundle-kind"),
    "CVE-2024-6232": (cve_2024_6232, "bundle-kind"),
    "GNU": (lambda s: s.first(named("x" * 200), GNU), "bundle-gnu"),
    "twice": (lambda s: s.pack([s.parts[0], *s.parts]), "bundle-twice"),
    "two payloads": (lambda s: s.pack([*s.parts, s.parts[-1]]), "bundle-order"),
    "wrong order": (swapped, "bundle-order"),
    "root missing": (lambda s: s.renamed("1.root", "metadata/2.root.json"), "bundle-roots"),
    "no payload": (lambda s: s.pack(s.parts[:-1]), "bundle-incomplete"),
    "ten thousand members": (many, "bundle-members"),
    "8 GiB": (sized(b"77777777777\0"), "bundle-metadata"),
    "negative size": (sized(b"\xff" * 12), "bundle-size"),
    "base-256 size": (sized(b"\x80" + bytes(10) + b"\x01"), "bundle-size"),
    "size with a sign": (sized(b"-0000000001\0"), "bundle-size"),
    "checksum": (lambda s: gzip.compress(b"x" + bytes(s.plain()[1:])), "bundle-checksum"),
    "bomb": (bomb, "bundle-metadata"),
    "zeros": (zeros, "bundle-trailing"),
    "second gzip": (lambda s: s.good + gzip.compress(b"x"), "bundle-second"),
    "trailing garbage": (lambda s: s.good + b"garbage", "bundle-second"),
    "trailing zeros inside": (lambda s: gzip.compress(bytes(s.plain()) + bytes(10_240)), "bundle-trailing"),
    "payload flipped": (payload_flipped, "wrong-bytes"),
    "payload short": (lambda s: s.changed("targets/", PAYLOAD[:-1]), "bundle-other"),
    "payload long": (lambda s: s.changed("targets/", PAYLOAD + b"!"), "bundle-other"),
    "program not signed": (not_signed, "bundle-unsigned"),
    "other program": (other_program, "bundle-other"),
    "other repository": (other_repository, "feed-other-keys"),
    "one key of two": (by_one_key, "feed-other-keys"),
    "a thief's keys": (by_a_thief, "feed-other-keys"),
    "mixed feeds": (mixed, "bundle-mixed"),
}


def budget(code: str, size: int) -> int:
    """Bytes that may be read: nothing behind what gives it away."""
    return 2 * size if code in ("wrong-bytes", "bundle-second", "bundle-trailing") else METADATA_BUDGET


@pytest.mark.parametrize("attack", HOSTILE)
def test_a_hostile_bundle_is_refused_early_in_its_own_words__BNDL_1(
    stick: Stick, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attack: str
) -> None:
    build, code = HOSTILE[attack]
    stick.path.write_bytes(build(stick))
    before = sorted(p.name for p in tmp_path.iterdir())
    read = [0]
    pread = os.pread
    monkeypatch.setattr(carried.os, "pread", lambda fd, n, at: _counted(read, pread(fd, n, at)))
    start = time.perf_counter()
    with pytest.raises(TrustRefused) as caught:
        feed = open_bundle(stick.feed, stick.path, tmp_path / "site")
        feed.refresh()
        feed.check_payload(stick.new)
    spent = time.perf_counter() - start
    print(f"{attack}: {caught.value.code}, {read[0]} bytes read, {spent * 1000:.1f} ms")
    assert caught.value.code == code
    assert caught.value.exit_code is Exit.TRUST
    assert "nothing was changed" in caught.value.hint
    assert caught.value.message.isprintable()
    assert read[0] <= budget(code, stick.path.stat().st_size) + SLACK
    assert sorted(p.name for p in tmp_path.iterdir() if p.name != "site") == before


def _counted(read: list[int], data: bytes) -> bytes:
    read[0] += len(data)
    return data


def test_each_attack_is_told_apart() -> None:
    """As many codes as there are kinds of attacks: no bucket for everything."""
    assert len({code for _, code in HOSTILE.values()}) >= 25


def test_nothing_unverified_is_staged__BNDL_1(stick: Stick, tmp_path: Path) -> None:
    stick.path.write_bytes(payload_flipped(stick))
    feed = open_bundle(stick.feed, stick.path, tmp_path / "site")
    feed.refresh()
    with pytest.raises(TrustRefused):
        feed.download(stick.new, tmp_path / "staged", 5.0, lambda _done, _total: None)
    assert not (tmp_path / "staged").exists()
