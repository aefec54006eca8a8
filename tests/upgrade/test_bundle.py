"""Offline bundles between two sites: made from a verified feed, verified by the same client (BNDL-1…3)."""

import stat
from pathlib import Path

import pytest

from tests.simulator import Simulator, release
from tests.tars import extract
from tests.upgrade.carriage import PAYLOAD, host, later, make, open_bundle
from waiaas.core.bundle import read
from waiaas.core.errors import TrustRefused, WaiaasError
from waiaas.core.release import Release
from waiaas.host.problems import NetworkProblem
from waiaas.upgrade.bundle_make import create


def quiet(_done: int, _total: int) -> None:
    return


def test_a_release_goes_from_site_to_site__BNDL_1(feed: Simulator, new: Release, tmp_path: Path) -> None:
    made = make(feed, new, tmp_path)
    feed.requests.clear()
    carried = open_bundle(feed, made.path, tmp_path)
    catalogue = carried.refresh()
    assert [str(r.version) for r in catalogue.releases] == ["1.9.0", "1.8.0"]
    assert catalogue.at_hand == {new.version}
    assert catalogue.expired == ()
    assert catalogue.warnings == ()
    seen: list[int] = []
    carried.download(new, tmp_path / "staged", 5.0, lambda done, _total: seen.append(done))
    assert (tmp_path / "staged").read_bytes() == PAYLOAD
    assert stat.S_IMODE((tmp_path / "staged").stat().st_mode) == 0o755
    assert seen[-1] == len(PAYLOAD)
    assert feed.requests == []


def test_the_same_feed_gives_the_same_bytes__BNDL_1(feed: Simulator, new: Release, tmp_path: Path) -> None:
    first = make(feed, new, tmp_path)
    again = make(feed, new, tmp_path / "connected")
    assert first.sha256 == again.sha256
    assert first.path.read_bytes() == again.path.read_bytes()
    assert first.size == first.path.stat().st_size
    assert stat.S_IMODE(first.path.stat().st_mode) == 0o644


def test_a_bundle_carries_every_root__BNDL_3(feed: Simulator, new: Release, tmp_path: Path) -> None:
    """Made by a program that trusts root 4, used by one that knows root 1 only."""
    for role in ("root", "timestamp", "targets"):
        feed.rotate(role)
    made = make(feed, new, tmp_path, root=feed.served["metadata/4.root.json"])
    assert made.roots == 4
    contents, _ = read([made.path.read_bytes()])
    assert [name for name in contents.metadata if "root" in name] == [
        f"metadata/{number}.root.json" for number in (1, 2, 3, 4)
    ]
    assert open_bundle(feed, made.path, tmp_path).refresh().at_hand == {new.version}


def test_a_feed_that_lost_its_old_roots_makes_no_bundle__BNDL_3(
    feed: Simulator, new: Release, tmp_path: Path
) -> None:
    feed.rotate("root")
    second = feed.served["metadata/2.root.json"]
    del feed.served["metadata/1.root.json"]
    with pytest.raises(TrustRefused) as refused:
        make(feed, new, tmp_path, root=second)
    assert "no root 1" in refused.value.message
    assert [p.name for p in tmp_path.iterdir()] == ["connected"]


def test_old_roots_that_lead_elsewhere_make_no_bundle__BNDL_3(
    feed: Simulator, new: Release, tmp_path: Path
) -> None:
    feed.rotate("root")
    second = feed.served["metadata/2.root.json"]
    feed.served["metadata/1.root.json"] = Simulator(feed.clock).trusted
    with pytest.raises(TrustRefused):
        make(feed, new, tmp_path, root=second)
    assert [p.name for p in tmp_path.iterdir()] == ["connected"]


@pytest.mark.parametrize("damage", [PAYLOAD[:-1], PAYLOAD + b"!", b"\0" * len(PAYLOAD)])
def test_wrong_bytes_never_become_a_bundle__BNDL_1(
    feed: Simulator, new: Release, tmp_path: Path, damage: bytes
) -> None:
    feed.served[f"targets/{new.sha256}.{new.target}"] = damage
    with pytest.raises(TrustRefused) as refused:
        make(feed, new, tmp_path)
    assert refused.value.code == "wrong-bytes"
    assert [p.name for p in tmp_path.iterdir()] == ["connected"]


def test_a_broken_download_leaves_an_old_bundle_alone(feed: Simulator, new: Release, tmp_path: Path) -> None:
    made = make(feed, new, tmp_path)
    before = made.path.read_bytes()
    feed.broken[f"targets/{new.sha256}.{new.target}"] = NetworkProblem("network-broken", "broke off")
    with pytest.raises(NetworkProblem):
        make(feed, new, tmp_path)
    assert made.path.read_bytes() == before


def test_a_place_that_cannot_be_written_is_said_plainly(
    feed: Simulator, new: Release, tmp_path: Path
) -> None:
    client = feed.client(tmp_path)
    client.refresh(5.0)
    with pytest.raises(WaiaasError) as problem:
        create(host(feed), client, new, tmp_path / "absent" / "x.tgz", quiet)
    assert problem.value.code == "cannot-write"


def test_a_bundle_is_remembered_like_a_look_at_the_feed__FEED_8(
    feed: Simulator, new: Release, tmp_path: Path
) -> None:
    old = make(feed, new, tmp_path)
    newer = make(feed, feed.publish(release("1.9.1"), PAYLOAD), tmp_path)
    open_bundle(feed, newer.path, tmp_path).refresh()
    with pytest.raises(TrustRefused) as refused:
        open_bundle(feed, old.path, tmp_path).refresh()
    assert refused.value.code == "feed-replayed"
    assert "the bundle" in refused.value.message
    assert "bundle create" in refused.value.hint


def test_floors_hold_when_the_cache_is_gone_and_age_was_accepted__BNDL_3(
    feed: Simulator, new: Release, tmp_path: Path
) -> None:
    import shutil

    old = make(feed, new, tmp_path)
    newer = make(feed, feed.publish(release("1.9.1"), PAYLOAD), tmp_path)
    open_bundle(feed, newer.path, tmp_path).refresh()
    shutil.rmtree(tmp_path / "metadata")
    later(feed.clock, 1000)
    with pytest.raises(TrustRefused) as refused:
        open_bundle(feed, old.path, tmp_path, accept_expired=True).refresh()
    assert refused.value.code == "feed-replayed"


def test_metadata_newer_than_the_network_s_are_taken(feed: Simulator, new: Release, tmp_path: Path) -> None:
    feed.client(tmp_path).refresh(5.0)
    newer = feed.publish(release("1.9.1"), PAYLOAD)
    made = make(feed, newer, tmp_path)
    assert open_bundle(feed, made.path, tmp_path).refresh().at_hand == {newer.version}


def test_a_bundle_serves_a_site_that_is_online_at_times(
    feed: Simulator, new: Release, tmp_path: Path
) -> None:
    """The very state that this installation has seen is no replay."""
    made = make(feed, new, tmp_path)
    feed.client(tmp_path).refresh(5.0)
    assert open_bundle(feed, made.path, tmp_path).refresh().at_hand == {new.version}
    feed.publish_timestamp()
    assert feed.client(tmp_path).refresh(5.0).releases


# --- feeds in folders, and bare programs


def test_a_feed_s_folder_is_a_source__BNDL_2(feed: Simulator, new: Release, tmp_path: Path) -> None:
    feed.write(tmp_path / "stick")
    later(feed.clock, 20)
    carried = open_bundle(feed, tmp_path / "stick", tmp_path)
    catalogue = carried.refresh()
    assert catalogue.at_hand is None
    assert catalogue.expired == ("timestamp",)
    carried.download(new, tmp_path / "staged", 5.0, quiet)
    assert (tmp_path / "staged").read_bytes() == PAYLOAD


def test_an_unpacked_bundle_is_a_feed__BNDL_2(feed: Simulator, new: Release, tmp_path: Path) -> None:
    import tarfile

    made = make(feed, new, tmp_path)
    with tarfile.open(made.path) as tar:
        extract(tar, tmp_path / "unpacked")
    carried = open_bundle(feed, tmp_path / "unpacked", tmp_path)
    assert new in carried.refresh().releases
    carried.check_payload(new)


def test_a_folder_without_metadata_is_no_feed(feed: Simulator, tmp_path: Path) -> None:
    with pytest.raises(WaiaasError) as problem:
        open_bundle(feed, tmp_path, tmp_path)
    assert problem.value.code == "no-feed-here"


@pytest.mark.parametrize("name", ["waiaas-1.9.0.pyz", "renamed"])
def test_a_bare_program_beside_its_metadata_is_a_source__BNDL_2(
    feed: Simulator, new: Release, tmp_path: Path, name: str
) -> None:
    feed.write(tmp_path / "stick")
    program = tmp_path / "stick" / name
    program.write_bytes(PAYLOAD)
    carried = open_bundle(feed, program, tmp_path)
    assert carried.refresh().at_hand == {new.version}
    carried.download(new, tmp_path / "staged", 5.0, quiet)
    assert (tmp_path / "staged").read_bytes() == PAYLOAD


def test_a_bare_program_alone_is_refused_with_the_way_to_a_bundle__BNDL_2(
    feed: Simulator, tmp_path: Path
) -> None:
    program = tmp_path / "waiaas-1.9.0.pyz"
    program.write_bytes(PAYLOAD)
    with pytest.raises(TrustRefused) as refused:
        open_bundle(feed, program, tmp_path)
    assert refused.value.code == "bare-program"
    assert "waiaas bundle create" in refused.value.hint


def test_an_edited_program_beside_true_metadata_is_refused__BNDL_2(
    feed: Simulator, new: Release, tmp_path: Path
) -> None:
    feed.write(tmp_path / "stick")
    program = tmp_path / "stick" / "waiaas-1.9.0.pyz"
    program.write_bytes(PAYLOAD + b"!")
    with pytest.raises(TrustRefused) as refused:
        open_bundle(feed, program, tmp_path).refresh()
    assert refused.value.code == "bundle-unsigned"
