"""Choosing a release: what is never chosen, and what is in the ordinary and the odd cases (FEED-4, -5)."""

from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from waiaas.core.choose import (
    Policy,
    Stay,
    Upgrade,
    bucket,
    choose,
    newest_eligible,
    withdrawal_of,
)
from waiaas.core.release import Release, Rollout, SchemaRange, Withdrawal, target_name
from waiaas.core.value import replace
from waiaas.core.version import Version

NOW = 1_795_000_000.0
PYTHON = (3, 12, 1)


def v(text: str) -> Version:
    return Version.parse(text)


def release(version: str, **changes: Any) -> Release:
    parsed = v(version)
    plain = Release(
        version=parsed,
        seq=1,
        min_safe=None,
        channel=parsed.channel,
        commit="",
        built=0,
        schema=SchemaRange(11, 16, 16, 16),
        min_from=None,
        via=(),
        python=">=3.11",
        notes_url="",
        critical=False,
        withdrawn=None,
        rollout=None,
        target=target_name(parsed),
        length=1,
        sha256="0" * 64,
    )
    return replace(plain, **changes)


def gone(to: str | None = None) -> Withdrawal:
    return Withdrawal(0, "it loses wallets", "high", v(to) if to else None)


def policy(**changes: Any) -> Policy:
    return replace(Policy("stable", "", "an-installation", 16, PYTHON, NOW), **changes)


def path(outcome: Upgrade | Stay) -> list[str]:
    assert isinstance(outcome, Upgrade), outcome
    return [str(hop.version) for hop in outcome.path]


def code(outcome: Upgrade | Stay) -> str:
    assert isinstance(outcome, Stay), outcome
    return outcome.code


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


# --- withdrawn


def test_the_installed_version_was_withdrawn_and_a_lower_one_is_signed__FEED_5() -> None:
    releases = [release("1.9.0", withdrawn=gone("1.8.0")), release("1.8.0")]
    outcome = choose(releases, v("1.9.0"), policy())
    assert path(outcome) == ["1.8.0"]
    assert isinstance(outcome, Upgrade) and outcome.downgrade and not outcome.loses_data
    assert "it loses wallets" in outcome.reason
    assert withdrawal_of(releases, v("1.9.0")) == gone("1.8.0")
    assert withdrawal_of(releases, v("1.8.0")) is None
    assert newest_eligible(releases, v("1.9.0"), policy()) == releases[1]


def test_going_back_over_a_migration_says_that_data_are_lost__FEED_5() -> None:
    releases = [release("1.9.0", withdrawn=gone("1.8.0")), release("1.8.0")]
    outcome = choose(releases, v("1.9.0"), policy(schema=17))
    assert isinstance(outcome, Upgrade) and outcome.downgrade and outcome.loses_data


def test_a_good_newer_one_comes_before_going_back__FEED_5() -> None:
    releases = [release("1.9.1"), release("1.9.0", withdrawn=gone("1.8.0")), release("1.8.0")]
    assert path(choose(releases, v("1.9.0"), policy())) == ["1.9.1"]


def test_a_newer_one_that_the_withdrawal_names_needs_no_share__FEED_5() -> None:
    slow = release("1.9.1", rollout=Rollout(0, ((0, 0),)))
    releases = [slow, release("1.9.0", withdrawn=gone("1.9.1")), release("1.8.0")]
    assert path(choose(releases, v("1.9.0"), policy())) == ["1.9.1"]
    assert code(choose(releases, v("1.9.0"), policy(pin="1.9.0"))) == "withdrawn"


def test_a_chain_of_withdrawals_is_followed__FEED_5() -> None:
    chain = [
        release("1.9.0", withdrawn=gone("1.8.1")),
        release("1.8.1", withdrawn=gone("1.8.0")),
        release("1.8.0"),
    ]
    assert path(choose(chain, v("1.9.0"), policy())) == ["1.8.0"]


@pytest.mark.parametrize(
    ("target", "others"),
    [
        (None, []),
        ("1.7.0", []),
        ("1.8.0", [release("1.8.0", withdrawn=gone("1.9.0"))]),
        ("1.8.0", [release("1.8.0", withdrawn=gone())]),
        ("1.8.0", [release("1.8.0"), release("1.8.5", min_safe=v("1.8.5"), withdrawn=gone())]),
        ("1.8.0-rc.1", [release("1.8.0-rc.1")]),
        ("1.8.0", [release("1.8.0", python="<3.12")]),
    ],
    ids=str,
)
def test_a_withdrawn_version_with_nowhere_to_go_says_so__FEED_5(
    target: str | None, others: list[Release]
) -> None:
    outcome = choose([release("1.9.0", withdrawn=gone(target)), *others], v("1.9.0"), policy())
    assert code(outcome) == "withdrawn"
    assert "it loses wallets" in outcome.reason


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


# --- what never happens

LOW = st.integers(0, 2)
VERSIONS = st.builds(Version, st.integers(1, 2), LOW, LOW, st.sampled_from([None, None, 0, 1]))
INSTALLED = VERSIONS | st.just(Version(1, 0, 0))
MAYBE = st.none() | VERSIONS
RARELY = st.sampled_from([False] * 5 + [True])
WITHDRAWALS = st.builds(Withdrawal, st.just(0), st.just("bad"), st.just("high"), MAYBE)
SCHEMAS = st.sampled_from([(11, 18), (11, 16), (12, 17), (16, 18), (11, 14)])


@st.composite
def any_release(draw: st.DrawFn, version: Version) -> Release:
    low, high = draw(SCHEMAS)
    share = draw(st.sampled_from([None, None, 0, 50, 100]))
    return release(
        str(version),
        min_safe=draw(VERSIONS) if draw(RARELY) else None,
        min_from=draw(MAYBE),
        via=tuple(draw(st.lists(VERSIONS, max_size=2))),
        schema=SchemaRange(low, high, high, low),
        python=">=3.13" if draw(RARELY) else ">=3.11",
        critical=draw(RARELY),
        withdrawn=draw(WITHDRAWALS) if draw(RARELY) else None,
        rollout=None if share is None else Rollout(0, ((0, share),)),
    )


@st.composite
def feeds(draw: st.DrawFn) -> list[Release]:
    versions = draw(st.lists(VERSIONS, unique=True, max_size=6))
    return [draw(any_release(version)) for version in versions]


POLICIES = st.builds(
    Policy,
    channel=st.sampled_from(["stable", "rc"]),
    pin=st.sampled_from(["", "1", "1.1", "2"]),
    installation_id=st.text(max_size=4),
    schema=st.none() | st.integers(11, 18),
    python=st.just(PYTHON),
    now=st.just(NOW),
)


@given(feeds(), INSTALLED, POLICIES)
def test_never_an_older_version_but_away_from_a_withdrawn_one__FEED_4(
    releases: list[Release], installed: Version, asked: Policy
) -> None:
    outcome = choose(releases, installed, asked)
    event(type(outcome).__name__)
    if isinstance(outcome, Stay):
        return
    if outcome.target.version < installed:
        assert outcome.downgrade
        assert withdrawal_of(releases, installed) is not None
    else:
        assert outcome.target.version > installed and not outcome.downgrade


@given(feeds(), INSTALLED, POLICIES, st.none() | VERSIONS)
def test_never_a_withdrawn_an_unsafe_or_an_uninvited_version__FEED_4(
    releases: list[Release], installed: Version, asked: Policy, to: Version | None
) -> None:
    outcome = choose(releases, installed, replace(asked, to=to))
    if isinstance(outcome, Stay):
        return
    for hop in outcome.path:
        assert hop in releases
        assert hop.withdrawn is None
        assert hop.version >= max((r.min_safe for r in releases if r.min_safe), default=hop.version)
        assert to is not None or asked.channel == "rc" or not hop.version.is_rc
    assert to is None or outcome.target.version == to


@given(feeds(), INSTALLED, POLICIES)
def test_every_hop_can_be_installed_over_the_one_before__FEED_4(
    releases: list[Release], installed: Version, asked: Policy
) -> None:
    outcome = choose(releases, installed, asked)
    if isinstance(outcome, Stay):
        return
    version, schema = installed, asked.schema
    for hop in outcome.path:
        assert hop.runs_on(PYTHON)
        assert outcome.downgrade or version < hop.version
        assert hop.min_from is None or hop.min_from <= version
        assert schema is None or outcome.loses_data or hop.schema.reads_from <= schema <= hop.schema.reads_to
        version, schema = hop.version, max(schema or 0, hop.schema.writes)


@given(feeds(), INSTALLED, POLICIES, st.randoms(use_true_random=False))
def test_the_order_of_the_feed_does_not_matter(
    releases: list[Release], installed: Version, asked: Policy, random: Any
) -> None:
    mixed = list(releases)
    random.shuffle(mixed)
    assert choose(mixed, installed, asked) == choose(releases, installed, asked)


@given(feeds(), INSTALLED, POLICIES)
def test_the_latest_agrees_with_the_choice__VCHK_04(
    releases: list[Release], installed: Version, asked: Policy
) -> None:
    outcome, newest = choose(releases, installed, asked), newest_eligible(releases, installed, asked)
    if isinstance(outcome, Stay):
        assert outcome.latest == newest
        assert newest is None or newest.version <= installed
    elif withdrawal_of(releases, installed) is None:
        assert newest == outcome.target


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
