"""Looking at a bundle: what is proved, and what is only said to be written there (BNDL-1, FEED-8)."""

from pathlib import Path

import pytest

from tests.simulator import Simulator, release
from tests.upgrade.carriage import PAYLOAD, host, make
from waiaas.core.errors import TrustRefused, WaiaasError
from waiaas.core.release import Release
from waiaas.core.settings import Settings, UpgradeSettings
from waiaas.upgrade import bundle_look, trust

# --- looking


def settings_of(feed: Simulator, folder: Path) -> Settings:
    """A private feed: the root of trust is a file that `trusted_root` names."""
    (folder / "root.json").write_bytes(feed.trusted)
    return Settings(upgrade=UpgradeSettings(trusted_root=str(folder / "root.json")))


def test_verify_proves_all_and_remembers_nothing__BNDL_1(
    feed: Simulator, new: Release, tmp_path: Path
) -> None:
    made = make(feed, new, tmp_path)
    settings, cache, floors = settings_of(feed, tmp_path), tmp_path / "metadata", tmp_path / "floors.json"
    feed.client(tmp_path).refresh(5.0)
    before = {p: p.lstat().st_mtime_ns for p in sorted(tmp_path.rglob("*"))}
    found = bundle_look.verify(host(feed), settings, cache, floors, made.path)
    assert found.releases == (new,)
    assert {p: p.lstat().st_mtime_ns for p in sorted(tmp_path.rglob("*"))} == before


def test_verify_works_where_nothing_was_seen_before(feed: Simulator, new: Release, tmp_path: Path) -> None:
    made = make(feed, new, tmp_path)
    absent = tmp_path / "absent"
    found = bundle_look.verify(host(feed), settings_of(feed, tmp_path), absent, absent / "f", made.path)
    assert found.catalogue.at_hand == {new.version}
    assert not absent.exists()


def test_verify_refuses_what_an_upgrade_would_refuse__FEED_8(
    feed: Simulator, new: Release, tmp_path: Path
) -> None:
    made = make(feed, new, tmp_path)
    feed.publish(release("1.9.1"), PAYLOAD)
    feed.client(tmp_path).refresh(5.0)
    with pytest.raises(TrustRefused) as refused:
        bundle_look.verify(
            host(feed),
            settings_of(feed, tmp_path),
            tmp_path / "metadata",
            tmp_path / "floors.json",
            made.path,
        )
    assert refused.value.code == "feed-replayed"


def test_a_private_feed_has_its_own_root__BNDL_1(feed: Simulator, new: Release, tmp_path: Path) -> None:
    made = make(feed, new, tmp_path)
    private = Simulator(feed.clock)
    with pytest.raises(TrustRefused) as refused:
        bundle_look.verify(
            host(feed), settings_of(private, tmp_path), tmp_path / "m", tmp_path / "f", made.path
        )
    assert refused.value.code == "feed-other-keys"
    assert trust.root_of_trust(settings_of(feed, tmp_path)) == feed.trusted


def test_show_believes_nothing_and_says_what_is_written(
    feed: Simulator, new: Release, tmp_path: Path
) -> None:
    made = make(feed, new, tmp_path)
    _, contents = bundle_look.show(made.path, feed.clock)
    assert contents.payload.version == new.version
    claims = bundle_look.claims(contents)
    assert claims["targets"] == (feed.targets.version, feed.targets.expires.timestamp())
    assert claims["root"][0] == 1


@pytest.mark.parametrize(
    "junk", [b"", b"[]", b"{", b"[" * 100_000, b'{"signed": {"version": [], "expires": 3}}']
)
def test_show_survives_metadata_of_any_kind(
    feed: Simulator, new: Release, tmp_path: Path, junk: bytes
) -> None:
    made = make(feed, new, tmp_path)
    _, contents = bundle_look.show(made.path, feed.clock)
    for name in contents.metadata:
        contents.metadata[name] = junk  # type: ignore[index]
    assert set(bundle_look.claims(contents).values()) == {(None, None)}


def test_show_is_for_bundles(feed: Simulator, new: Release, tmp_path: Path) -> None:
    feed.write(tmp_path / "stick")
    with pytest.raises(WaiaasError) as problem:
        bundle_look.show(tmp_path / "stick", feed.clock)
    assert problem.value.code == "no-bundle"
