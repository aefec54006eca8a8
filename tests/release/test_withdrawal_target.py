"""Where users of a withdrawn version are sent: rules, and that the client can really go there (WDR-2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.choosing import release
from waiaas.core.choose import Policy, Upgrade, choose
from waiaas.core.errors import UsageError
from waiaas.core.release import Release, Rollout, SchemaRange, Withdrawal
from waiaas.core.value import replace
from waiaas.core.version import Version
from waiaas.release.withdrawal import images, target

V = Version.parse
PYTHON = (3, 11, 0)


GONE = Withdrawal(0, "bad", "high", None)
SELDOM = st.sampled_from([False] * 6 + [True])
VERSIONS = st.builds(
    Version,
    st.just(1),
    st.integers(0, 2),
    st.integers(0, 2),
    SELDOM.flatmap(lambda rc: st.integers(0, 1) if rc else st.none()),
)
SCHEMAS = st.integers(14, 18).flatmap(
    lambda top: st.integers(11, top).map(lambda low: SchemaRange(low, top, top, top))
)
Row = tuple[SchemaRange, bool, Version | None, Version | None, int]
MAYBE = SELDOM.flatmap(lambda given: VERSIONS if given else st.none())
ROWS = st.tuples(SCHEMAS, SELDOM, MAYBE, MAYBE, st.sampled_from([0, 50, 100]))
FEEDS = st.dictionaries(VERSIONS, ROWS, min_size=1, max_size=7)


def feed_of(
    rows: dict[Version, Row],
) -> list[Release]:
    made = []
    for version, (schema, gone, min_safe, min_from, share) in rows.items():
        shares = None if share == 100 else Rollout(0, ((0, share),))
        made.append(
            release(
                str(version),
                schema=schema,
                withdrawn=GONE if gone else None,
                min_safe=min_safe,
                min_from=min_from,
                rollout=shares,
            )
        )
    return made


@given(FEEDS, st.data())
def test_the_default_is_never_a_candidate_withdrawn_unsafe_or_the_bad_version__WDR_2(
    rows: dict[Version, Row], data: st.DataObject
) -> None:
    """Elsewhere the second newest tag by `sort -V` was taken: the bad version itself (§2.1)."""
    releases = feed_of(rows)
    bad = data.draw(st.sampled_from(sorted(rows)))
    found = target.successor(releases, bad)
    floor = max((r.min_safe for r in releases if r.min_safe), default=None)
    fit = {
        r.version
        for r in releases
        if r.version < bad
        and not r.version.is_rc
        and not r.withdrawn
        and (floor is None or r.version >= floor)
    }
    assert found == max(fit, default=None)


@given(FEEDS, st.data())
def test_a_client_on_the_bad_version_goes_where_it_is_sent_or_is_named_as_stuck__WDR_2(
    rows: dict[Version, Row], data: st.DataObject
) -> None:
    """The client's own choice, over every feed: what `checked` lets pass, a client can take."""
    releases = feed_of(rows)
    bad = data.draw(st.sampled_from(releases))
    to = data.draw(st.sampled_from(sorted(rows)))
    try:
        target.checked(releases, bad.version, to)
    except UsageError as refused:
        assert refused.code == "bad-successor"
        return
    marked = [
        replace(r, withdrawn=Withdrawal(0, "bad", "high", to)) if r == bad else r
        for r in releases
        if r.version in (bad.version, to) or r.version in target.find(releases, to).via
    ]
    marked = [replace(r, rollout=None, min_safe=None) for r in marked]
    policy = Policy("stable", "", "", bad.schema.writes, PYTHON, 0.0)
    choice = choose(marked, bad.version, policy)
    assert isinstance(choice, Upgrade)
    assert choice.target.version == to
    assert choice.loses_data == target.way_to(releases, bad.version, to).crosses


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("1.9.0", "it is the version that is being withdrawn"),
        ("1.8.0", "it is withdrawn"),
        ("1.9.0-rc.1", "it is a release candidate"),
        ("1.7.0", "it is older than 1.7.5, the oldest safe version"),
        ("1.9.5", "1.9.5 can only be installed from 1.9.4 or newer"),
        ("1.8.9", "1.8.9 needs Python >=3.40, this is 3.11.0"),
    ],
)
def test_a_target_that_nobody_can_take_is_refused_with_the_reason__WDR_2(to: str, why: str) -> None:
    releases = [
        release("1.7.0"),
        release("1.8.0", withdrawn=GONE),
        release("1.8.9", python=">=3.40"),
        release("1.9.0-rc.1"),
        release("1.9.0", min_safe=V("1.7.5")),
        release("1.9.5", min_from=V("1.9.4")),
    ]
    with pytest.raises(UsageError) as refused:
        target.checked(releases, V("1.9.0"), V(to))
    assert refused.value.code == "bad-successor"
    assert why in refused.value.message


def test_who_cannot_follow_is_named_where_others_can__WDR_2() -> None:
    releases = [release("1.8.0", python=">=3.11,<3.13"), release("1.9.0", python=">=3.11,<3.15")]
    way = target.way_to(releases, V("1.9.0"), V("1.8.0"))
    assert way.stuck == ((3, 13, 0), (3, 14, 0))
    assert not way.crosses


def test_a_way_back_over_a_migration_is_known_as_one__WDR_2() -> None:
    releases = [release("1.8.0"), release("1.9.0", schema=SchemaRange(13, 17, 17, 17))]
    assert target.way_to(releases, V("1.9.0"), V("1.8.0")).crosses


@pytest.mark.parametrize(
    ("share", "lands"),
    [(None, "1.9.1"), (Rollout(0, ((0, 99),)), "1.8.0"), (Rollout(0, ((0, 100),)), "1.9.1")],
)
def test_texts_name_a_newer_version_only_if_everybody_gets_it__WDR_3(
    share: Rollout | None, lands: str
) -> None:
    gone = Withdrawal(0, "bad", "high", V("1.8.0"))
    releases = [release("1.8.0"), release("1.9.0", withdrawn=gone), release("1.9.1", rollout=share)]
    assert target.landing(releases, V("1.9.0"), 0.0) == V(lands)


def test_without_a_target_there_is_nowhere_to_land__WDR_3() -> None:
    assert target.landing([release("1.9.0", withdrawn=GONE)], V("1.9.0"), 0.0) is None


@pytest.mark.parametrize(
    ("tag", "means"),
    [("latest", "2.0.0"), ("2", "2.0.0"), ("2.1", "1.9.0"), ("1", "1.9.1"), ("1.9", "1.9.1")],
)
def test_a_moving_tag_means_the_newest_good_version_of_its_line__WDR_2(tag: str, means: str) -> None:
    """2.1 has no other version than the withdrawn one, so it takes the target (here 1.9.0)."""
    releases = [release(text) for text in ("1.8.0", "1.9.0", "1.9.1", "2.0.0", "2.1.0-rc.1", "2.1.0")]
    assert images.meant_by(tag, releases, V("2.1.0"), V("1.9.0")) == V(means)


def test_moving_tags_of_a_release_and_of_a_candidate__WDR_2() -> None:
    assert images.moving_tags(V("2.1.3")) == ["latest", "2", "2.1"]
    assert images.moving_tags(V("2.1.3-rc.1")) == []
