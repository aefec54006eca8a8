"""The feed as the library's own client sees it: over HTTP, across rotations, in every moment of a change."""

import functools
import itertools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from bench import Bench, never
from tuf.api.metadata import Metadata, Root
from tuf.ngclient import Updater

from waiaas.core.errors import TrustRefused, WaiaasError
from waiaas.core.release import Release
from waiaas.core.value import replace
from waiaas.host.files import Files
from waiaas.release import keys, publish
from waiaas.release.publish import Maker
from waiaas.release.repository import verify

DAY = 86400.0
ROLES = ("timestamp", "snapshot", "targets", "root")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def url(bench: Bench) -> Iterator[str]:
    bench.feed.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(bench.feed)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def client(folder: Path, url: str, root: bytes) -> Updater:
    (folder / "cache").mkdir(exist_ok=True)
    (folder / "got").mkdir(exist_ok=True)
    return Updater(
        str(folder / "cache"), f"{url}/metadata/", str(folder / "got"), f"{url}/targets/", bootstrap=root
    )


def test_the_librarys_client_accepts_the_feed_and_downloads_from_it__FEED_1(bench: Bench, url: str) -> None:
    bench.publish("1.8.0", "1.9.0", rollout=20, critical=True, notes_url="https://example.org/1.9.0")
    updater = client(bench.folder, url, bench.first_root)
    updater.refresh()
    found = updater.get_targetinfo("waiaas-1.9.0.pyz")
    assert found is not None
    got = Path(updater.download_target(found))
    assert got.read_bytes() == (bench.folder / "waiaas-1.9.0.pyz").read_bytes()
    assert found.custom["schema"] == {"reads": [11, 16], "writes": 16, "compatibleBackTo": 16}
    assert (found.custom["version"], found.custom["seq"], found.custom["critical"]) == ("1.9.0", 2, True)


def test_a_client_that_skipped_any_number_of_roots_follows__FEED_1(bench: Bench, url: str) -> None:
    bench.publish("1.8.0")
    for role in (*ROLES, *ROLES, "root"):
        bench.rotate(role)
    bench.publish("1.9.0")
    for version in range(1, 11):
        root = (bench.feed / "metadata" / f"{version}.root.json").read_bytes()
        folder = bench.folder / f"client-{version}"
        folder.mkdir()
        updater = client(folder, url, root)
        updater.refresh()
        assert updater.get_targetinfo("waiaas-1.9.0.pyz") is not None


def test_a_client_with_a_cache_follows_each_rotation__FEED_1(bench: Bench, url: str) -> None:
    bench.publish("1.8.0")
    root = bench.first_root
    for role in ROLES:
        client(bench.folder, url, root).refresh()
        bench.rotate(role)
    client(bench.folder, url, root).refresh()


def test_thresholds_can_change__FEED_1(bench: Bench) -> None:
    bench.publish("1.8.0")
    bench.rotate("targets", threshold=3)
    bench.publish("1.9.0")
    bench.rotate("targets", threshold=1)
    assert len(verify(bench.feed, bench.first_root)) == 2


def test_roles_keys_lifetimes_and_modes_are_those_of_the_design__FEED_1(bench: Bench) -> None:
    bench.publish("1.8.0")
    states = {state.role: state for state in bench.maker.repository(bench.feed).roles()}
    days = {role: (state.expires - bench.clock.utc()).total_seconds() / DAY for role, state in states.items()}
    assert days == pytest.approx({"root": 730, "targets": 182, "snapshot": 35, "timestamp": 14}, abs=0.1)
    shares = {role: (state.threshold, len(state.keyids)) for role, state in states.items()}
    assert shares == {"root": (2, 3), "targets": (2, 3), "snapshot": (1, 1), "timestamp": (1, 1)}
    assert len({keyid for state in states.values() for keyid in state.keyids}) == 8, "no key serves twice"
    root = Metadata[Root].from_bytes(bench.first_root).signed
    assert {key.scheme for key in root.keys.values()} == {"ed25519"}
    assert root.consistent_snapshot
    assert {path.stat().st_mode & 0o777 for path in bench.feed.rglob("*.*")} == {0o644}
    assert len((bench.feed / "metadata" / "timestamp.json").read_bytes()) < 1000


def test_every_moment_of_every_change_satisfies_a_client__FEED_1(tmp_path: Path, plain_keys: Path) -> None:
    moments: list[str] = []

    def look(point: str) -> None:
        if point.startswith("feed.") and (bench.feed / "metadata" / "timestamp.json").exists():
            verify(bench.feed, bench.first_root)
            moments.append(point)

    bench = Bench(tmp_path, plain_keys, look)
    bench.publish("1.8.0")
    bench.publish("1.9.0", "1.10.0")
    bench.withdraw("1.10.0")
    for role in (*ROLES, "targets"):  # the second time, too few of those who signed are left
        bench.rotate(role)
    publish.refresh(bench.maker, bench.feed, bench.ring)
    assert len(moments) > 50


def test_a_lost_online_key_can_still_be_replaced__FEED_1(bench: Bench) -> None:
    bench.publish("1.8.0")
    (bench.keys / "timestamp-1.pem").unlink()
    bench.rotate("timestamp")
    verify(bench.feed, bench.first_root)
    assert sorted(path.name for path in bench.keys.glob("timestamp*")) == ["timestamp-1.pem"]


def test_a_retired_key_signs_nothing_any_more__FEED_1(bench: Bench) -> None:
    bench.publish("1.8.0")
    bench.rotate("timestamp")
    assert (bench.keys / "timestamp-1.pem.retired").exists()
    online = bench.folder / "online"
    online.mkdir()
    (bench.keys / "timestamp-1.pem.retired").rename(online / "timestamp-1.pem")
    before = bench.listing()
    with pytest.raises(WaiaasError) as refused:
        publish.refresh(bench.maker, bench.feed, keys.load_folder(online, never))
    assert refused.value.code == "signatures-missing"
    assert bench.listing() == before


def test_without_enough_root_keys_nothing_rotates_and_no_stray_key_stays__FEED_1(bench: Bench) -> None:
    bench.publish("1.8.0")
    for number in (1, 2):
        (bench.keys / f"root-{number}.pem").unlink()
    names, before = sorted(path.name for path in bench.keys.iterdir()), bench.listing()
    with pytest.raises(WaiaasError):
        bench.rotate("timestamp")
    with pytest.raises(WaiaasError):
        bench.rotate("root")
    assert (names, before) == (sorted(path.name for path in bench.keys.iterdir()), bench.listing())


class PowerCut(Exception):
    """The machine stops here."""


def test_after_a_power_cut_at_any_point_publishing_again_completes__FEED_1(
    tmp_path: Path, plain_keys: Path
) -> None:
    for cut in itertools.count():
        folder = tmp_path / str(cut)
        folder.mkdir()
        bench = Bench(folder, plain_keys)
        bench.publish("1.8.0")
        before = bench.listing()
        points = itertools.count()

        def stop(_: str, points: Iterator[int] = points, cut: int = cut) -> None:
            if next(points) == cut:
                raise PowerCut

        whole, bench.maker = bench.maker, Maker(Files(stop), bench.clock)
        try:
            bench.publish("1.9.0")
        except PowerCut:
            assert {str(r.version) for r in verify(bench.feed, bench.first_root)} >= {"1.8.0"}
        else:
            break
        torn = bench.listing()
        bench.maker = whole
        bench.publish("1.9.0")
        after = bench.listing()
        assert [str(r.version) for r in verify(bench.feed, bench.first_root)] == ["1.8.0", "1.9.0"]
        kept = {name for name in torn if not name.endswith("timestamp.json") and "/." not in name}
        assert all(after[name] == torn[name] for name in kept), "a name never gets other bytes"
        assert all(after[name] == before[name] for name in before if not name.endswith("timestamp.json"))
    assert cut > 10


def test_refresh_signs_timestamp_daily_and_snapshot_when_it_ages__FEED_1(bench: Bench) -> None:
    bench.clock.time -= 30 * DAY
    bench.publish("1.8.0")
    signed = []
    for _ in range(30):
        bench.clock.time += DAY
        signed.append(publish.refresh(bench.maker, bench.feed, bench.ring))
    assert [day for day, roles in enumerate(signed, 1) if "snapshot" in roles] == [16]
    assert all("timestamp" in roles for roles in signed)
    assert [str(release.version) for release in verify(bench.feed, bench.first_root)] == ["1.8.0"]


def test_replaced_metadata_stays_35_days_and_roots_for_ever__FEED_1(bench: Bench) -> None:
    bench.clock.time -= 80 * DAY
    bench.publish("1.8.0")
    bench.rotate("root")
    bench.clock.time += 10 * DAY
    bench.publish("1.9.0")  # replaces 1.targets.json and 1.snapshot.json
    bench.clock.time += 34 * DAY
    publish.refresh(bench.maker, bench.feed, bench.ring)
    assert {"metadata/1.targets.json", "metadata/1.snapshot.json"} <= set(bench.listing())
    bench.clock.time += 2 * DAY
    publish.refresh(bench.maker, bench.feed, bench.ring)
    names = set(bench.listing())
    assert not {"metadata/1.targets.json", "metadata/1.snapshot.json"} & names
    assert {"metadata/1.root.json", "metadata/2.root.json", "metadata/2.targets.json"} <= names
    bench.clock.time += 34 * DAY
    publish.refresh(bench.maker, bench.feed, bench.ring)
    verify(bench.feed, bench.first_root)


@pytest.mark.parametrize(
    "victim", ["targets/", "metadata/1.targets", "metadata/1.snapshot", "metadata/timestamp"]
)
def test_verify_refuses_a_feed_with_one_changed_byte__BLD_1(victim: str, bench: Bench) -> None:
    bench.publish("1.8.0")
    path = next(bench.feed / name for name in bench.listing() if name.startswith(victim))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(TrustRefused):
        verify(bench.feed, bench.first_root)


def test_verify_refuses_a_feed_of_other_keys_and_an_expired_one__BLD_1(bench: Bench, tmp_path: Path) -> None:
    bench.clock.time -= 15 * DAY
    bench.publish("1.8.0")
    with pytest.raises(TrustRefused, match="expired"):
        verify(bench.feed, bench.first_root)
    publish.refresh(bench.maker, bench.feed, bench.ring)
    foreign = keys.generate(tmp_path / "other", 2, None, Files(), bench.clock)
    with pytest.raises(TrustRefused):
        verify(bench.feed, foreign.read_bytes())


def test_custom_keys_of_a_newer_tool_survive_a_change__FEED_3(bench: Bench) -> None:
    bench.publish("1.8.0", "1.9.0")
    repository = bench.maker.repository(bench.feed)
    release = bench.releases()["1.9.0"]
    assert isinstance(release, Release)
    change = repository.draft([release], {}, b"")
    changed = change.targets.replace(b'"critical":false', b'"critical":false,"later":[1]')
    repository.publish(replace(change, targets=changed), bench.ring)
    bench.withdraw("1.9.0")
    current = max(bench.feed.glob("metadata/*.targets.json"))
    assert current.read_bytes().count(b'"later":[1]') == 2
