"""A feed that lies, and a network that fails: refused in one sentence, and nothing has changed."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tuf.api.metadata import Metadata, MetaFile

from tests.fakes import FakeClock
from tests.journeys.sabotage import appended
from tests.journeys.witness import Witness, last_run, told
from tests.journeys.workshop import PLACEHOLDER, Feed, Site, Workshop, site
from waiaas.host.files import Files
from waiaas.release import keys, publish

DAY = 86400.0  # seconds


@pytest.fixture(scope="module")
def home(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Feed, Path]]:
    """One installation of 1.8.0 at work for all of this file, since nothing here may change it; 1.8.1
    is on offer. With a copy of the feed that nobody tampers with."""
    folder = tmp_path_factory.mktemp("attacks")
    feed = workshop.feed(folder / "feed", workshop.current, workshop.patch)
    with site(folder / "site", workshop.current, feed.url) as made:
        made.ok("init")
        made.ok("start", "--detach")
        yield made, feed, folder / "feed"
    feed.close()


@pytest.fixture
def feed(home: tuple[Site, Feed, Path], tmp_path: Path) -> Feed:
    """The feed as it was published, to be tampered with."""
    _, feed, pristine = home
    feed.folder = shutil.copytree(pristine, tmp_path / "feed")
    feed.mode, feed.where = "ok", ""
    feed.requests.clear()
    return feed


@pytest.fixture
def serving(home: tuple[Site, Feed, Path], feed: Feed, monkeypatch: pytest.MonkeyPatch) -> Site:
    """1.8.0 that has never looked at a feed."""
    old = home[0]
    shutil.rmtree(old.program.parent / ".waiaas", ignore_errors=True)
    monkeypatch.setattr(old, "environ", dict(old.environ))
    return old


def refused(old: Site, because: str, code: int = 9) -> str:
    """`upgrade` says no in one sentence; nothing has changed, and the same daemon serves."""
    witness = Witness(old)
    sentence = told(old.run("upgrade"), code)["error"]
    assert because in sentence
    witness.nothing_happened()
    return sentence


def payload(feed: Feed) -> Path:
    """The file that the server hands out as 1.8.1."""
    [path] = (feed.folder / "targets").glob("*.waiaas-1.8.1.pyz")
    return path


def flip(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize(
    "tamper",
    [
        pytest.param(flip, id="one bit"),
        pytest.param(lambda data: data[:-1000], id="truncated"),
        pytest.param(lambda data: data + b"#", id="longer"),
    ],
)
def test_a_tampered_artefact_is_refused__FEED_2(
    serving: Site, feed: Feed, tamper: Callable[[bytes], bytes]
) -> None:
    payload(feed).write_bytes(tamper(payload(feed).read_bytes()))
    refused(serving, "is not what was signed")
    assert (last_run(serving)["outcome"], last_run(serving)["error"]["code"]) == ("refused", "wrong-bytes")


def test_a_feed_signed_by_other_keys_is_refused__FEED_2(
    serving: Site, workshop: Workshop, feed: Feed
) -> None:
    """With and without a longer chain of roots of its own."""
    thief = feed.folder.parent / "thief"
    workshop.maker("keys", "--dir", str(thief), "--plain")
    feed.folder = feed.folder.parent / "other"
    feed.publish(workshop.current, workshop.patch, keys=thief)
    refused(serving, "not signed with the keys that this installation trusts")
    workshop.maker("rotate", "--feed", str(feed.folder), "--keys", str(thief), "--plain", "root")
    refused(serving, "not signed with the keys that this installation trusts")


def test_an_edited_list_of_releases_is_refused__FEED_2(serving: Site, feed: Feed) -> None:
    path = feed.folder / "metadata" / "1.targets.json"
    path.write_bytes(path.read_bytes().replace(b"1.8.1", b"1.8.9"))
    refused(serving, "is damaged")
    answer = serving.run("--json", "upgrade")
    assert answer.code == 9
    assert answer.json()["error"]["code"] == "feed-broken"


@pytest.fixture(params=["cache kept", "cache lost"])
def forget(request: pytest.FixtureRequest) -> Callable[[Site], None]:
    """The attacker may be lucky: TUF's own memory of the feed is gone, our floor is not."""

    def maybe(old: Site) -> None:
        if request.param == "cache lost":
            shutil.rmtree(old.program.parent / ".waiaas" / "metadata")

    return maybe


def test_an_older_feed_replayed_is_refused__FEED_8(
    serving: Site, workshop: Workshop, feed: Feed, forget: Callable[[Site], None]
) -> None:
    """The whole feed as it was before a newer release that was seen here already."""
    old = shutil.copytree(feed.folder, feed.folder.parent / "old")
    feed.publish(workshop.build("1.8.2"))
    assert "1.8.2" in serving.ok("upgrade", "--check").out
    feed.folder = old
    forget(serving)
    refused(serving, "replays")


def test_a_withdrawal_hidden_with_stolen_online_keys_is_refused__FEED_8(
    serving: Site, workshop: Workshop, feed: Feed, forget: Callable[[Site], None]
) -> None:
    """The old list of releases, validly signed in its time, under fresh snapshot and timestamp."""
    why = ("--reason", "it forgets things", "1.8.1", "--yes")
    workshop.maker("withdraw", "--feed", str(feed.folder), "--keys", str(workshop.keys), *why)
    assert serving.json("upgrade", "--check")["updateAvailable"] is False
    resign_old_list(feed.folder / "metadata", workshop.keys)
    forget(serving)
    refused(serving, "replays")


def resign_old_list(metadata: Path, folder: Path) -> None:
    """What thieves of the online keys can do: list 1 again, everything else new and fresh."""
    ring = keys.load_folder(folder, bytes)
    root = Metadata[Any].from_file(str(metadata / "1.root.json"))
    below = ("targets.json", 1, (metadata / "1.targets.json").read_bytes())
    for role, source in (("snapshot", "2.snapshot.json"), ("timestamp", "timestamp.json")):
        new = Metadata[Any].from_file(str(metadata / source))
        name, version, data = below
        new.signed.version += 1
        if role == "snapshot":
            new.signed.meta[name] = MetaFile.from_data(version, data, ["sha256"])
        else:
            new.signed.snapshot_meta = MetaFile.from_data(version, data, ["sha256"])
        new.signatures.clear()
        ring.sign_role(new, role, [root])
        below = (f"{role}.json", new.signed.version, new.to_bytes())
        place = source if role == "timestamp" else f"{new.signed.version}.{role}.json"
        (metadata / place).write_bytes(new.to_bytes())


@pytest.mark.parametrize(
    ("days", "refreshed", "role"),
    [
        pytest.param(15, False, "timestamp", id="timestamp"),
        pytest.param(183, True, "targets", id="list of releases"),
    ],
)
def test_expired_metadata_is_refused__FEED_1(
    serving: Site, workshop: Workshop, feed: Feed, days: int, refreshed: bool, role: str
) -> None:
    """A feed that somebody holds back, or whose makers are gone though its robot goes on signing."""
    feed.folder = feed.folder.parent / "stale"
    past = publish.Maker(Files(), FakeClock(time.time() - days * DAY))
    ring = keys.load_folder(workshop.keys, bytes)
    root = (workshop.keys / "root.json").read_bytes()
    artefacts = [workshop.current, workshop.patch]
    publish.publish(past, feed.folder, artefacts, publish.Terms(), root, ring)
    if refreshed:
        publish.refresh(publish.Maker(Files(), FakeClock(time.time())), feed.folder, ring)
    assert "has expired" in refused(serving, f"the {role} metadata of the feed")


def test_a_build_without_a_root_of_trust_says_so__SHP_2(workshop: Workshop, tmp_path: Path) -> None:
    """Wherever an update is asked for; everything else of it works."""
    unasked = workshop.feed(tmp_path / "feed")
    workshop.maker("build", "-o", str(tmp_path), "--version", "1.8.0", "--feed-url", unasked.url)
    with site(tmp_path / "site", tmp_path / "waiaas-1.8.0.pyz", unasked.url) as unsigned:
        unsigned.ok("init")
        unsigned.ok("start", "--detach")
        refused(unsigned, "carries no root of trust")
        told(unsigned.run("upgrade", "--check"), 9)
    assert unasked.requests == []
    unasked.close()


@pytest.mark.parametrize(
    ("mode", "because"),
    [
        pytest.param("503", "is not available at the moment (503)", id="503"),
        pytest.param("lie", "was answered with a web page", id="captive portal"),
        pytest.param("cut", "broke off in the middle", id="cut off"),
    ],
)
@pytest.mark.parametrize("where", ["/metadata/", "/targets/"])
def test_a_network_that_fails_is_named_and_changes_nothing__CLI_2(
    serving: Site, feed: Feed, mode: str, because: str, where: str
) -> None:
    feed.mode, feed.where = mode, where
    refused(serving, because, code=1)
    feed.mode = "ok"
    assert "Upgrade available" in serving.ok("upgrade", "--check").out


def test_a_refused_connection_is_named__CLI_2(serving: Site) -> None:
    serving.environ["WAIAAS_UPGRADE_FEED_URL"] = PLACEHOLDER
    refused(serving, "127.0.0.1:9 refused the connection", code=1)


@pytest.fixture
def impatient(workshop: Workshop, feed: Feed, tmp_path: Path) -> Iterator[Site]:
    """1.8.0 but for its patience, which would make these tests last a minute."""
    overlay = {
        **appended("waiaas/upgrade/story.py", "\n\nCHECK_PATIENCE = 1.0\n"),
        **appended("waiaas/host/web.py", "\n\nIDLE = 2.0\n"),
    }
    with site(tmp_path / "site", workshop.build("1.8.0", overlay, name="impatient"), feed.url) as made:
        made.ok("init")
        made.ok("start", "--detach")
        yield made


@pytest.mark.parametrize("where", ["/metadata/", "/targets/"])
def test_a_server_that_hangs_is_given_up__FEED_2(impatient: Site, feed: Feed, where: str) -> None:
    feed.mode, feed.where = "hang", where
    refused(impatient, "did not answer in time", code=1)
