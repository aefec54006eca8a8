"""Release shells in the feed: added to one release, under plain names, and never seen by a client (DSK-1)."""

from pathlib import Path

import pytest
from bench import Bench
from desktops import LINUX, bundles, release
from tuf.api.metadata import Metadata, Targets

from tests.fakes import FakeClock
from waiaas.core.errors import TrustRefused, UsageError, WaiaasError
from waiaas.core.version import Version
from waiaas.host.clock import Clock
from waiaas.host.files import Files
from waiaas.host.http import Network
from waiaas.release import shells
from waiaas.release.repository import verify
from waiaas.upgrade.feed import Feed
from waiaas.upgrade.floors import Floors


def test_clients_never_see_a_bundle__DSK_1(bench: Bench, tmp_path: Path) -> None:
    """The product's own client, and the library's, on a feed with bundles in it."""
    release(bench, "1.8.0")
    release(bench, "1.9.0")
    assert [str(r.version) for r in verify(bench.feed, bench.first_root)] == ["1.8.0", "1.9.0"]
    clock = FakeClock(bench.clock.now())
    feed = Feed(
        bench.feed.as_uri(),
        tmp_path / "cache",
        bench.first_root,
        Network({}, Clock()),
        clock,
        Files(),
        Floors(tmp_path / "floors.json", Files()),
        0,
    )
    seen = feed.refresh(30.0)
    assert [str(r.version) for r in seen.releases] == ["1.9.0", "1.8.0"]
    assert seen.warnings == ()
    feed.download(seen.releases[0], tmp_path / "staged", 30.0, lambda done, total: None)
    assert (tmp_path / "staged").read_bytes() == (bench.folder / "waiaas-1.9.0.pyz").read_bytes()


def test_bundles_can_be_added_to_a_published_release__DSK_1(bench: Bench) -> None:
    bench.publish("1.9.0")
    before = bench.releases()
    release(bench, "1.9.0", LINUX)
    assert bench.releases() == before
    repository = bench.maker.repository(bench.feed)
    assert [shell.platform for shell in repository.shells()] == [LINUX]
    listing = bench.listing()
    release(bench, "1.9.0", LINUX)
    assert bench.listing() == listing, "again: nothing changes"
    other = bundles(bench, "1.9.0", LINUX)
    other[LINUX].write_bytes(b"other bytes")
    with pytest.raises(WaiaasError) as refused:
        bench.publish("1.9.0", shells=other)
    assert refused.value.code == "version-taken"
    assert bench.listing() == listing


@pytest.mark.parametrize("text", ["", "linux-x86_64", "linux-x86_64=", "beos-x86=f", "linux-x86_64-zip=f"])
def test_a_wish_that_names_no_platform_is_usage__DSK_1(text: str) -> None:
    with pytest.raises(UsageError):
        shells.read_wish(text)


@pytest.mark.parametrize("name", ["evil.pyz", ".hidden", "a b", "x" * 200])
def test_a_name_that_a_client_might_trip_over_is_refused__DSK_1(name: str, bench: Bench) -> None:
    path = bench.folder / name
    path.write_bytes(b"x")
    with pytest.raises(UsageError):
        bench.publish("1.9.0", shells={LINUX: path})
    assert not bench.feed.exists()


def test_bundles_belong_to_one_release__DSK_1(bench: Bench) -> None:
    with pytest.raises(UsageError, match="one release"):
        bench.publish("1.8.0", "1.9.0", shells=bundles(bench, "1.9.0"))
    with pytest.raises(UsageError, match="named twice"):
        shells.described(Version.parse("1.9.0"), [*bundles(bench, "1.9.0", LINUX).items()] * 2)


def test_a_bundle_of_an_unknown_kind_is_refused__DSK_1(bench: Bench) -> None:
    release(bench, "1.9.0", LINUX)
    repository = bench.maker.repository(bench.feed)
    current = repository.draft([], {}, b"").targets
    for old, new in (
        (b'"kind":"shell"', b'"kind":"other"'),
        (b'"format":1,"kind"', b'"format":2,"kind"'),
        (b'"platform":"linux-x86_64"', b'"platform":"linux-aarch64"'),
    ):
        assert old in current
        changed = current.replace(old, new)
        targets = Metadata[Targets].from_bytes(changed).signed.targets.values()
        with pytest.raises(TrustRefused):
            shells.shells_among(targets)
