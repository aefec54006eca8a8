"""Attacks on the feed, each refused with its own code and one sentence (FEED-1, FEED-8, exit 9)."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner

from tests.fakes import FakeClock
from tests.simulator import BUILT, Simulator, new_keys, release
from waiaas.core.errors import Exit, TrustRefused
from waiaas.core.value import replace

YEAR = 365 * 86400


@pytest.fixture
def feed() -> Simulator:
    simulator = Simulator(FakeClock())
    simulator.publish(release("1.9.0"))
    return simulator


def refused(feed: Simulator, folder: Path, **changes: object) -> TrustRefused:
    with pytest.raises(TrustRefused) as caught:
        feed.client(folder, **changes).refresh(5.0)
    assert caught.value.exit_code is Exit.TRUST
    assert "\n" not in caught.value.message
    assert caught.value.hint
    return caught.value


def test_feed_signed_by_other_keys(feed: Simulator, tmp_path: Path) -> None:
    other = Simulator(feed.clock)
    other.publish(release("9.9.9"))
    feed.answer(other.state())
    assert refused(feed, tmp_path).code == "feed-other-keys"


def test_other_feed_with_a_longer_chain_of_roots(feed: Simulator, tmp_path: Path) -> None:
    other = Simulator(feed.clock)
    other.rotate("root")
    feed.answer(other.state())
    assert refused(feed, tmp_path).code == "feed-other-keys"


def test_targets_signed_by_one_key_of_two(feed: Simulator, tmp_path: Path) -> None:
    feed.sign_with("targets", feed.signers["targets"][:1])
    assert refused(feed, tmp_path).code == "feed-other-keys"


def test_targets_signed_by_one_key_twice(feed: Simulator, tmp_path: Path) -> None:
    feed.sign_with("targets", feed.signers["targets"][:1] * 2)
    assert refused(feed, tmp_path).code == "feed-other-keys"


def test_targets_signed_by_stolen_online_keys(feed: Simulator, tmp_path: Path) -> None:
    feed.sign_with("targets", feed.signers["snapshot"] + feed.signers["timestamp"])
    assert refused(feed, tmp_path).code == "feed-other-keys"


def test_new_root_without_the_old_root_keys(feed: Simulator, tmp_path: Path) -> None:
    feed.signers["root"] = new_keys(3)
    feed._announce("root")
    feed.publish_root()
    assert refused(feed, tmp_path).code == "feed-other-keys"


def test_replayed_older_feed__FEED_8(feed: Simulator, tmp_path: Path) -> None:
    old = feed.state()
    feed.publish(release("1.9.1"))
    feed.client(tmp_path).refresh(5.0)
    feed.answer(old)
    assert refused(feed, tmp_path).code == "feed-replayed"


def test_replayed_targets_under_fresh_online_signatures__FEED_8(feed: Simulator, tmp_path: Path) -> None:
    old = feed.state()
    feed.publish(release("1.9.1"))
    feed.client(tmp_path).refresh(5.0)
    feed.resign_old_targets(old)
    assert refused(feed, tmp_path).code == "feed-replayed"


def test_the_same_after_the_cache_was_lost__FEED_8(feed: Simulator, tmp_path: Path) -> None:
    """TUF has forgotten everything then; the floor has not."""
    old = feed.state()
    feed.publish(release("1.9.1"))
    feed.client(tmp_path).refresh(5.0)
    feed.resign_old_targets(old)
    empty = tmp_path / "new-cache"
    assert refused(feed, tmp_path, cache_dir=empty).code == "feed-replayed"
    feed.publish_targets()
    assert feed.client(tmp_path, cache_dir=empty).refresh(5.0)


def test_older_targets_than_the_build_carries__FEED_8(feed: Simulator, tmp_path: Path) -> None:
    assert refused(feed, tmp_path, build_floor=feed.targets.version + 1).code == "feed-replayed"


def test_a_damaged_floor_warns_and_the_build_s_floor_still_holds__FEED_8(
    feed: Simulator, tmp_path: Path
) -> None:
    (tmp_path / "floors.json").write_text("{")
    catalogue = feed.client(tmp_path, build_floor=feed.targets.version).refresh(5.0)
    assert "floors.json" in catalogue.warnings[0]
    (tmp_path / "floors.json").write_text("{")
    assert refused(feed, tmp_path, build_floor=feed.targets.version + 1).code == "feed-replayed"


def test_new_targets_keys_reset_the_floor__FEED_8(feed: Simulator, tmp_path: Path) -> None:
    """Who stole targets keys and signed version a billion must not lock everybody out."""
    feed.targets.version = 10**9
    feed.publish_targets()
    feed.client(tmp_path).refresh(5.0)
    feed.targets.version = 5
    feed.rotate("snapshot")
    feed.rotate("targets")
    catalogue = feed.client(tmp_path, cache_dir=tmp_path / "new", build_floor=10**9).refresh(5.0)
    assert catalogue.targets_version == feed.targets.version


@pytest.mark.parametrize("role", ["root", "timestamp", "snapshot", "targets"])
def test_expired_metadata(feed: Simulator, tmp_path: Path, role: str) -> None:
    feed.expire(role)
    problem = refused(feed, tmp_path)
    assert problem.code == "feed-expired"
    assert role in problem.message
    assert "clock" not in problem.message


def test_freeze(feed: Simulator, tmp_path: Path) -> None:
    feed.client(tmp_path).refresh(5.0)
    feed.clock.time += 13.9 * 86400
    feed.client(tmp_path).refresh(5.0)
    feed.clock.time += 0.2 * 86400
    assert refused(feed, tmp_path).code == "feed-expired"


def test_clock_set_back_revives_nothing__FEED_8(feed: Simulator, tmp_path: Path) -> None:
    """The machine says it is the day this feed was signed; the program was built long after."""
    assert refused(feed, tmp_path, build_time=BUILT + 300 * 86400).code == "feed-expired"


def test_time_signed_by_the_targets_keys_is_remembered__FEED_8(feed: Simulator, tmp_path: Path) -> None:
    old = feed.state()
    feed.clock.time += YEAR
    feed.rotate("root")  # a new root, since the old one may end
    feed.refresh()
    feed.publish(release("1.9.1", built=int(feed.clock.now())))
    feed.client(tmp_path).refresh(5.0)
    feed.clock.time -= YEAR
    feed.answer(old)
    problem = refused(feed, tmp_path, cache_dir=tmp_path / "new")
    assert problem.code == "feed-expired"


def test_online_keys_cannot_move_the_clock__FEED_8(feed: Simulator, tmp_path: Path) -> None:
    feed.clock.time += YEAR / 2
    feed.publish_snapshot()
    feed.clock.time -= YEAR / 2
    feed.client(tmp_path).refresh(5.0)
    assert json.loads((tmp_path / "floors.json").read_text())["signedTime"] == BUILT


def test_far_future_signed_by_stolen_targets_keys_ends_with_these_keys__FEED_8(
    feed: Simulator, tmp_path: Path
) -> None:
    bad = feed.publish(release("1.9.9", built=BUILT + 50 * YEAR))
    feed.client(tmp_path).refresh(5.0)
    assert refused(feed, tmp_path).code == "feed-expired"
    feed.targets.targets.pop(bad.target)
    feed.rotate("targets")
    assert feed.client(tmp_path).refresh(5.0).releases


def test_clock_far_ahead_is_named_as_a_suspect__FEED_8(feed: Simulator, tmp_path: Path) -> None:
    feed.clock.time += 10 * YEAR
    problem = refused(feed, tmp_path)
    assert problem.code == "feed-expired"
    assert "clock" in problem.message and "2036" in problem.message


def test_mix_of_two_states(feed: Simulator, tmp_path: Path) -> None:
    old = feed.state()
    feed.publish(release("1.9.1"))
    version = feed.targets.version
    feed.served[f"metadata/{version}.targets.json"] = old[f"metadata/{version - 1}.targets.json"]
    assert refused(feed, tmp_path).code == "feed-broken"


def damage(feed: Simulator) -> dict[str, bytes]:
    return {
        "empty": b"",
        "web page": b"<!doctype html><title>Sign in</title>",
        "deep nesting": b"[" * 100_000,
        "not a number": b'{"signed": NaN}',
        "not UTF-8": b'{"signed": "\xff"}',
        "another role": feed.served["metadata/1.snapshot.json"],
    }


@pytest.mark.parametrize(
    "kind", ["empty", "web page", "deep nesting", "not a number", "not UTF-8", "another role"]
)
def test_anything_but_a_timestamp(feed: Simulator, tmp_path: Path, kind: str) -> None:
    feed.served["metadata/timestamp.json"] = damage(feed)[kind][:16000]
    assert refused(feed, tmp_path).code == "feed-broken"


def test_endless_timestamp(feed: Simulator, tmp_path: Path) -> None:
    feed.served["metadata/timestamp.json"] = b" " * 20_000
    assert refused(feed, tmp_path).code == "feed-broken"


def test_web_page_for_the_next_root(feed: Simulator, tmp_path: Path) -> None:
    feed.served["metadata/2.root.json"] = b"<html>"
    assert refused(feed, tmp_path).code == "feed-broken"


@pytest.mark.parametrize("make", [CryptoSigner.generate_ecdsa, CryptoSigner.generate_rsa])
def test_root_with_keys_of_another_kind__FEED_1(
    feed: Simulator, tmp_path: Path, make: Callable[[], CryptoSigner]
) -> None:
    feed.signers["timestamp"] = [make()]
    feed._announce("timestamp")
    feed.publish_root()
    feed.publish_timestamp()
    problem = refused(feed, tmp_path)
    assert problem.code == "feed-broken"
    assert "Ed25519" in problem.message


def test_release_data_of_wrong_types_is_left_out(feed: Simulator, tmp_path: Path) -> None:
    good = feed.publish(release("1.9.1"))
    feed.publish_custom("waiaas-1.9.2.pyz", b"x", {"format": 1, "version": ["1.9.2"]})
    catalogue = feed.client(tmp_path).refresh(5.0)
    assert good in catalogue.releases and len(catalogue.releases) == 2
    assert "waiaas-1.9.2.pyz" in catalogue.warnings[0]


def test_release_that_takes_another_s_name_is_left_out(feed: Simulator, tmp_path: Path) -> None:
    from waiaas.core.release import to_custom

    feed.publish_custom("waiaas-1.9.2.pyz", b"x", to_custom(release("1.9.3")))
    catalogue = feed.client(tmp_path).refresh(5.0)
    assert [str(r.version) for r in catalogue.releases] == ["1.9.0"]
    assert catalogue.warnings


def test_a_feed_that_forgot_its_newest_release_is_noticed(feed: Simulator, tmp_path: Path) -> None:
    newest = feed.publish(replace(release("1.9.5"), seq=99999))
    feed.client(tmp_path).refresh(5.0)
    feed.targets.targets.pop(newest.target)
    feed.publish_targets()
    assert "no longer lists" in feed.client(tmp_path).refresh(5.0).warnings[0]


def test_a_root_of_trust_that_is_none_is_not_blamed_on_the_feed(feed: Simulator, tmp_path: Path) -> None:
    for root in (b"", b"{}", feed.served["metadata/timestamp.json"]):
        assert refused(feed, tmp_path, root=root).code == "no-root-of-trust"
    assert feed.requests == []
