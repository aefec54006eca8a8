"""Choosing a release: away from a withdrawn one, and what never happens with any feed at all (FEED-4, -5)."""

from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from tests.core.choosing import NOW, PYTHON, code, gone, path, policy, release, v
from waiaas.core.choose import Policy, Stay, Upgrade, choose, newest_eligible, unfit, withdrawal_of
from waiaas.core.release import Release, Rollout, SchemaRange, Withdrawal
from waiaas.core.value import replace
from waiaas.core.version import Version

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


@pytest.mark.parametrize(
    ("version", "why"),
    [
        ("1.8.1", "1.8.1 was withdrawn: it loses wallets"),
        ("1.7.9", "1.7.9 is older than 1.8.0, the oldest safe version"),
        ("1.8.0", None),
        ("1.8.7", None),
    ],
)
def test_what_is_known_against_a_version_listed_or_not__FEED_3_FEED_5(version: str, why: str | None) -> None:
    releases = [release("1.9.0", min_safe=v("1.8.0")), release("1.8.1", withdrawn=gone()), release("1.8.0")]
    assert unfit(releases, v(version)) == why


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
