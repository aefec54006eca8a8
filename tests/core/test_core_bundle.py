"""What lies in a bundle and in which order; each other arrangement is refused with its own words (BNDL-1)."""

import gzip
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waiaas.core.bundle import MAX_MEMBERS, MAX_PAYLOAD, METADATA_BUDGET, Contents, Payload, read, write
from waiaas.core.errors import TrustRefused
from waiaas.core.ustar import Member, header, pack
from waiaas.core.version import Version

PROGRAM = f"targets/{'a' * 64}.waiaas-1.9.0.pyz"
GOOD = [
    "metadata/1.root.json", "metadata/2.root.json", "metadata/timestamp.json", "metadata/7.snapshot.json",
    "metadata/3.targets.json", PROGRAM,
]  # fmt: skip


def packed(names: list[str]) -> bytes:
    return b"".join(pack((Member(name, 2), [b"{}"]) for name in names))


def refused(data: bytes) -> TrustRefused:
    with pytest.raises(TrustRefused) as caught:
        list(read([data])[1])
    assert caught.value.message.isprintable()
    return caught.value


@given(st.lists(st.binary(max_size=600), min_size=4, max_size=9), st.binary(min_size=1, max_size=3000))
def test_what_is_written_is_read__BNDL_1(parts: list[bytes], content: bytes) -> None:
    names = [f"metadata/{number}.root.json" for number in range(1, len(parts) - 2)] + GOOD[2:5]
    payload = Payload(Version.parse("1.9.0"), "waiaas-1.9.0.pyz", "a" * 64, len(content))
    contents = Contents(dict(zip(names, parts, strict=True)), payload)
    data = b"".join(write(contents, [content]))
    found, rest = read([data])
    assert found == contents
    assert found.roots == len(parts) - 3
    assert found.role("root") == parts[-4]
    assert found.role("targets") == parts[-1]
    assert b"".join(rest) == content


def test_a_good_one_is_good() -> None:
    contents, payload = read([packed(GOOD)])
    assert contents.payload == Payload(Version.parse("1.9.0"), "waiaas-1.9.0.pyz", "a" * 64, 2)
    assert b"".join(payload) == b"{}"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("../waiaas", "bundle-path"),
        ("/etc/passwd", "bundle-path"),
        ("metadata/../../x", "bundle-path"),
        ("metadata\\..\\x", "bundle-path"),
        ("metadata/timestamp.json/", "bundle-stranger"),
        ("metadata/01.root.json", "bundle-stranger"),
        ("metadata/0.root.json", "bundle-stranger"),
        ("metadata/root.json", "bundle-stranger"),
        ("metadata/beta.json", "bundle-stranger"),
        ("./metadata/timestamp.json", "bundle-stranger"),
        ("Metadata/timestamp.json", "bundle-stranger"),
        ("metadata/timestamp.json\n", "bundle-stranger"),
        ("targets/waiaas-1.9.0.pyz", "bundle-stranger"),
        (f"targets/{'A' * 64}.waiaas-1.9.0.pyz", "bundle-stranger"),
        (f"targets/{'a' * 64}.waiaas-01.9.0.pyz", "bundle-stranger"),
        (f"targets/{'a' * 64}.other-1.9.0.pyz", "bundle-stranger"),
    ],
)
def test_other_names_are_refused__BNDL_1(name: str, code: str) -> None:
    for place in (0, 3, 5):
        names = [*GOOD[:place], name, *GOOD[place:]]
        assert refused(packed(names)).code in (code, "bundle-order")
    assert refused(packed([*GOOD[:5], name])).code == code


@pytest.mark.parametrize("missing", range(len(GOOD)))
def test_a_missing_part_is_named__BNDL_1(missing: int) -> None:
    names = GOOD[:missing] + GOOD[missing + 1 :]
    codes = ["bundle-roots", None, "bundle-order", "bundle-order", "bundle-order", "bundle-incomplete"]
    if codes[missing]:
        assert refused(packed(names)).code == codes[missing]
    else:
        assert read([packed(names)])  # root 2 is the last: nobody can tell that it was there


def test_a_gap_between_roots_is_refused__BNDL_3() -> None:
    problem = refused(packed(["metadata/1.root.json", "metadata/3.root.json", *GOOD[2:]]))
    assert problem.code == "bundle-roots"
    assert "lacks root 2" in problem.message


@given(st.permutations(GOOD))
def test_another_order_is_refused__BNDL_1(names: list[str]) -> None:
    if names != GOOD:
        assert refused(packed(names)).code in ("bundle-order", "bundle-roots")


@pytest.mark.parametrize("twice", GOOD)
def test_a_name_that_comes_twice_is_refused__BNDL_1(twice: str) -> None:
    place = GOOD.index(twice) + 1
    problem = refused(packed([*GOOD[:place], twice, *GOOD[place:]]))
    assert problem.code == ("bundle-order" if twice == PROGRAM else "bundle-twice")


def test_an_archive_of_nothing_is_refused() -> None:
    assert refused(packed([])).code == "bundle-incomplete"


def lying(name: str, size: int, before: list[str]) -> bytes:
    """A header that promises `size`, and nothing behind it."""
    parts = b"".join(header(Member(n, 2)) + b"{}".ljust(512, b"\0") for n in before)
    return gzip.compress(parts + header(Member(name, size)))


@pytest.mark.parametrize(
    ("name", "size", "before", "code"),
    [
        ("metadata/1.root.json", METADATA_BUDGET + 1, [], "bundle-metadata"),
        ("metadata/3.targets.json", METADATA_BUDGET - 7, GOOD[:4], "bundle-metadata"),
        ("metadata/timestamp.json", 8**11 - 1, GOOD[:2], "bundle-metadata"),
        (PROGRAM, MAX_PAYLOAD + 1, GOOD[:5], "bundle-payload"),
        (PROGRAM, 8**11 - 1, GOOD[:5], "bundle-payload"),
        (PROGRAM, 0, GOOD[:5], "bundle-payload"),
    ],
)
def test_a_size_is_refused_before_it_is_read__BNDL_1(
    name: str, size: int, before: list[str], code: str
) -> None:
    """8 GiB included: the next byte would be missing, and nobody asks for it."""
    assert refused(lying(name, size, before)).code == code


def test_ten_thousand_members_are_refused_at_the_bound__BNDL_1() -> None:
    names = [f"metadata/{number}.root.json" for number in range(1, 10_001)]
    problem = refused(packed(names))
    assert problem.code == "bundle-members"
    assert str(MAX_MEMBERS) in problem.message


def test_what_would_be_refused_is_not_written__BNDL_1() -> None:
    payload = Payload(Version.parse("1.9.0"), "waiaas-1.9.0.pyz", "a" * 64, 1)
    roots: dict[str, Any] = {f"metadata/{number}.root.json": b"{}" for number in range(1, 300)}
    with pytest.raises(TrustRefused):
        write(Contents({**roots, **dict.fromkeys(GOOD[2:5], b"{}")}, payload), [b"x"])
