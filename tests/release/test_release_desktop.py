"""The desktop channel: which release shells are offered, in a list that each of them can read."""

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from bench import Bench, never
from desk import Desk, world
from pages import steps
from tuf.api.metadata import Metadata, Targets

from tests.fakes import FakeClock
from waiaas.core.errors import TrustRefused, UsageError, WaiaasError
from waiaas.core.version import Version
from waiaas.host.clock import Clock
from waiaas.host.files import Files
from waiaas.host.http import Network
from waiaas.release import desktop, minisign, publish, shells
from waiaas.release.__main__ import main
from waiaas.release.reader import read
from waiaas.release.repository import verify
from waiaas.upgrade.feed import Feed
from waiaas.upgrade.floors import Floors

LINUX, MAC = "linux-x86_64", "darwin-aarch64"
NAMES = {LINUX: "WAIaaS_amd64.AppImage", MAC: "WAIaaS.app.tar.gz"}


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A key of the stock tool, or, where it is missing, one of its kind."""
    path = tmp_path / "minisign.key"
    if shutil.which("minisign"):
        argv = ["minisign", "-G", "-W", "-s", path, "-p", tmp_path / "minisign.pub"]
        subprocess.run(argv, check=True, capture_output=True)
        return path
    seed = bytes(range(32))
    point = minisign.Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    raw = b"Ed\0\0B2" + bytes(48) + b"identity" + seed + point + bytes(32)
    path.write_text(f"untrusted comment: x\n{base64.b64encode(raw).decode()}\n")
    return path


def bundles(bench: Bench, version: str, *platforms: str) -> dict[str, Path]:
    made = {}
    for platform in platforms or (LINUX, MAC):
        path = bench.folder / version / platform / NAMES.get(platform, "WAIaaS-setup.exe")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"shell {version} for {platform}".encode() * 1000)
        made[platform] = path
    return made


def release(bench: Bench, version: str, *platforms: str, **terms: object) -> None:
    bench.publish(version, shells=bundles(bench, version, *platforms), **terms)


def make(bench: Bench, key: Path, *more: str) -> dict[str, Any] | None:
    """What the command writes, or None."""
    root = str(bench.keys / "root.json")
    argv = ["desktop", "--feed", str(bench.feed), "--root", root, "--minisign-key", str(key)]
    assert main([*argv, "-o", str(bench.folder / "out"), *more]) == 0
    path = bench.folder / "out" / "latest.json"
    return json.loads(path.read_text()) if path.exists() else None


def offered(bench: Bench, *without: str) -> str | None:
    found = desktop.choose(read(bench.feed, bench.first_root), without, bench.clock.now())
    return str(found.release.version) if found else None


def test_the_list_is_what_tauris_updater_reads__DSK_1(bench: Bench, key: Path) -> None:
    release(bench, "1.9.0", notes_url="https://example.test/1.9.0")
    found = make(bench, key)
    assert found is not None
    assert list(found) == ["version", "notes", "pub_date", "platforms"]
    assert (found["version"], found["notes"]) == ("1.9.0", "https://example.test/1.9.0")
    assert found["pub_date"] == "2023-11-14T22:13:20Z", "when it was built"
    assert set(found["platforms"]) == {LINUX, MAC}
    for platform, entry in found["platforms"].items():
        assert set(entry) == {"signature", "url"}
        assert entry["url"].startswith("https://feed.example.test/targets/desktop/1.9.0/")
        served = bench.feed / unquote(entry["url"].removeprefix("https://feed.example.test/"))
        assert served.read_bytes() == bundles(bench, "1.9.0")[platform].read_bytes()
        text = base64.b64decode(entry["signature"], validate=True).decode()
        assert base64.b64decode(text.splitlines()[1])[:2] == b"ED", "prehashed"
        assert text.splitlines()[2].endswith(f"\tfile:{NAMES[platform]}\tversion:1.9.0")


@pytest.mark.skipif(not shutil.which("minisign"), reason="no minisign here (apt install minisign)")
def test_the_stock_minisign_verifies_every_entry__DSK_1(bench: Bench, key: Path) -> None:
    release(bench, "1.9.0")
    found = make(bench, key)
    assert found is not None
    for platform, entry in found["platforms"].items():
        bundle = bundles(bench, "1.9.0")[platform]
        signature = bundle.with_suffix(".sig")
        signature.write_bytes(base64.b64decode(entry["signature"]))
        beside = bench.folder / "out" / "1.9.0" / platform / f"{bundle.name}.minisig"
        assert beside.read_bytes() == signature.read_bytes()
        argv = ["minisign", "-V", "-H", "-p", key.with_suffix(".pub"), "-m", bundle, "-x", signature]
        done = subprocess.run(argv, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "version:1.9.0" in done.stdout


def test_the_same_feed_gives_the_same_bytes__RLSE_05(bench: Bench, key: Path) -> None:
    release(bench, "1.9.0")
    make(bench, key)
    out = bench.folder / "out"
    first = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    make(bench, key)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == first
    assert len(first) == 3


def test_a_withdrawn_version_is_never_offered__DSK_1(bench: Bench, key: Path) -> None:
    release(bench, "1.8.0")
    release(bench, "1.9.0")
    found = make(bench, key)
    assert found is not None and found["version"] == "1.9.0"
    bench.withdraw("1.9.0")
    found = make(bench, key)
    assert found is not None and found["version"] == "1.8.0"
    publish.withdraw(
        bench.maker, bench.feed, Version.parse("1.8.0"), publish.Reason("bad", "high", None), bench.ring
    )
    assert make(bench, key) is None, "what was offered before is gone"


def test_candidates_and_what_not_everybody_gets_are_not_offered__DSK_1(bench: Bench) -> None:
    release(bench, "1.8.0")
    release(bench, "1.9.0-rc.1")
    release(bench, "1.9.0", rollout=99)
    assert offered(bench) == "1.8.0", "a shell cannot be offered to a share"
    publish.rollout(bench.maker, bench.feed, Version.parse("1.9.0"), 100, bench.ring)
    assert offered(bench) == "1.9.0"
    release(bench, "1.9.1", rollout=5, critical=True)
    assert offered(bench) == "1.9.1", "a critical one goes to everybody"


def test_nothing_below_the_oldest_safe_version_is_offered__DSK_1(bench: Bench) -> None:
    release(bench, "1.8.0")
    bench.publish("1.9.0", min_safe=Version.parse("1.9.0"))
    assert offered(bench) is None


def test_a_release_waits_for_the_last_of_its_bundles__DSK_1(bench: Bench, key: Path) -> None:
    """One list for all: a platform that is missing in it gets an error at each check."""
    release(bench, "1.8.0")
    release(bench, "1.9.0", LINUX)
    assert offered(bench) == "1.8.0"
    assert offered(bench, MAC) == "1.9.0", "given up"
    release(bench, "1.9.0", MAC)
    assert offered(bench) == "1.9.0"
    assert {s.platform for s in read(bench.feed, bench.first_root).shells if str(s.version) == "1.9.0"} == {
        LINUX,
        MAC,
    }
    found = make(bench, key, "--without", MAC)
    assert found is not None and set(found["platforms"]) == {LINUX}


def test_a_feed_that_a_client_would_refuse_gives_no_list__DSK_1(bench: Bench, key: Path) -> None:
    release(bench, "1.9.0")
    bundle = next((bench.feed / "targets" / "desktop").rglob("*AppImage"))
    bundle.write_bytes(bundle.read_bytes()[:-1] + b"?")
    root = str(bench.keys / "root.json")
    argv = ["desktop", "--feed", str(bench.feed), "--root", root, "--minisign-key", str(key)]
    assert main([*argv, "-o", str(bench.folder / "out")]) == 9
    assert not (bench.folder / "out").exists()


def test_an_address_that_no_shell_may_use_is_refused__DSK_1(bench: Bench, key: Path) -> None:
    release(bench, "1.9.0")
    offer = desktop.choose(read(bench.feed, bench.first_root), (), bench.clock.now())
    assert offer is not None
    secret = minisign.load(key, never)
    for url in ("http://feed.example.test", "file:///srv/feed", "ftp://x"):
        with pytest.raises(WaiaasError) as refused:
            desktop.write(offer, bench.feed, url, secret, bench.folder / "out", Files())
        assert refused.value.code == "bad-latest"
        assert not (bench.folder / "out" / "latest.json").exists()
    desktop.write(offer, bench.feed, "http://127.0.0.1:8000/feed/", secret, bench.folder / "out", Files())


def broken(document: dict[str, Any], how: str) -> dict[str, Any]:
    entry = document["platforms"][LINUX]
    match how:
        case "rc":
            document["version"] = "1.9.0-rc.1"
        case "other version":
            document["version"] = "1.9.1"
        case "date":
            document["pub_date"] = "yesterday"
        case "field":
            document["extra"] = 1
        case "platform":
            document["platforms"]["linux"] = entry
        case "no platform":
            document["platforms"] = {}
        case "no url":
            del entry["url"]
        case "exchanged":
            entry["signature"] = document["platforms"][MAC]["signature"]
    return document


@pytest.mark.parametrize(
    "how", ["rc", "other version", "date", "field", "platform", "no platform", "no url", "exchanged"]
)
def test_one_entry_that_cannot_be_read_spoils_the_list__DSK_1(how: str, bench: Bench, key: Path) -> None:
    """agentsview#931: a malformed list stranded every desktop user."""
    release(bench, "1.9.0")
    found = make(bench, key)
    assert found is not None
    public, paths = minisign.load(key, never).public, bundles(bench, "1.9.0")
    desktop.check(json.loads(json.dumps(found)), public, paths)
    with pytest.raises(WaiaasError):
        desktop.check(broken(found, how), public, paths)


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


@pytest.mark.skipif(not shutil.which("minisign"), reason="no minisign here (apt install minisign)")
def test_the_page_about_it_is_true__DSK_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Path(__file__).parents[2] / "docs" / "desktop.md"
    desk = Desk(monkeypatch)
    made = world(tmp_path / "w", desk)
    maker = made.machine("maker")
    assert desk(["keys", "--dir", "keys"], maker, "passphrase of maker").code == 0
    for name in NAMES.values():
        (maker / "dist" / name).write_bytes(name.encode())
    for section in steps(page).values():
        made.follow(page, section)
