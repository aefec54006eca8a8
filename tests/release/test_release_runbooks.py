"""The runbooks of docs/keys.md, each rehearsed: the damage is done, its commands are typed, and then
clients go on, whoever was robbed is shut out, and nothing is left half done."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk import KEYS, Desk, after_the_story, page
from pages import Said, World

from waiaas.core.errors import TrustRefused
from waiaas.host.clock import Clock
from waiaas.host.files import Files
from waiaas.host.http import Network
from waiaas.release import ceremony, keys
from waiaas.upgrade.feed import Catalogue, Feed
from waiaas.upgrade.floors import Floors

DAY = 86400.0


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Made once; every test works on a copy."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield after_the_story(tmp_path_factory.mktemp("story") / "w", Desk(monkeypatch))


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(monkeypatch)


@pytest.fixture
def bench(story: World, desk: Desk, tmp_path: Path) -> World:
    made = story.copy(tmp_path / "w")
    made.tool = desk
    return made


class Client:
    """An installation: the product's own client, with its cache and floors."""

    def __init__(self, bench: World, desk: Desk) -> None:
        self.bench, self.desk = bench, desk
        self.root = (bench.folder / "stick" / "root.json").read_bytes()
        self.home = bench.folder / "client"

    def look(self, feed: Path | None = None, root: bytes | None = None) -> Catalogue:
        where = feed or self.bench.folder / "maker" / "feed"
        floors = Floors(self.home / "floors.json", Files())
        network, clock = Network({}, Clock()), self.desk.clock
        arguments = (
            where.as_uri(),
            self.home / "metadata",
            root or self.root,
            network,
            clock,
            Files(),
            floors,
        )
        return Feed(*arguments, 0).refresh(30.0)

    def versions(self, feed: Path | None = None) -> list[str]:
        return [str(release.version) for release in self.look(feed).releases]


@pytest.fixture
def client(bench: World, desk: Desk) -> Client:
    made = Client(bench, desk)
    assert made.versions() == ["1.9.0", "1.8.0"], "it looked before anything happened"
    return made


def rehearse(bench: World, heading: str) -> None:
    bench.follow(KEYS, page()[heading])
    assert not (bench.folder / "maker" / "feed.pending").exists() or heading.startswith("Urgent")


def tool(bench: World, who: str, *argv: str | Path) -> Said:
    return bench.tool([str(word) for word in argv], bench.machine(who), f"passphrase of {who}")


def steal(bench: World, *names: str) -> Path:
    """Copies of somebody's keys, opened, in the thief's folder, with a copy of the feed beside it."""
    thief = bench.machine("thief")
    shutil.copytree(bench.folder / "maker" / "feed", thief / "feed")
    (thief / "keys").mkdir()
    for name in names:
        who, _, stem = name.partition("/")
        [found] = (bench.folder / who).rglob(f"{stem}.pem")
        signer = keys.load(found, f"passphrase of {who}".encode)
        keys.keep(signer, thief / "keys" / f"{stem}.pem", b"passphrase of thief", Files())
    return thief


def test_a_lost_targets_key_is_replaced__FEED_1(bench: World, client: Client) -> None:
    (bench.folder / "carol" / "keys" / "carol-targets.pem").unlink()
    rehearse(bench, "Lost: a targets key")
    assert client.versions() == ["1.9.0", "1.8.0"]
    assert client.look().targets_version == 5, "signed anew by two who stay"
    bench.folder.joinpath("dave/keys/root.json").write_bytes(client.root)
    assert tool(bench, "maker", "prepare-rollout", "--feed", "feed", "1.8.0", "50").code == 0
    for who in ("bob", "dave"):
        key = f"keys/{who}-targets.pem"
        assert tool(bench, who, "sign", "--key", key, "--pending", "../maker/feed.pending").code == 0
    assert tool(bench, "maker", "publish", "--feed", "feed", "--online", "online").code == 0
    assert client.look().targets_version == 6


def test_a_lost_online_key_is_replaced__FEED_1(bench: World, client: Client) -> None:
    (bench.folder / "maker" / "online" / "timestamp.pem").unlink()
    assert tool(bench, "maker", "refresh", "--feed", "feed", "--keys", "online").code == 1
    rehearse(bench, "Lost: an online key")
    assert client.versions() == ["1.9.0", "1.8.0"]
    assert tool(bench, "maker", "refresh", "--feed", "feed", "--keys", "online").code == 0


def test_a_lost_root_key_is_replaced__FEED_1(bench: World, client: Client) -> None:
    (bench.folder / "carol" / "keys" / "carol-root.pem").unlink()
    rehearse(bench, "Lost: a root key")
    assert client.versions() == ["1.9.0", "1.8.0"]
    may_not_change_root(bench, "carol", "carol-root")


def may_not_change_root(bench: World, who: str, key: str) -> None:
    """A key that has left signs no further root."""
    assert tool(bench, "maker", "prepare-renewal", "--feed", "feed", "root").code == 0
    said = tool(bench, who, "sign", "--key", f"keys/{key}.pem", "--pending", "../maker/feed.pending")
    assert said.code != 0
    shutil.rmtree(bench.folder / "maker" / "feed.pending")


def test_stolen_online_keys_are_worth_nothing_afterwards__FEED_1(bench: World, client: Client) -> None:
    """The thief has raised the numbers far beyond ours, and a client has seen it."""
    thief = steal(bench, "maker/snapshot", "maker/timestamp")
    for _ in range(5):
        assert tool(bench, "thief", "refresh", "--feed", "feed", "--keys", "keys").code == 0
    client.look(thief / "feed")
    with pytest.raises(TrustRefused):
        client.look()
    rehearse(bench, "Stolen: the online keys")
    assert client.versions() == ["1.9.0", "1.8.0"]
    assert tool(bench, "thief", "refresh", "--feed", "feed", "--keys", "keys").code == 0
    with pytest.raises(TrustRefused):
        client.look(thief / "feed")
    shutil.copytree(bench.folder / "maker" / "feed", thief / "ours")
    assert tool(bench, "thief", "refresh", "--feed", "ours", "--keys", "keys").code == 1


def test_a_stolen_targets_key_is_replaced__FEED_1(bench: World, client: Client) -> None:
    thief = steal(bench, "alice/alice-targets", "maker/snapshot", "maker/timestamp")
    evil = thief / "evil.pyz"
    shutil.copy(bench.folder / "maker" / "dist" / "waiaas-1.9.1.pyz", evil)
    argv = ("publish", "--feed", "feed", "--keys", "keys", evil)
    assert "1 of the 2 signatures" in tool(bench, "thief", *argv).lines[0]
    rehearse(bench, "Stolen: a targets key")
    assert client.versions() == ["1.9.0", "1.8.0"]
    assert tool(bench, "maker", "prepare-rollout", "--feed", "feed", "1.8.0", "50").code == 0
    said = tool(
        bench, "thief", "sign", "--key", "keys/alice-targets.pem", "--pending", "../maker/feed.pending"
    )
    assert said.lines[-2].startswith("error: the key ")


def test_two_stolen_targets_keys_are_worth_nothing_afterwards__FEED_8(bench: World, client: Client) -> None:
    """The thief publishes evil releases to a client, far ahead of our numbers; ours come back."""
    thief = steal(bench, "alice/alice-targets", "bob/bob-targets", "maker/snapshot", "maker/timestamp")
    evil = bench.folder / "maker" / "dist" / "waiaas-1.9.1.pyz"
    assert tool(bench, "thief", "publish", "--feed", "feed", "--keys", "keys", evil).code == 0
    for percent in ("50", "60", "70", "100"):
        assert tool(bench, "thief", "rollout", "--feed", "feed", "--keys", "keys", "1.9.1", percent).code == 0
    assert client.versions(thief / "feed") == ["1.9.1", "1.9.0", "1.8.0"]
    with pytest.raises(TrustRefused):
        client.look()
    rehearse(bench, "Stolen: two targets keys")
    assert client.versions() == ["1.9.0", "1.8.0"]
    with pytest.raises(TrustRefused):
        client.look(thief / "feed")


def test_a_stolen_root_key_is_replaced__FEED_1(bench: World, client: Client) -> None:
    steal(bench, "alice/alice-root")
    rehearse(bench, "Stolen: a root key")
    assert client.versions() == ["1.9.0", "1.8.0"]
    may_not_change_root(bench, "thief", "alice-root")


def test_two_lost_root_keys_are_survived_by_moving__FEED_2(bench: World, client: Client) -> None:
    """The last release of the old feed carries another root of trust: whoever takes it has moved."""
    for who in ("bob", "carol"):
        (bench.folder / who / "keys" / f"{who}-root.pem").unlink()
    rehearse(bench, "Lost or stolen: two root keys")
    assert client.versions() == ["1.9.1", "1.9.0", "1.8.0"]
    new = bench.folder / "solo" / "new-feed"
    root = (bench.folder / "solo" / "new-keys" / "root.json").read_bytes()
    assert [str(release.version) for release in client.look(new, root).releases] == ["1.9.1"]
    with pytest.raises(TrustRefused):
        client.look(new)


def test_expired_online_signatures_are_renewed__FEED_1(bench: World, client: Client, desk: Desk) -> None:
    desk.clock.time += 40 * DAY
    with pytest.raises(TrustRefused):
        client.look()
    rehearse(bench, "Expired: timestamp or snapshot")
    assert client.versions() == ["1.9.0", "1.8.0"]
    assert tool(bench, "maker", "status", "--feed", "feed").code == 0


def test_expired_targets_are_renewed__FEED_1(bench: World, client: Client, desk: Desk) -> None:
    desk.clock.time += 185 * DAY
    assert tool(bench, "maker", "refresh", "--feed", "feed", "--keys", "online").code == 0
    with pytest.raises(TrustRefused):
        client.look()
    rehearse(bench, "Expired: targets")
    assert client.versions() == ["1.9.0", "1.8.0"]
    assert tool(bench, "maker", "status", "--feed", "feed").code == 0


def test_an_expired_root_is_renewed__FEED_1(bench: World, client: Client, desk: Desk) -> None:
    desk.clock.time += 600 * DAY
    bench.follow(KEYS, page()["Expired: targets"][1:])
    desk.clock.time += 135 * DAY
    assert tool(bench, "maker", "refresh", "--feed", "feed", "--keys", "online").code == 0
    said = tool(bench, "maker", "status", "--feed", "feed")
    assert (said.code, said.lines[0].endswith("EXPIRED")) == (1, True)
    with pytest.raises(TrustRefused):
        client.look()
    rehearse(bench, "Expired: root")
    assert client.versions() == ["1.9.0", "1.8.0"]


def test_a_withdrawal_does_not_wait_for_a_publication__WDR_2(bench: World) -> None:
    argv = ("prepare", "--feed", "feed", "dist/waiaas-1.9.1.pyz")
    assert tool(bench, "maker", *argv).code == 0
    rehearse(bench, "Urgent, and another change is waiting")
    found = ceremony.look(bench.folder / "maker" / "feed.pending", None)
    assert list(found.documents) == ["targets"]


def test_every_runbook_of_the_page_is_rehearsed_here() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    for heading in page():
        if heading.startswith(("Lost", "Stolen", "Expired", "Urgent")):
            assert f'rehearse(bench, "{heading}")' in text, heading
