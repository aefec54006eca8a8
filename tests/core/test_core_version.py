"""Versions: what is one, and which is newer."""

import contextlib

import pytest
import semver
from hypothesis import given
from hypothesis import strategies as st

from waiaas.core.errors import UsageError
from waiaas.core.version import Version

PARTS = st.integers(0, 999_999_999)
VERSIONS = st.builds(Version, PARTS, PARTS, PARTS, st.none() | PARTS)
CLOSE = st.builds(
    Version, st.integers(0, 1), st.integers(0, 1), st.integers(0, 1), st.none() | st.integers(0, 11)
)


@given(VERSIONS)
def test_what_is_printed_is_parsed(version: Version) -> None:
    assert Version.parse(str(version)) == version


@given(CLOSE, CLOSE)
def test_order_is_that_of_semver(one: Version, other: Version) -> None:
    expected = semver.Version.parse(str(one)).compare(str(other))
    assert (one > other) - (one < other) == expected
    assert (one == other) == (expected == 0)
    assert one != other or hash(one) == hash(other)


def test_a_release_comes_after_its_candidates_in_number_order__RLSE_06() -> None:
    names = ["1.8.9", "1.9.0-rc.2", "1.9.0-rc.10", "1.9.0", "1.10.0"]
    assert [str(version) for version in sorted(map(Version.parse, reversed(names)))] == names


NO_VERSIONS = [
    *("1", "1.2", "1.2.3.4", "v1.2.3", "01.2.3", "1.2.x", "1٠.2.3", "-1.2.3", "1.2.3rc1", "1.2.3-rc"),
    *("1.2.3-rc.01", "1.2.3-beta.1", "1.2.3+build", "1.2.3-rc.1+build", "", "1.2.3 ", " 1.2.3", "1.2.3\n"),
    "1" * 5000 + ".0.0",
]


@pytest.mark.parametrize("text", NO_VERSIONS, ids=lambda text: repr(text[:20]))
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        Version.parse(text)
    assert refused.value.code == "bad-version"
    assert len(refused.value.message) < 120


@given(st.text())
def test_no_text_makes_it_raise_anything_else(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert str(Version.parse(text)) == text


def test_the_other_spellings() -> None:
    candidate, final = Version.parse("1.9.0-rc.1"), Version.parse("1.9.0")
    assert (candidate.pep440, candidate.channel, candidate.is_rc) == ("1.9.0rc1", "rc", True)
    assert (final.pep440, final.channel, final.is_rc) == ("1.9.0", "stable", False)


def test_a_version_is_not_ordered_among_other_things() -> None:
    with pytest.raises(TypeError):
        _ = Version.parse("1.9.0") < "1.9.0"  # type: ignore[operator]
