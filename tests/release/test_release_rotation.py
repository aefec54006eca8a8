"""Keys replaced in parts: through power cuts, by old and new holders, never by what is no key (FEED-1)."""

import itertools
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench import Bench, artefact, keyid, never, own_root

from waiaas.core.errors import UsageError, WaiaasError
from waiaas.host.files import Files
from waiaas.release import ceremony, describe, keys, pending, publish
from waiaas.release.publish import Maker
from waiaas.release.repository import verify


def new_key(bench: Bench, name: str) -> Path:
    return ceremony.new_key(bench.maker, bench.keys, name, None)


def rotation(bench: Bench, role: str) -> None:
    """A key of `role` is replaced, everything by the keys of the bench."""
    names = {"root": "root-3", "targets": "targets-1", "snapshot": "snapshot-1", "timestamp": "timestamp-1"}
    public = new_key(bench, f"{role}-new")
    wish = ceremony.Wish(((role, public),), (keyid(bench, names[role]),))
    folder = ceremony.prepare_rotation(bench.maker, bench.feed, wish)
    bench.sign(folder, "root-1", "root-2")
    if "targets" in ceremony.look(folder, None).documents:
        bench.sign(folder, "targets-1", "targets-2", "targets-new")


@pytest.mark.parametrize("role", ["root", "targets", "snapshot", "timestamp"])
def test_a_rotation_in_parts_survives_a_power_cut_anywhere__FEED_1(
    role: str, tmp_path: Path, plain_keys: Path
) -> None:
    """And at no moment in it would a client refuse the feed."""
    start = tmp_path / "start"
    start.mkdir()
    bench = Bench(start, plain_keys)
    (start / "few").mkdir()
    publish_with_two(bench)
    rotation(bench, role)
    for cut in itertools.count():
        folder = tmp_path / str(cut)
        shutil.copytree(start, folder)
        points = itertools.count()

        def stop(
            point: str, points: Iterator[int] = points, cut: int = cut, feed: Path = folder / "feed"
        ) -> None:
            verify(feed, bench.first_root)
            if next(points) == cut:
                raise PowerCut(point)

        feed, whole = folder / "feed", bench.maker
        try:
            publish.publish_pending(Maker(Files(stop), bench.clock), feed, bench.ring)
        except PowerCut:
            verify(feed, bench.first_root)
            publish.publish_pending(whole, feed, bench.ring)
        else:
            break
        assert [str(r.version) for r in verify(feed, bench.first_root)] == ["1.8.0"]
        assert whole.repository(feed).root().signed.version == 2
        assert not pending.folder_of(feed).exists()
    assert cut >= 5


class PowerCut(Exception):
    """The machine stops here."""


def publish_with_two(bench: Bench) -> None:
    """1.8.0, signed by the first two targets keys only, so that replacing one needs the list anew."""
    folder = publish.prepare(
        bench.maker, bench.feed, [artefact(bench.folder, "1.8.0")], publish.Terms(), own_root(bench)
    )
    assert folder is not None
    bench.sign(folder, "targets-1", "targets-2")
    few = bench.folder / "few"
    for name in ("snapshot-1.pem", "timestamp-1.pem"):
        shutil.copy(bench.keys / name, few)
    publish.publish_pending(bench.maker, bench.feed, keys.load_folder(few, never))


def test_a_rotation_in_one_go_changes_several_roles_and_thresholds__FEED_1(bench: Bench) -> None:
    bench.publish("1.8.0")
    fresh = {role: new_key(bench, f"{role}-new") for role in ("targets", "timestamp")}
    wish = ceremony.Wish(tuple(fresh.items()), (keyid(bench, "timestamp-1"),), {"targets": 3})
    folder = ceremony.prepare_rotation(bench.maker, bench.feed, wish)
    lines = describe.lines(ceremony.look(folder, own_root(bench)), everything=False)
    assert lines[1].endswith("joins, 3 of 4 keys sign")
    assert lines[2].endswith("leaves, 1 of 1 keys sign")
    publish.publish_pending(bench.maker, bench.feed, bench.ring)
    assert [state.threshold for state in bench.maker.repository(bench.feed).roles()] == [2, 3, 1, 1]
    verify(bench.feed, bench.first_root)


@pytest.mark.parametrize("order", ["12ab", "ab12"])
def test_a_root_that_only_the_old_or_only_the_new_keys_sign_is_not_published__FEED_1(
    order: str, bench: Bench
) -> None:
    """TUF 5.3.4: the threshold of the old root, and that of the new one."""
    bench.publish("1.8.0")
    for name in ("a", "b"):
        new_key(bench, f"root-{name}")
    join = tuple(("root", bench.keys / f"root-{name}.pub") for name in "ab")
    leave = tuple(keyid(bench, f"root-{number}") for number in (1, 2))
    folder = ceremony.prepare_rotation(bench.maker, bench.feed, ceremony.Wish(join, leave))
    nobody, before = keys.Keyring([]), bench.listing()
    for signed, letter in enumerate(order):
        assert ceremony.missing(ceremony.look(folder, None)) == {"root": 2 if signed <= 2 else 1}
        with pytest.raises(WaiaasError) as refused:
            publish.publish_pending(bench.maker, bench.feed, nobody)
        assert refused.value.code == "signatures-missing"
        bench.sign(folder, f"root-{letter}")
    assert bench.listing() == before
    assert publish.publish_pending(bench.maker, bench.feed, nobody) == 2
    verify(bench.feed, bench.first_root)


def test_impossible_wishes_are_usage__FEED_1(bench: Bench) -> None:
    bench.publish("1.8.0")
    own = keys.keep_public(
        keys.load(bench.keys / "root-1.pem", never).public_key, bench.folder / "root-1.pub", Files()
    )
    wishes = {
        "nothing-to-rotate": ceremony.Wish(),
        "key-in-use": ceremony.Wish((("targets", own),)),
        "bad-threshold": ceremony.Wish(thresholds={"root": 4}),
        "unknown-key": ceremony.Wish(leave=("",)),
        "bad-public-key": ceremony.Wish((("root", bench.keys / "root.json"),)),
    }
    for code, wish in wishes.items():
        with pytest.raises(UsageError) as refused:
            ceremony.prepare_rotation(bench.maker, bench.feed, wish)
        assert refused.value.code == code
    with pytest.raises(UsageError) as refused:
        ceremony.prepare_root(bench.maker, bench.feed, {}, {})
    assert refused.value.code == "root-exists"
    with pytest.raises(UsageError) as refused:
        ceremony.prepare_rotation(bench.maker, bench.feed, ceremony.Wish(leave=(keyid(bench, "snapshot-1"),)))
    assert refused.value.code == "bad-threshold"


@pytest.mark.parametrize(
    "change", [{"keyid": "00"}, {"scheme": "rsa"}, {"keyval": {"public": "zz"}}, {"x": 1}]
)
def test_a_public_half_that_was_changed_on_its_way_is_refused__FEED_1(
    change: dict[str, object], bench: Bench
) -> None:
    path = new_key(bench, "eve")
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(UsageError) as refused:
        keys.load_public(path)
    assert refused.value.code == "bad-public-key"


def test_a_key_of_that_name_is_never_replaced__BLD_1(bench: Bench) -> None:
    new_key(bench, "eve")
    before = (bench.keys / "eve.pem").read_bytes()
    with pytest.raises(UsageError) as refused:
        new_key(bench, "eve")
    assert refused.value.code == "keys-exist"
    assert (bench.keys / "eve.pem").read_bytes() == before
