"""The stories of the maker: what may be published, who signs, what a second try does."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bench import COMPAT, Bench, artefact, never
from hypothesis import given
from hypothesis import strategies as st

from waiaas.core.errors import Busy, UsageError, WaiaasError
from waiaas.core.release import Release, Rollout, SchemaRange, Withdrawal
from waiaas.core.version import Version
from waiaas.host.files import Files
from waiaas.host.locks import Lock
from waiaas.release import artefact as inside
from waiaas.release import keys, pending, publish
from waiaas.release.archive import pack
from waiaas.release.repository import verify
from waiaas.release.withdrawal import target


def versions(bench: Bench) -> list[str]:
    return [str(release.version) for release in verify(bench.feed, bench.first_root)]


def test_the_same_bytes_twice_change_nothing__RLSE_05(bench: Bench) -> None:
    assert bench.publish("1.8.0") == 1
    before = bench.listing()
    assert bench.publish("1.8.0") is None
    assert bench.listing() == before


def test_a_version_is_never_used_again_for_other_bytes__WDR_2(bench: Bench) -> None:
    bench.publish("1.8.0")
    before = bench.listing()
    with pytest.raises(WaiaasError) as refused:
        bench.publish("1.8.0", extra=b"other")
    assert refused.value.code == "version-taken"
    assert bench.listing() == before


def test_seq_rises_strictly_whatever_the_versions__FEED_3(bench: Bench) -> None:
    bench.publish("1.9.0", "1.8.0")
    bench.publish("1.8.1")
    assert {v: r.seq for v, r in bench.releases().items()} == {"1.8.0": 1, "1.9.0": 2, "1.8.1": 3}  # type: ignore[attr-defined]


def test_a_release_candidate_goes_to_channel_rc_only__RLSE_06(bench: Bench) -> None:
    bench.publish("1.8.0", "1.9.0-rc.1")
    assert [r.channel for r in bench.releases().values()] == ["stable", "rc"]  # type: ignore[attr-defined]
    with pytest.raises(UsageError) as refused:
        bench.publish("1.9.0-rc.2", channel="stable")
    assert refused.value.code == "rc-in-stable"


def test_terms_are_written_as_they_were_given__FEED_3(bench: Bench) -> None:
    bench.publish("1.8.0")
    old = Version.parse("1.8.0")
    bench.publish(
        "1.9.0", rollout=20, critical=True, min_from=old, via=(old,), min_safe=old, notes_url="https://n"
    )
    release = bench.releases()["1.9.0"]
    assert isinstance(release, Release)
    assert release.rollout == Rollout(bench.clock.seconds(), ((0, 20),))
    assert (release.min_from, release.via, release.min_safe) == (old, (old,), old)
    assert (release.critical, release.notes_url, release.python) == (True, "https://n", ">=3.11")
    assert (release.commit, release.built) == ("c0ffee", 1700000000)


def test_a_stepping_stone_must_exist__FEED_3(bench: Bench) -> None:
    with pytest.raises(UsageError) as refused:
        bench.publish("1.9.0", via=(Version.parse("1.8.0"),))
    assert refused.value.code == "unknown-version"


def test_several_people_sign_the_same_frozen_bytes__FEED_1(bench: Bench) -> None:
    bench.publish("1.8.0")
    file = artefact(bench.folder, "1.9.0")
    folder = publish.prepare(bench.maker, bench.feed, [file], publish.Terms(), b"")
    assert folder == bench.folder / "feed.pending"
    elsewhere = Path(shutil.copytree(folder, bench.folder / "stick"))
    online = bench.folder / "online"
    online.mkdir()
    for name in ("snapshot-1.pem", "timestamp-1.pem"):
        shutil.copy(bench.keys / name, online)
    ring, before = keys.load_folder(online, never), bench.listing()
    for number in (1, 3):
        with pytest.raises(WaiaasError) as refused:
            publish.publish_pending(bench.maker, bench.feed, ring)
        assert refused.value.code == "signatures-missing"
        assert bench.listing() == before
        [signature] = bench.sign(elsewhere, f"targets-{number}")
        shutil.copy(signature, folder)
    assert publish.publish_pending(bench.maker, bench.feed, ring) == 2
    assert versions(bench) == ["1.8.0", "1.9.0"]
    assert not folder.exists()
    assert publish.publish_pending(bench.maker, bench.feed, ring) is None, "again: nothing waits"


def test_the_first_release_can_be_prepared_too__FEED_1(bench: Bench) -> None:
    root = (bench.keys / "root.json").read_bytes()
    publish.prepare(bench.maker, bench.feed, [artefact(bench.folder, "1.8.0")], publish.Terms(), root)
    assert not bench.feed.exists()
    assert publish.publish_pending(bench.maker, bench.feed, bench.ring) == 1
    assert bench.first_root == root
    assert versions(bench) == ["1.8.0"]


@pytest.mark.parametrize("name", ["root-1", "snapshot-1"])
def test_only_a_targets_key_signs_targets__FEED_1(name: str, bench: Bench) -> None:
    bench.publish("1.8.0")
    folder = publish.prepare(bench.maker, bench.feed, [artefact(bench.folder, "1.9.0")], publish.Terms(), b"")
    assert folder is not None
    with pytest.raises(UsageError) as refused:
        bench.sign(folder, name)
    assert refused.value.code == "foreign-key"


def test_frozen_bytes_or_payloads_that_were_exchanged_are_refused__FEED_1(bench: Bench) -> None:
    bench.publish("1.8.0")
    before = bench.listing()
    folder = publish.prepare(bench.maker, bench.feed, [artefact(bench.folder, "1.9.0")], publish.Terms(), b"")
    assert folder is not None
    for number in (1, 2):
        bench.sign(folder, f"targets-{number}")
    online = bench.folder / "online"
    online.mkdir()
    for name in ("snapshot-1.pem", "timestamp-1.pem"):
        shutil.copy(bench.keys / name, online)
    frozen = folder / "targets.json"
    good = frozen.read_bytes()
    frozen.write_bytes(good.replace(b'"critical":false', b'"critical":true'))
    payload = next((folder / "targets").iterdir())
    with pytest.raises(WaiaasError) as refused:
        publish.publish_pending(bench.maker, bench.feed, keys.load_folder(online, never))
    assert refused.value.code == "pending-tampered"
    frozen.write_bytes(good)
    payload.write_bytes(b"evil")
    with pytest.raises(WaiaasError) as refused:
        publish.publish_pending(bench.maker, bench.feed, keys.load_folder(online, never))
    assert refused.value.code == "pending-tampered"
    assert bench.listing() == before


def test_a_change_prepared_before_another_one_is_stale__FEED_1(bench: Bench) -> None:
    bench.publish("1.8.0")
    publish.prepare(bench.maker, bench.feed, [artefact(bench.folder, "1.9.0")], publish.Terms(), b"")
    with pytest.raises(WaiaasError) as refused:
        publish.prepare(bench.maker, bench.feed, [artefact(bench.folder, "1.9.1")], publish.Terms(), b"")
    assert refused.value.code == "already-prepared"
    bench.publish("1.8.1")
    with pytest.raises(WaiaasError) as refused:
        publish.publish_pending(bench.maker, bench.feed, bench.ring)
    assert refused.value.code == "stale-change"


def test_one_change_at_a_time__UPGR_08(bench: Bench) -> None:
    bench.publish("1.8.0")
    hold = "import fcntl, sys; f = open(sys.argv[1], 'r+'); fcntl.lockf(f, fcntl.LOCK_EX)"
    script = f"{hold}; print(1, flush=True); input()"
    lock = bench.folder / "feed.lock"
    with subprocess.Popen(
        [sys.executable, "-c", script, lock],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"1\n"
        with pytest.raises(Busy):
            bench.publish("1.9.0")
        other.communicate(b"\n")
    with Lock.acquire(lock, "test"):
        pass


def test_withdrawing_marks_and_keeps_everything__WDR_2(bench: Bench) -> None:
    bench.publish("1.8.0", "1.9.0-rc.1", "1.9.0")
    before = bench.listing()
    assert bench.withdraw("1.9.0") == 2
    release = bench.releases()["1.9.0"]
    assert isinstance(release, Release)
    expected = Withdrawal(bench.clock.seconds(), "it forgets things", "high", Version.parse("1.8.0"))
    assert release.withdrawn == expected
    assert {name for name in before if name.startswith("targets/")} <= set(bench.listing())
    bench.clock.time += 60
    assert bench.withdraw("1.9.0") is None, "saying it again changes nothing"
    assert versions(bench) == ["1.8.0", "1.9.0-rc.1", "1.9.0"]


@pytest.mark.parametrize(
    ("version", "to"), [("1.9.0", "1.9.0"), ("1.9.0", "1.8.0"), ("1.9.0", "7.0.0"), ("7.0.0", None)]
)
def test_nobody_is_sent_to_a_bad_version__WDR_2(version: str, to: str | None, bench: Bench) -> None:
    bench.publish("1.8.0", "1.9.0")
    bench.withdraw("1.8.0")
    before = bench.listing()
    with pytest.raises(UsageError):
        bench.withdraw(version, to)
    assert bench.listing() == before


def release(version: Version, withdrawn: bool, min_safe: Version | None) -> Release:
    gone = Withdrawal(0, "x", "low", None) if withdrawn else None
    schema = SchemaRange(11, 16, 16, 16)
    return Release(
        version,
        1,
        min_safe,
        version.channel,
        "",
        0,
        schema,
        None,
        (),
        ">=3.11",
        "",
        False,
        gone,
        None,
        "",
        1,
        "",
    )


VERSIONS = st.builds(Version, st.just(1), st.integers(0, 3), st.integers(0, 3), st.none() | st.integers(0, 2))


@given(st.dictionaries(VERSIONS, st.tuples(st.booleans(), st.none() | VERSIONS)), VERSIONS)
def test_the_successor_is_the_newest_earlier_good_stable_one__WDR_2(
    feed: dict[Version, tuple[bool, Version | None]], withdrawn: Version
) -> None:
    releases = [release(version, *rest) for version, rest in feed.items()]
    floor = max((safe for _, safe in feed.values() if safe), default=None)
    found = target.successor(releases, withdrawn)
    good = {v for v, (gone, _) in feed.items() if v < withdrawn and not v.is_rc and not gone}
    good = {v for v in good if floor is None or v >= floor}
    assert found == max(good, default=None)


def test_rollout_moves_the_share_and_100_ends_it__FEED_3(bench: Bench) -> None:
    bench.publish("1.8.0", rollout=5)
    start = bench.clock.seconds()
    bench.clock.time += 3600
    for percent, expected in ((50, Rollout(start, ((0, 50),))), (100, None)):
        publish.rollout(bench.maker, bench.feed, Version.parse("1.8.0"), percent, bench.ring)
        found = bench.releases()["1.8.0"]
        assert isinstance(found, Release)
        assert found.rollout == expected
    with pytest.raises(UsageError):
        publish.rollout(bench.maker, bench.feed, Version.parse("1.8.0"), 101, bench.ring)


def test_what_an_artefact_says_is_read_without_running_it__BLD_1(tmp_path: Path) -> None:
    found = inside.read(artefact(tmp_path, "1.8.0"))
    assert (str(found.version), found.commit, found.built) == ("1.8.0", "c0ffee", 1700000000)
    assert found.schema == SchemaRange(11, 16, 16, 16)
    hostile = {
        "waiaas/_build.json": json.dumps(
            {"version": "1.8.0", "commit": "", "built": 0, "python": ""}
        ).encode()
    }
    hostile["waiaas/core/compat.py"] = b"raise SystemExit('ran')\n" + COMPAT.replace(b"16", b"int('16')")
    (tmp_path / "bad.pyz").write_bytes(pack(hostile, 0))
    with pytest.raises(WaiaasError) as refused:
        inside.read(tmp_path / "bad.pyz")
    assert refused.value.code == "not-an-artefact"


def test_an_artefact_without_a_root_of_trust_is_not_published__BLD_1(tmp_path: Path) -> None:
    with pytest.raises(WaiaasError) as refused:
        inside.read(artefact(tmp_path, "1.8.0", root=False))
    assert refused.value.code == "no-root-inside"


def test_a_text_file_is_no_artefact__BLD_1(tmp_path: Path) -> None:
    (tmp_path / "x.pyz").write_text("x")
    with pytest.raises(WaiaasError) as refused:
        inside.read(tmp_path / "x.pyz")
    assert refused.value.code == "not-an-artefact"


def test_dropping_what_is_not_there_is_no_error__FEED_1(tmp_path: Path) -> None:
    pending.drop(tmp_path / "feed.pending", Files())
    with pytest.raises(WaiaasError) as refused:
        pending.thaw(tmp_path / "feed.pending")
    assert refused.value.code == "nothing-prepared"
