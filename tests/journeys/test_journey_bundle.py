"""The air-gapped journey with the built artefact: made on a connected site, carried, used (BNDL-1…3)."""

import gzip
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import FakeClock
from tests.journeys.alone import without_network
from tests.journeys.api import health
from tests.journeys.witness import Witness, last_run, told
from tests.journeys.workshop import Feed, Site, Workshop, site
from tests.simulator import Simulator, release
from tests.upgrade.carriage import by_hand
from waiaas.core.bundle import read
from waiaas.core.release import SchemaRange

YEAR = 365 * 86400


@pytest.fixture
def bundle(installed: Site, tmp_path: Path) -> Path:
    """Made by the connected site from its feed."""
    path = tmp_path / "stick" / "waiaas.tgz"
    path.parent.mkdir()
    made = installed.json("bundle", "create", "-o", str(path))
    assert made["version"] == "1.8.1"
    return path


@pytest.fixture
def gap(workshop: Workshop, tmp_path: Path) -> Iterator[Site]:
    """An installation of the same program whose feed nobody serves."""
    with site(tmp_path / "gap", workshop.current) as made:
        made.ok("init")
        yield made


def test_the_whole_journey_without_a_network__BNDL_1(
    workshop: Workshop, bundle: Path, tmp_path: Path
) -> None:
    without_network("whole_journey", tmp_path / "alone", workshop.current, bundle)


def test_hostile_bundles_change_nothing_without_a_network__BNDL_1(
    workshop: Workshop, bundle: Path, tmp_path: Path
) -> None:
    without_network("hostile", tmp_path / "alone", workshop.current, *hostile_bundles(bundle, tmp_path))


def test_the_journey_with_the_network_switched_off__CLI_6(gap: Site, bundle: Path) -> None:
    """The same where no namespace is to be had: `--offline`, and a feed address where nobody is."""
    gap.ok("start", "--detach")
    done = gap.ok("--offline", "upgrade", "--from", str(bundle))
    assert "Upgraded: 1.8.0 → 1.8.1" in done.out
    assert health(gap)["version"] == "1.8.1"
    gap.ok("--offline", "upgrade", "--rollback")
    assert health(gap)["version"] == "1.8.0"


def test_nothing_is_asked_of_the_feed_once_the_bundle_is_made__BNDL_1(
    installed: Site, feed: Feed, bundle: Path
) -> None:
    feed.requests.clear()
    installed.ok("upgrade", "--from", str(bundle), "--no-start")
    installed.ok("bundle", "verify", str(bundle))
    assert feed.requests == []


def hostile_bundles(bundle: Path, folder: Path) -> list[Path]:
    """Truncated, edited, signed by others, alone."""
    good = bundle.read_bytes()
    edited = bytearray(good)
    edited[-5000] ^= 1
    sealed = bytearray(gzip.decompress(good))
    sealed[-5000] ^= 1
    made = {
        "truncated.tgz": good[:-1000],
        "half.tgz": good[: len(good) // 2],
        "edited.tgz": bytes(edited),
        "sealed.tgz": gzip.compress(sealed),
        "longer.tgz": good + b"\0",
        "waiaas-1.8.1.pyz": b"#!/usr/bin/env python3\n",
    }
    for name, data in made.items():
        (folder / name).write_bytes(data)
    other = Simulator(FakeClock(time.time()))
    wrong = by_hand(other, other.publish(release("1.8.1"), b"x"), folder / "wrong-keys.tgz", b"x")
    return [*(folder / name for name in made), wrong]


def test_hostile_bundles_change_nothing__BNDL_1(gap: Site, bundle: Path, tmp_path: Path) -> None:
    gap.ok("start", "--detach")
    witness = Witness(gap)
    for path in hostile_bundles(bundle, tmp_path):
        told(gap.run("upgrade", "--from", str(path)), 9)
        witness.nothing_happened()
    told(gap.run("upgrade", "--from", str(tmp_path / "absent.tgz")), 1)
    witness.nothing_happened()


def test_a_feed_s_folder_and_a_bare_program_beside_its_metadata__BNDL_2(
    gap: Site, feed: Feed, workshop: Workshop
) -> None:
    assert gap.json("upgrade", "--from", str(feed.folder), "--check")["path"] == ["1.8.1"]
    alone = feed.folder.parent / "waiaas-1.8.1.pyz"
    alone.write_bytes(workshop.patch.read_bytes())
    assert "waiaas bundle create" in told(gap.run("upgrade", "--from", str(alone)), 9)["hint"]
    beside = feed.folder / "waiaas-1.8.1.pyz"
    alone.rename(beside)
    assert "Upgraded: 1.8.0 → 1.8.1" in gap.ok("upgrade", "--from", str(beside), "--no-start").out


def test_a_private_feed_with_its_own_root__BNDL_1(workshop: Workshop, tmp_path: Path, gap: Site) -> None:
    """Its bundle is good where `trusted_root` says so, and nowhere else."""
    workshop.maker("keys", "--dir", str(tmp_path / "own"), "--plain")
    private = Feed(workshop, tmp_path / "private")
    try:
        private.publish(workshop.current, workshop.patch, keys=tmp_path / "own")
        own = {"WAIAAS_UPGRADE_TRUSTED_ROOT": str(tmp_path / "own" / "root.json")}
        path = str(tmp_path / "private.tgz")
        gap.ok("bundle", "create", "-o", path, WAIAAS_UPGRADE_FEED_URL=private.url, **own)
    finally:
        private.close()
    with site(tmp_path / "other", workshop.current) as other:
        other.ok("init")
        assert "keys" in told(other.run("upgrade", "--from", path), 9)["error"]
        other.ok("upgrade", "--from", path, "--no-start", **own)


def old_bundle(workshop: Workshop, folder: Path, age: float) -> tuple[Path, dict[str, str]]:
    """A bundle that was signed `age` seconds ago, and the setting that trusts its keys."""
    feed = Simulator(FakeClock(time.time() - age))
    payload = workshop.patch.read_bytes()
    new = feed.publish(release("1.8.1", schema=SchemaRange(11, 16, 16, 16)), payload)
    (folder / "root.json").write_bytes(feed.trusted)
    path = by_hand(feed, new, folder / "old.tgz", payload)
    return path, {"WAIAAS_UPGRADE_TRUSTED_ROOT": str(folder / "root.json")}


def test_a_bundle_some_months_old_is_taken_and_its_age_is_said__BNDL_3(
    workshop: Workshop, gap: Site, tmp_path: Path
) -> None:
    path, own = old_bundle(workshop, tmp_path, 100 * 86400)
    done = gap.ok("upgrade", "--from", str(path), "--no-start", **own)
    assert "86 days ago" in done.err
    assert "65 days ago" in done.err
    assert "UPGRADE_EXPIRED_ACCEPTED" not in json.dumps(gap.json("audit"))


def test_a_bundle_a_year_old_is_taken_only_in_so_many_words_and_audited__BNDL_3(
    workshop: Workshop, gap: Site, tmp_path: Path
) -> None:
    path, own = old_bundle(workshop, tmp_path, YEAR)
    witness = Witness(gap)
    problem = told(gap.run("upgrade", "--from", str(path), **own), 9)
    assert "183 days ago" in problem["error"]
    assert "--accept-expired" in problem["hint"]
    told(gap.run("upgrade", "--from", str(path), "--accept-expired", **own), 2)
    witness.nothing_happened()
    gap.ok("upgrade", "--from", str(path), "--accept-expired", "--yes", "--no-start", **own)
    assert last_run(gap)["to"] == "1.8.1"
    [row] = [r for r in gap.json("audit") if r["eventType"] == "UPGRADE_EXPIRED_ACCEPTED"]
    assert row["details"] == {"source": str(path), "expired": ["targets"]}
    assert row["severity"] == "warning"


def test_no_secret_is_in_a_bundle__DMN_6(installed: Site, bundle: Path) -> None:
    plain = gzip.decompress(bundle.read_bytes())
    assert installed.token.encode() not in plain
    contents, _ = read([bundle.read_bytes()])
    assert b"private" not in b"".join(contents.metadata.values()).lower()
