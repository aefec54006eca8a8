"""The release on the wire: both ends agree, and nothing odd gets through (FEED-3)."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waiaas.core.errors import TrustRefused
from waiaas.core.release import (
    Release,
    Rollout,
    SchemaRange,
    Withdrawal,
    from_custom,
    target_name,
    to_custom,
)
from waiaas.core.version import Version

NUMBER = st.integers(0, 2**53 - 1)
SMALL = st.integers(0, 999)
VERSIONS = st.builds(Version, SMALL, SMALL, SMALL, st.none() | SMALL)
MAYBE = st.none() | VERSIONS
STEPS = st.lists(st.tuples(SMALL, st.integers(0, 100))).map(lambda steps: tuple(sorted(steps)))


@st.composite
def releases(draw: st.DrawFn) -> Release:
    version = draw(VERSIONS)
    low, high = sorted((draw(SMALL), draw(SMALL)))
    return Release(
        version=version,
        seq=draw(NUMBER),
        min_safe=draw(MAYBE),
        channel="rc" if version.is_rc else draw(st.sampled_from(["stable", "rc"])),
        commit=draw(st.text()),
        built=draw(NUMBER),
        schema=SchemaRange(low, high, draw(SMALL), draw(SMALL)),
        min_from=draw(MAYBE),
        via=tuple(draw(st.lists(VERSIONS, max_size=3))),
        python=draw(st.sampled_from([">=3.11", ">=3.11,<4", ">= 3.11.2, !=3.12.1"])),
        notes_url=draw(st.text()),
        critical=draw(st.booleans()),
        withdrawn=draw(st.none() | st.builds(Withdrawal, NUMBER, st.text(), st.text(), MAYBE)),
        rollout=draw(st.none() | st.builds(Rollout, NUMBER, STEPS)),
        target=target_name(version),
        length=draw(st.integers(1, 2**53)),
        sha256=draw(st.text("0123456789abcdef", min_size=64, max_size=64)),
    )


def plain() -> dict[str, Any]:
    return {
        "format": 1,
        "version": "1.9.0",
        "seq": 9,
        "minSafe": None,
        "channel": "stable",
        "commit": "abc",
        "built": 5,
        "schema": {"reads": [11, 16], "writes": 16, "compatibleBackTo": 16},
        "minFrom": None,
        "via": ["1.8.0"],
        "python": ">=3.11",
        "notes": "https://example.test",
        "critical": False,
        "withdrawn": {"at": 6, "reason": "bad", "severity": "high", "to": "1.8.0"},
        "rollout": {"start": 7, "steps": [[0, 5], [24, 100]]},
    }


def read(custom: object, name: str = "waiaas-1.9.0.pyz", length: int = 5, sha256: str = "a" * 64) -> Release:
    return from_custom(custom, name, length, sha256)


@given(releases())
def test_what_the_maker_writes_the_user_reads__FEED_3(release: Release) -> None:
    wire = json.loads(json.dumps(to_custom(release)))
    assert from_custom(wire, release.target, release.length, release.sha256) == release


def test_unknown_keys_are_ignored_at_every_level__FEED_3() -> None:
    custom = plain() | {"security": ["GHSA-1"]}
    custom["schema"] |= {"more": 1}
    custom["withdrawn"] |= {"more": 1}
    custom["rollout"] |= {"more": 1}
    assert read(custom) == read(plain())


@pytest.mark.parametrize("found", [0, 2, "1", None, True, 1.0])
def test_an_unknown_format_is_refused__FEED_3(found: object) -> None:
    with pytest.raises(TrustRefused) as refused:
        read(plain() | {"format": found})
    assert refused.value.code == "bad-release-data"
    assert refused.value.hint


PATHS = [
    *[(key,) for key in plain()],
    *[("schema", key) for key in ("reads", "writes", "compatibleBackTo")],
    *[("withdrawn", key) for key in ("at", "reason", "severity", "to")],
    *[("rollout", key) for key in ("start", "steps")],
]


@pytest.mark.parametrize("path", PATHS, ids=".".join)
@pytest.mark.parametrize("value", [1.5, -1, 2**60, [[]], {"a": 1}, ["1.9"], [None]], ids=repr)
def test_a_wrong_type_is_refused_wherever_it_is__FEED_3(path: tuple[str, ...], value: object) -> None:
    custom: Any = plain()
    inner = custom[path[0]] if len(path) == 2 else custom
    inner[path[-1]] = value
    with pytest.raises(TrustRefused):
        read(custom)


@pytest.mark.parametrize(
    "change",
    [
        {"version": "1.9.1"},
        {"version": "v1.9.0"},
        {"channel": "nightly"},
        {"python": "3.11"},
        {"python": ""},
        {"python": ">=3.11,"},
        {"python": ">=3.11; rm"},
        {"schema": {"reads": [16, 11], "writes": 16, "compatibleBackTo": 16}},
        {"schema": {"reads": [11], "writes": 16, "compatibleBackTo": 16}},
        {"rollout": {"start": 0, "steps": [[24, 100], [0, 5]]}},
        {"rollout": {"start": 0, "steps": [[0, 101]]}},
        {"rollout": {"start": 0, "steps": [[0]]}},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused__FEED_3(change: dict[str, Any]) -> None:
    with pytest.raises(TrustRefused):
        read(plain() | change)


def test_a_candidate_never_hides_in_the_stable_channel__FEED_4() -> None:
    custom = plain() | {"version": "1.9.0-rc.1"}
    with pytest.raises(TrustRefused):
        read(custom, "waiaas-1.9.0-rc.1.pyz")
    assert read(custom | {"channel": "rc"}, "waiaas-1.9.0-rc.1.pyz").version.is_rc


def test_the_target_itself_must_be_plausible() -> None:
    for change in ({"length": 0}, {"sha256": ""}, {"sha256": "A" * 64}, {"name": "waiaas-1.9.1.pyz"}):
        with pytest.raises(TrustRefused):
            read(plain(), **change)  # type: ignore[arg-type]
    for custom in (None, [], "x"):
        with pytest.raises(TrustRefused):
            read(custom)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(PATHS), JSON)
def test_no_value_makes_it_raise_anything_else(path: tuple[str, ...], value: object) -> None:
    custom: Any = copy.deepcopy(plain())
    (custom[path[0]] if len(path) == 2 else custom)[path[-1]] = value
    try:
        read(custom)
    except TrustRefused as refused:
        assert refused.code == "bad-release-data"


@pytest.mark.parametrize(
    ("wanted", "python", "runs"),
    [
        (">=3.11", (3, 11, 0), True),
        (">=3.11", (3, 10, 9), False),
        (">=3.11", (4, 0, 0), True),
        (">=3.11,<4", (4, 0, 0), False),
        ("<3.14", (3, 14, 2), False),
        ("<=3.13", (3, 13, 9), True),
        (">3.11", (3, 11, 5), False),
        ("==3.12", (3, 12, 3), True),
        ("!=3.12.1, >=3.11", (3, 12, 1), False),
        ("!=3.12.1, >=3.11", (3, 12, 2), True),
    ],
)
def test_python_ranges(wanted: str, python: tuple[int, int, int], runs: bool) -> None:
    assert read(plain() | {"python": wanted}).runs_on(python) is runs


def test_shares_grow_at_their_hours__FEED_4() -> None:
    rollout = Rollout(1000, ((0, 5), (24, 25), (72, 100)))
    hours = {-0.1: 0, 0: 5, 23.9: 5, 24: 25, 71: 25, 72: 100, 9999: 100}
    assert {hour: rollout.percent(1000 + hour * 3600) for hour in hours} == hours
    assert Rollout(0, ()).percent(10**12) == 0
