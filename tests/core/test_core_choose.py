"""Choosing a release: what is in the ordinary and the odd cases (FEED-4)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.choosing import NOW, code, gone, path, policy, release, v
from waiaas.core.choose import Policy, Stay, Upgrade, bucket, choose
from waiaas.core.release import Rollout, SchemaRange
from waiaas.core.value import replace
from waiaas.core.version import Version

SEVERAL = [release("1.8.0"), release("1.9.0"), release("1.9.1"), release("2.0.0-rc.1"), release("2.0.0-rc.2")]


# --- the ordinary cases


def test_the_newest_is_chosen() -> None:
    assert path(choose(SEVERAL, v("1.8.0"), policy())) == ["1.9.1"]


def test_up_to_date__UPGR_01() -> None:
    outcome = choose(SEVERAL, v("1.9.1"), policy())
    assert code(outcome) == "up-to-date"
    assert isinstance(outcome, Stay) and outcome.latest == SEVERAL[2]


def test_an_rc_user_on_the_stable_channel_is_up_to_date_not_downgraded__UPGR_01() -> None:
    outcome = choose(SEVERAL, v("2.0.0-rc.1"), policy())
    assert code(outcome) == "up-to-date"
    assert isinstance(outcome, Stay) and "newer than 1.9.1" in outcome.reason


def test_an_rc_user_gets_newer_candidates__FEED_4() -> None:
    assert path(choose(SEVERAL, v("2.0.0-rc.1"), policy(channel="rc"))) == ["2.0.0-rc.2"]


def test_an_rc_user_gets_the_release_that_follows__FEED_4() -> None:
    assert path(choose([*SEVERAL, release("2.0.0")], v("2.0.0-rc.2"), policy(channel="rc"))) == ["2.0.0"]
    assert path(choose([*SEVERAL, release("2.0.0")], v("2.0.0-rc.2"), policy())) == ["2.0.0"]


def test_an_empty_feed_offers_nothing() -> None:
    outcome = choose([], v("1.8.0"), policy())
    assert code(outcome) == "up-to-date"
    assert isinstance(outcome, Stay) and outcome.latest is None


@pytest.mark.parametrize(
    ("pin", "expected"), [("1", "1.9.1"), ("1.9", "1.9.1"), ("2", "2.0.0"), ("", "2.0.0")]
)
def test_nothing_beyond_the_pin_is_offered(pin: str, expected: str) -> None:
    assert path(choose([*SEVERAL, release("2.0.0")], v("1.8.0"), policy(pin=pin))) == [expected]


def test_a_pin_that_holds_is_told() -> None:
    assert code(choose(SEVERAL, v("1.8.0"), policy(pin="1.8"))) == "pinned"


def test_what_keeps_a_newer_one_away_is_told__UPGR_02() -> None:
    outcome = choose([*SEVERAL, release("1.10.0", python=">=3.13")], v("1.8.0"), policy())
    assert path(outcome) == ["1.9.1"]
    assert "1.10.0 needs Python >=3.13" in outcome.reason


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"python": ">=3.13"}, "python"),
        ({"schema": SchemaRange(17, 20, 20, 17)}, "schema"),
        ({"schema": SchemaRange(11, 15, 15, 15)}, "schema"),
        ({"min_from": Version(1, 8, 5)}, "too-far"),
        ({"rollout": Rollout(int(NOW) + 1, ((0, 100),))}, "rollout"),
        ({"withdrawn": gone()}, "up-to-date"),
        ({"channel": "rc"}, "up-to-date"),
    ],
    ids=str,
)
def test_why_nothing_is_offered__UPGR_02(change: dict[str, Any], expected: str) -> None:
    assert code(choose([release("1.9.0", **change)], v("1.8.0"), policy())) == expected


def test_without_a_database_no_schema_stands_in_the_way() -> None:
    newer = release("1.9.0", schema=SchemaRange(17, 20, 20, 17))
    assert path(choose([newer], v("1.8.0"), policy(schema=None))) == ["1.9.0"]


def test_an_order_of_publication_can_be_demanded() -> None:
    assert code(choose([release("1.9.0", seq=4)], v("1.8.0"), policy(seq_floor=5))) == "old-news"


# --- roll-out


def test_the_share_decides_by_installation_and_version__FEED_4() -> None:
    half = release("1.9.0", rollout=Rollout(int(NOW), ((0, 50),)))
    taken = [
        isinstance(choose([half], v("1.8.0"), policy(installation_id=str(number))), Upgrade)
        for number in range(400)
    ]
    assert 140 < sum(taken) < 260
    assert taken == [bucket(str(number), v("1.9.0")) < 50 for number in range(400)]


@given(st.text(), st.integers(0, 100), st.integers(0, 100))
def test_who_is_in_a_share_is_in_every_larger_one__FEED_4(name: str, one: int, other: int) -> None:
    def offered(share: int) -> bool:
        new = release("1.9.0", rollout=Rollout(0, ((0, share),)))
        return isinstance(choose([new], v("1.8.0"), policy(installation_id=name)), Upgrade)

    assert offered(min(one, other)) <= offered(max(one, other))
    assert not offered(0)
    assert offered(100)


def test_critical_and_a_named_version_bypass_the_roll_out__FEED_4() -> None:
    none = Rollout(0, ((0, 0),))
    assert path(choose([release("1.9.0", rollout=none, critical=True)], v("1.8.0"), policy())) == ["1.9.0"]
    assert path(choose([release("1.9.0", rollout=none)], v("1.8.0"), policy(to=v("1.9.0")))) == ["1.9.0"]


def test_outside_of_a_share_the_version_before_is_offered() -> None:
    new = release("1.9.0", rollout=Rollout(0, ((0, 0),)))
    outcome = choose([new, release("1.8.1")], v("1.8.0"), policy())
    assert path(outcome) == ["1.8.1"]
    assert "rolled out" in outcome.reason


# --- stepping stones

STONES = [
    release("2.0.0", min_from=v("1.9.0"), via=(v("1.9.0"),), schema=SchemaRange(18, 20, 20, 18)),
    release("1.9.0", min_from=v("1.8.5"), via=(v("1.8.5"),), schema=SchemaRange(16, 18, 18, 16)),
    release("1.8.5", schema=SchemaRange(11, 16, 16, 16)),
]


def test_a_path_over_several_stones__FEED_4() -> None:
    assert path(choose(STONES, v("1.5.0"), policy(schema=11))) == ["1.8.5", "1.9.0", "2.0.0"]
    assert path(choose(STONES, v("1.8.5"), policy())) == ["1.9.0", "2.0.0"]


def test_no_more_stones_than_needed__FEED_4() -> None:
    wide = [replace(STONES[0], schema=SchemaRange(11, 20, 20, 18), via=(v("1.9.0"), v("1.8.5"))), *STONES[1:]]
    assert path(choose(wide, v("1.9.0"), policy(schema=18))) == ["2.0.0"]
    assert path(choose(wide, v("1.8.5"), policy())) == ["1.9.0", "2.0.0"]


@pytest.mark.parametrize(
    "stone",
    [{"withdrawn": gone()}, {"python": ">=3.13"}, {"schema": SchemaRange(17, 18, 18, 17)}, {"via": ()}],
    ids=str,
)
def test_a_broken_stone_breaks_the_path__FEED_4(stone: dict[str, Any]) -> None:
    broken = [STONES[0], replace(STONES[1], **stone), STONES[2]]
    outcome = choose(broken, v("1.8.0"), policy())
    assert "2.0.0" not in (path(outcome) if isinstance(outcome, Upgrade) else [])


def test_a_stable_user_never_steps_on_a_candidate__FEED_4() -> None:
    releases = [release("2.0.0", min_from=v("1.9.0-rc.1"), via=(v("1.9.0-rc.1"),)), release("1.9.0-rc.1")]
    assert code(choose(releases, v("1.8.0"), policy())) == "too-far"
    assert path(choose(releases, v("1.8.0"), policy(channel="rc"))) == ["1.9.0-rc.1", "2.0.0"]


def test_stones_that_name_each_other_end() -> None:
    loop = [
        release("2.0.0", min_from=v("1.9.9"), via=(v("1.9.0"),)),
        release("1.9.0", via=(v("2.0.0"), v("1.9.0"))),
    ]
    assert path(choose(loop, v("1.8.0"), policy())) == ["1.9.0"]


# --- a version by name


def test_exactly_the_named_version__UPGR_03() -> None:
    assert path(choose(SEVERAL, v("1.8.0"), policy(to=v("1.9.0")))) == ["1.9.0"]
    assert path(choose(SEVERAL, v("1.8.0"), policy(to=v("2.0.0-rc.1"), pin="1.8"))) == ["2.0.0-rc.1"]


def test_a_named_version_is_reached_over_stones__UPGR_03() -> None:
    assert path(choose(STONES, v("1.8.0"), policy(to=v("2.0.0")))) == ["1.8.5", "1.9.0", "2.0.0"]


def test_a_lower_one_only_where_the_schema_allows__UPGR_03() -> None:
    outcome = choose(SEVERAL, v("1.9.1"), policy(to=v("1.8.0")))
    assert path(outcome) == ["1.8.0"]
    assert isinstance(outcome, Upgrade) and outcome.downgrade
    assert code(choose(SEVERAL, v("1.9.1"), policy(to=v("1.8.0"), schema=17))) == "schema"


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        ("1.8.0", {}, "up-to-date"),
        ("1.7.9", {}, "not-in-feed"),
        ("1.9.0", {"withdrawn": gone()}, "withdrawn"),
        ("1.9.0", {"min_from": Version(1, 8, 5)}, "too-far"),
        ("1.9.0", {"python": ">=3.13"}, "python"),
        ("1.7.0", {}, "unsafe"),
    ],
    ids=str,
)
def test_a_named_version_that_cannot_be__UPGR_03(name: str, change: dict[str, Any], expected: str) -> None:
    releases = [release("1.9.0", **change), release("1.8.0", min_safe=v("1.8.0")), release("1.7.0")]
    assert code(choose(releases, v("1.8.0"), policy(to=v(name)))) == expected


# --- from what was carried here


def at_hand(*versions: str, **changes: Any) -> Policy:
    return policy(at_hand=frozenset(map(v, versions)), **changes)


def test_only_what_was_carried_is_chosen__BNDL_2() -> None:
    assert path(choose(SEVERAL, v("1.8.0"), at_hand("1.9.0"))) == ["1.9.0"]
    assert path(choose(SEVERAL, v("1.8.0"), at_hand("1.9.0", to=v("1.9.0")))) == ["1.9.0"]
    assert code(choose(SEVERAL, v("1.8.0"), at_hand("1.9.0", to=v("1.9.1")))) == "not-at-hand"


def test_an_equal_or_older_version_that_was_carried_is_no_upgrade__UPGR_01() -> None:
    assert code(choose(SEVERAL, v("1.9.0"), at_hand("1.9.0"))) == "up-to-date"
    assert code(choose(SEVERAL, v("1.9.1"), at_hand("1.9.0"))) == "up-to-date"


def test_whoever_carries_a_version_waits_for_no_share_of_it__FEED_4() -> None:
    slow = [release("1.8.0"), release("1.9.0", rollout=Rollout(int(NOW), ((0, 0),)))]
    assert code(choose(slow, v("1.8.0"), policy())) == "rollout"
    assert path(choose(slow, v("1.8.0"), at_hand("1.9.0"))) == ["1.9.0"]


def test_pin_channel_and_withdrawal_hold_for_what_was_carried__FEED_4() -> None:
    assert code(choose(SEVERAL, v("1.8.0"), at_hand("1.9.0", pin="1.8"))) == "pinned"
    assert code(choose(SEVERAL, v("1.8.0"), at_hand("2.0.0-rc.1"))) == "channel"
    bad = [release("1.8.0"), release("1.9.0", withdrawn=gone("1.8.0"))]
    assert code(choose(bad, v("1.8.0"), at_hand("1.9.0"))) == "withdrawn"
    assert code(choose(bad, v("1.8.0"), at_hand("1.9.0", to=v("1.9.0")))) == "withdrawn"


def test_a_stepping_stone_that_was_not_carried_is_asked_for__FEED_4() -> None:
    far = [release("1.8.0"), release("1.9.0"), release("2.0.0", min_from=v("1.9.0"), via=(v("1.9.0"),))]
    stay = choose(far, v("1.8.0"), at_hand("2.0.0"))
    assert code(stay) == "too-far"
    assert "1.9.0" in stay.reason


def test_where_to_go_from_a_withdrawn_version_has_to_be_carried__FEED_5() -> None:
    bad = [release("1.8.0"), release("1.9.0", withdrawn=gone("1.8.0"))]
    stay = choose(bad, v("1.9.0"), at_hand("1.9.0"))
    assert code(stay) == "withdrawn"
    assert "1.8.0 was not carried here" in stay.reason
    assert path(choose(bad, v("1.9.0"), at_hand("1.8.0"))) == ["1.8.0"]
