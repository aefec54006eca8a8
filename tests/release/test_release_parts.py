"""Changes in parts under attack: what a folder that travels can be made to say."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bench import Bench, artefact, keyid, never, own_root
from tuf.api.metadata import Metadata, Root, Targets

from waiaas.core.errors import TrustRefused, WaiaasError
from waiaas.core.value import replace
from waiaas.core.version import Version
from waiaas.host.clock import Clock
from waiaas.host.files import Files
from waiaas.release import ceremony, describe, keys, pending, publish
from waiaas.release.examine import examine


def prepared(bench: Bench) -> Path:
    """1.9.0 waits on a feed that has 1.8.0."""
    bench.publish("1.8.0")
    folder = publish.prepare(bench.maker, bench.feed, [artefact(bench.folder, "1.9.0")], publish.Terms(), b"")
    assert folder is not None
    return folder


def test_whatever_byte_of_the_folder_is_changed_nobody_signs_anything_else__FEED_1(bench: Bench) -> None:
    """Each file, at forty places: refused, or (a superfluous signature of a root) without meaning."""
    folder = prepared(bench)
    bench.sign(folder, "targets-1")
    whole = ceremony.look(folder, own_root(bench))
    bytes_to_sign = whole.documents["targets"].signed_bytes
    said = describe.lines(whole, everything=True)
    refused, meaningless = 0, 0
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        good = path.read_bytes()
        for place in range(0, len(good), max(1, len(good) // 40)):
            path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
            try:
                found = ceremony.look(folder, own_root(bench))
            except TrustRefused as problem:
                assert problem.code in ("pending-tampered", "other-root")
                refused += 1
            else:
                assert found.documents["targets"].signed_bytes == bytes_to_sign, (path.name, place)
                assert describe.lines(found, everything=True) == said
                meaningless += 1
        path.write_bytes(good)
    assert refused > 4 * meaningless


@pytest.mark.parametrize(
    ("name", "code"),
    [("targets.json", "nothing-prepared"), ("roots/1.root.json", "pending-tampered")],
)
def test_a_folder_with_a_part_missing_is_refused__FEED_1(name: str, code: str, bench: Bench) -> None:
    folder = prepared(bench)
    (folder / name).unlink()
    with pytest.raises(WaiaasError) as refused:
        ceremony.look(folder, own_root(bench))
    assert refused.value.code == code


def test_without_the_list_in_force_everything_is_shown_as_new__FEED_1(bench: Bench) -> None:
    folder = prepared(bench)
    (folder / pending.BEFORE).unlink()
    lines = describe.lines(ceremony.look(folder, own_root(bench)), everything=False)
    assert [line.split(" (")[0].strip() for line in lines[1:]] == ["new: 1.8.0", "new: 1.9.0"]
    with pytest.raises(WaiaasError) as refused:
        publish.publish_pending(bench.maker, bench.feed, bench.ring)
    assert refused.value.code == "stale-change"


def test_a_forged_feed_with_my_own_key_in_it_is_refused__FEED_1(bench: Bench, tmp_path: Path) -> None:
    """Mallory's root names Alice as a targets key, and a list in force that hides an evil release.

    Alice's signature would count in the real feed, so she must not give it.
    """
    prepared(bench)
    mallory = Bench(_made(tmp_path / "mallory"), _mallorys_keys(tmp_path))
    mallory.publish("1.8.0", extra=b"evil")
    alice = keys.keep_public(
        keys.load(bench.keys / "targets-1.pem", never).public_key, tmp_path / "alice.pub", Files()
    )
    ceremony.prepare_rotation(mallory.maker, mallory.feed, ceremony.Wish((("targets", alice),)))
    publish.publish_pending(mallory.maker, mallory.feed, mallory.ring)
    new = [artefact(mallory.folder, "1.9.0")]
    folder = publish.prepare(mallory.maker, mallory.feed, new, publish.Terms(), b"")
    assert folder is not None
    assert ceremony.look(folder, None).may_sign(keyid(bench, "targets-1")) == ["targets"]
    lines = describe.lines(ceremony.look(folder, None), everything=True)
    assert any(line.startswith("  as before: 1.8.0 (") for line in lines), "shown, where nothing proves it"
    with pytest.raises(TrustRefused) as refused:
        ceremony.look(folder, own_root(bench))
    assert refused.value.code == "other-root"


def test_a_forged_root_behind_my_own_is_refused__FEED_1(bench: Bench, tmp_path: Path) -> None:
    """The chain begins with the real root, and goes on with one that its keys have not signed."""
    folder = prepared(bench)
    real = Metadata[Root].from_bytes(bench.first_root)
    mallory = keys.load_folder(_mallorys_keys(tmp_path), never)
    forged = Metadata[Root].from_bytes((tmp_path / "MK" / "root.json").read_bytes())
    alice = keyid(bench, "targets-1")
    forged.signed.add_key(real.signed.keys[alice], "targets")
    for version, signers in ((2, [mallory]), (3, [mallory, bench.ring]), (1, [mallory, bench.ring])):
        forged.signed.version = version
        forged.signatures.clear()
        for ring in signers:
            ring.sign(forged, [*forged.signed.roles["root"].keyids, *real.signed.roles["root"].keyids])
        (folder / "roots" / "2.root.json").write_bytes(forged.to_bytes())
        with pytest.raises(TrustRefused) as refused:
            ceremony.look(folder, own_root(bench))
        assert refused.value.code == "other-root"


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _mallorys_keys(folder: Path) -> Path:
    keys.generate(folder / "MK", 1, None, Files(), Clock())
    return folder / "MK"


def test_signatures_that_do_not_belong_are_refused__FEED_1(bench: Bench) -> None:
    folder = prepared(bench)
    [good] = bench.sign(folder, "targets-1")
    document = json.loads(good.read_bytes())
    foreign = keys.load(bench.keys / "snapshot-1.pem", never)
    targets = Metadata[Targets].from_bytes((folder / "targets.json").read_bytes())
    theirs = targets.sign(foreign).signature
    for change in (
        {"role": "root"},
        {"role": "snapshot"},
        {"keyid": keyid(bench, "targets-2")},
        {"keyid": foreign.public_key.keyid, "sig": theirs},
        {"sig": "00" * 64},
        {"sig": "no hex"},
        {"sig": None},
    ):
        good.write_text(json.dumps({**document, **change}))
        for look in (
            lambda: ceremony.look(folder, None),
            lambda: publish.publish_pending(bench.maker, bench.feed, bench.ring),
        ):
            with pytest.raises(TrustRefused) as refused:
                look()
            assert refused.value.code == "pending-tampered", change
    good.write_text("[]")
    with pytest.raises(TrustRefused):
        ceremony.look(folder, None)


def test_an_artefact_that_nobody_names_or_under_a_strange_name_is_refused__FEED_1(bench: Bench) -> None:
    folder = prepared(bench)
    stray = folder / "targets" / "stray"
    stray.write_bytes(b"x")
    with pytest.raises(TrustRefused, match="not named"):
        ceremony.look(folder, None)
    stray.unlink()
    change = pending.thaw(folder)
    climbing = change.targets.replace(b"waiaas-1.9.0.pyz", b"../../evil.pyz")
    with pytest.raises(TrustRefused):
        examine(replace(change, targets=climbing, payloads={}))


def exchange_a_key(root: dict[str, Any]) -> None:
    """Mallory's key under the id of somebody else's."""
    first = next(iter(root["keys"].values()))
    first["keyval"]["public"] = keys.new_key().public_key.keyval["public"]


def describe_falsely(targets: dict[str, Any]) -> None:
    """It would be offered to databases that it cannot open."""
    targets["targets"]["waiaas-1.9.0.pyz"]["custom"]["schema"]["reads"] = [1, 99]


@pytest.mark.parametrize(
    ("role", "words", "slip"),
    [
        ("root", "to another key", exchange_a_key),
        ("root", "gives up consistent", lambda root: root.update(consistent_snapshot=False)),
        ("root", "more than", lambda root: root.update(x=1)),
        ("targets", "somebody else", lambda it: it.update(delegations={"keys": {}, "roles": []})),
        ("targets", "more than", lambda it: it.update(x=1)),
        ("targets", "about itself", describe_falsely),
    ],
)
def test_what_no_holder_is_shown_cannot_be_slipped_in__FEED_1(
    role: str, words: str, slip: Callable[[dict[str, Any]], None], bench: Bench
) -> None:
    folder = prepared(bench)
    if role == "root":
        shutil.rmtree(folder)
        ceremony.prepare_renewal(bench.maker, bench.feed, "root")
    path = folder / f"{role}.json"
    document = json.loads(path.read_bytes())
    slip(document["signed"])
    path.write_text(json.dumps(document))
    with pytest.raises(TrustRefused, match=words) as refused:
        ceremony.look(folder, own_root(bench))
    assert refused.value.code == "pending-tampered"


def test_words_for_holders_hide_nothing__FEED_1(bench: Bench) -> None:
    """A reason cannot move the cursor, and what disappears or differs unknowably is in capitals."""
    folder = prepared(bench)
    change = pending.thaw(folder)
    frozen = json.loads(change.targets)
    first = frozen["signed"]["targets"]["waiaas-1.8.0.pyz"]
    gone = {"at": 1, "reason": "fine\x1b[2K\rnothing", "severity": "low", "to": None}
    first["custom"]["withdrawn"] = gone
    altered = replace(change, targets=json.dumps(frozen).encode())
    lines = describe.lines(examine(altered), everything=False)
    assert "  WITHDRAWN: 1.8.0 (low): fine?[2K?nothing; there is nowhere to go" in lines
    first["custom"] |= {"withdrawn": None, "later": 1}
    altered = replace(change, targets=json.dumps(frozen).encode())
    assert "  CHANGED: 1.8.0, in a way that this tool does not know" in describe.lines(
        examine(altered), everything=False
    )
    del frozen["signed"]["targets"]["waiaas-1.8.0.pyz"]
    altered = replace(change, targets=json.dumps(frozen).encode())
    assert "  REMOVED: waiaas-1.8.0.pyz" in describe.lines(examine(altered), everything=False)


def test_terms_that_reach_everybody_are_said__FEED_3(bench: Bench) -> None:
    old = Version.parse("1.8.0")
    bench.publish("1.8.0")
    terms = publish.Terms(critical=True, min_safe=old, rollout=7)
    folder = publish.prepare(bench.maker, bench.feed, [artefact(bench.folder, "1.9.0")], terms, b"")
    assert folder is not None
    line = describe.lines(ceremony.look(folder, None), everything=False)[1]
    assert "stable, seq 2, rollout 7 %, critical, nothing below 1.8.0 any more, sha256 " in line


def test_what_was_prepared_under_another_root_is_stale__FEED_1(bench: Bench) -> None:
    """The keys may be others by now, and what holders were shown was compared with the old root."""
    folder = prepared(bench)
    bench.sign(folder, "targets-1", "targets-2")
    aside = folder.rename(bench.folder / "aside")
    ceremony.prepare_renewal(bench.maker, bench.feed, "root")
    publish.publish_pending(bench.maker, bench.feed, bench.ring)
    before = bench.listing()
    for role in ("targets", "root"):
        if role == "root":
            shutil.rmtree(folder)
            other = Bench(_made(bench.folder / "other"), bench.keys)
            other.publish("1.8.0")
            other.clock.time = bench.clock.time + 60
            aside = ceremony.prepare_renewal(other.maker, other.feed, "root")
        aside.rename(folder)
        with pytest.raises(WaiaasError) as refused:
            publish.publish_pending(bench.maker, bench.feed, bench.ring)
        assert refused.value.code == "stale-change"
        assert bench.listing() == before


def test_what_was_prepared_too_long_ago_is_not_published__FEED_1(bench: Bench) -> None:
    folder = prepared(bench)
    bench.sign(folder, "targets-1", "targets-2")
    bench.clock.time += 183 * 86400
    with pytest.raises(WaiaasError, match="so long ago") as refused:
        publish.publish_pending(bench.maker, bench.feed, bench.ring)
    assert refused.value.code == "stale-change"
