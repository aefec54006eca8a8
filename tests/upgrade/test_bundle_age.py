"""How old a bundle may be: each role for itself, by a clock that cannot be set back (BNDL-3, FEED-8)."""

from pathlib import Path

import pytest

from tests.simulator import DAYS, Simulator, release
from tests.upgrade.carriage import PAYLOAD, by_hand, later, make, open_bundle
from waiaas.core.errors import Exit, TrustRefused
from waiaas.core.release import Release
from waiaas.upgrade.feed import Catalogue

DAY = 86400


@pytest.fixture
def new(feed: Simulator) -> Release:
    return feed.publish(release("1.9.0"), PAYLOAD)


def refused(feed: Simulator, path: Path, folder: Path, **changes: object) -> TrustRefused:
    with pytest.raises(TrustRefused) as caught:
        open_bundle(feed, path, folder, **changes).refresh()
    assert caught.value.exit_code is Exit.TRUST
    assert caught.value.code == "feed-expired"
    return caught.value


def expired(feed: Simulator, new: Release, folder: Path, *roles: str) -> Path:
    """A bundle in which exactly these roles are out of date."""
    for role in roles:
        getattr(feed, role).expires = feed._moment(-3)
    for role in ("root", "targets"):
        if role in roles:
            getattr(feed, f"publish_{role}")()
    feed.publish_snapshot()
    return by_hand(feed, new, folder / "x.tgz")


@pytest.mark.parametrize("roles", [("timestamp",), ("snapshot",), ("timestamp", "snapshot")])
def test_expired_timestamp_and_snapshot_are_accepted_and_their_age_is_said__BNDL_3(
    feed: Simulator, new: Release, tmp_path: Path, roles: tuple[str, ...]
) -> None:
    catalogue = open_bundle(feed, expired(feed, new, tmp_path, *roles), tmp_path).refresh()
    assert set(catalogue.expired) == set(roles)
    assert catalogue.at_hand == {new.version}
    for role in roles:
        assert any(
            f"the {role} of the bundle" in said and "expired 3 days ago" in said
            for said in catalogue.warnings
        )
    assert all("newer releases" in said for said in catalogue.warnings)


@pytest.mark.parametrize("role", ["targets", "root"])
def test_expired_targets_and_root_are_refused__BNDL_3(
    feed: Simulator, new: Release, tmp_path: Path, role: str
) -> None:
    problem = refused(feed, expired(feed, new, tmp_path, role), tmp_path)
    assert f"the {role} of the bundle" in problem.message
    assert "3 days ago" in problem.message
    assert "--accept-expired" in problem.hint


@pytest.mark.parametrize("role", ["targets", "root"])
def test_expired_targets_and_root_can_be_accepted_in_so_many_words__BNDL_3(
    feed: Simulator, new: Release, tmp_path: Path, role: str
) -> None:
    path = expired(feed, new, tmp_path, role)
    catalogue = open_bundle(feed, path, tmp_path, accept_expired=True).refresh()
    assert catalogue.expired == (role,)
    assert catalogue.at_hand == {new.version}
    assert "3 days ago" in catalogue.warnings[0]


def test_all_at_once_and_the_offline_keys_decide__BNDL_3(
    feed: Simulator, new: Release, tmp_path: Path
) -> None:
    path = expired(feed, new, tmp_path, "root", "timestamp", "snapshot", "targets")
    assert "the root of" in refused(feed, path, tmp_path).message
    catalogue = open_bundle(feed, path, tmp_path / "other", accept_expired=True).refresh()
    assert set(catalogue.expired) == {"root", "timestamp", "snapshot", "targets"}


def test_an_old_root_on_the_way_may_have_expired__BNDL_3(
    feed: Simulator, new: Release, tmp_path: Path
) -> None:
    later(feed.clock, DAYS["root"] - 1)
    feed.rotate("root")
    feed.refresh()
    later(feed.clock, 2)
    made = make(feed, new, tmp_path)
    assert open_bundle(feed, made.path, tmp_path).refresh().expired == ()


@pytest.mark.parametrize(
    ("days", "old"),
    [
        (DAYS["timestamp"] - 0.01, set()),
        (DAYS["timestamp"], {"timestamp"}),
        (DAYS["snapshot"] - 0.01, {"timestamp"}),
        (DAYS["snapshot"], {"timestamp", "snapshot"}),
        (DAYS["targets"] - 0.01, {"timestamp", "snapshot"}),
    ],
)
def test_a_bundle_on_a_shelf_ages_role_by_role__BNDL_3(
    feed: Simulator, new: Release, tmp_path: Path, days: float, old: set[str]
) -> None:
    made = make(feed, new, tmp_path)
    later(feed.clock, days)
    assert set(open_bundle(feed, made.path, tmp_path).refresh().expired) == old


def test_a_bundle_on_a_shelf_ends_with_its_targets__BNDL_3(
    feed: Simulator, new: Release, tmp_path: Path
) -> None:
    made = make(feed, new, tmp_path)
    later(feed.clock, DAYS["targets"])
    assert "the targets of the bundle" in refused(feed, made.path, tmp_path).message


def test_a_clock_set_back_revives_nothing__FEED_8(feed: Simulator, new: Release, tmp_path: Path) -> None:
    """The build of this program is newer than the targets' end."""
    made = make(feed, new, tmp_path)
    ends = int(feed.targets.expires.timestamp())
    feed.clock.time = 0
    problem = refused(feed, made.path, tmp_path, build_time=ends + 5 * DAY)
    assert "5 days ago" in problem.message


def test_a_time_that_the_targets_keys_signed_counts_too__FEED_8(
    feed: Simulator, new: Release, tmp_path: Path
) -> None:
    """Seen in a newer bundle; the old one comes back under a clock that was set back."""
    old = make(feed, new, tmp_path)
    start = feed.clock.time
    later(feed.clock, DAYS["targets"] + 1)
    feed.refresh()
    newer = feed.publish(release("1.9.1", built=int(feed.clock.time)), PAYLOAD)
    made = make(feed, newer, tmp_path / "connected")
    open_bundle(feed, made.path, tmp_path).refresh()
    import shutil

    shutil.rmtree(tmp_path / "metadata")
    feed.clock.time = start
    assert "targets" in refused(feed, old.path, tmp_path).message


def test_a_clock_far_ahead_is_named_as_a_cause__FEED_8(feed: Simulator, new: Release, tmp_path: Path) -> None:
    made = make(feed, new, tmp_path)
    later(feed.clock, 3650)
    problem = refused(feed, made.path, tmp_path)
    assert "or this machine's clock is wrong" in problem.message


def test_a_bundle_from_the_future_is_as_good_as_any(feed: Simulator, new: Release, tmp_path: Path) -> None:
    """A machine whose clock stands at 1970 is judged by its build."""
    made = make(feed, new, tmp_path)
    feed.clock.time = 0
    assert isinstance(open_bundle(feed, made.path, tmp_path).refresh(), Catalogue)


def test_accepting_the_age_accepts_nothing_else__BNDL_3(
    feed: Simulator, new: Release, tmp_path: Path
) -> None:
    feed.sign_with("targets", feed.signers["targets"][:1])
    path = expired(feed, new, tmp_path, "targets")
    with pytest.raises(TrustRefused) as caught:
        open_bundle(feed, path, tmp_path, accept_expired=True).refresh()
    assert caught.value.code == "feed-other-keys"


def test_the_network_s_own_feed_is_never_judged_so_mildly__FEED_8(
    feed: Simulator, new: Release, tmp_path: Path
) -> None:
    later(feed.clock, DAYS["timestamp"])
    with pytest.raises(TrustRefused) as caught:
        feed.client(tmp_path).refresh(5.0)
    assert caught.value.code == "feed-expired"


def test_expired_metadata_from_a_bundle_do_not_serve_the_network__FEED_8(
    feed: Simulator, new: Release, tmp_path: Path
) -> None:
    """What an accepted bundle left in the cache is old there as well."""
    made = make(feed, new, tmp_path)
    later(feed.clock, DAYS["targets"])
    open_bundle(feed, made.path, tmp_path, accept_expired=True).refresh()
    with pytest.raises(TrustRefused) as caught:
        feed.client(tmp_path).refresh(5.0)
    assert caught.value.code == "feed-expired"
