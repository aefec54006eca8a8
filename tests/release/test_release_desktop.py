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
from desktops import LINUX, MAC, NAMES, bundles, release
from pages import steps

from waiaas.core.errors import WaiaasError
from waiaas.core.version import Version
from waiaas.host.files import Files
from waiaas.release import desktop, minisign, publish
from waiaas.release.__main__ import main
from waiaas.release.reader import read


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
