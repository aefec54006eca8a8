"""docs/keys.md is true: its ceremonies are held as they stand there, command by command."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from desk import KEYS, REPOSITORY, STORY, VERSIONS, Desk, page, world
from pages import TOOL, Said, World, differences

from waiaas.core.version import Version
from waiaas.release.look_commands import SOON
from waiaas.release.repository import verify
from waiaas.release.root import LIFETIME, NUMBER_OF_KEYS


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return world(tmp_path / "w", Desk(monkeypatch))


def follow(bench: World, *headings: str) -> None:
    for heading in headings:
        bench.follow(KEYS, page()[heading])


def test_three_holders_each_with_their_own_keys__FEED_1(bench: World) -> None:
    """From no key at all to a withdrawn release; no private key ever leaves its machine."""
    follow(bench, *STORY)
    root = (bench.folder / "stick" / "root.json").read_bytes()
    releases = {str(r.version): r for r in verify(bench.folder / "maker" / "feed", root)}
    gone = releases["1.9.0"].withdrawn
    assert gone is not None and gone.to == Version.parse("1.8.0")
    found = {path.relative_to(bench.folder) for path in bench.folder.rglob("*.pem")}
    assert {path.parts[0] for path in found} == {"alice", "bob", "carol", "maker"}
    assert {path.name for path in found if path.parts[0] == "maker"} == {"snapshot.pem", "timestamp.pem"}
    public = [p for p in bench.folder.rglob("*") if p.is_file() and p.suffix != ".pem" and not p.is_symlink()]
    assert not [path for path in public if b"PRIVATE KEY" in path.read_bytes()]
    assert {(bench.folder / path).stat().st_mode & 0o777 for path in found} == {0o600}


def test_a_small_team_keeps_a_targets_key_in_the_environment__FEED_1(bench: World) -> None:
    follow(bench, "A small team")
    assert not list((bench.folder / "solo" / "production").glob("root-*.pem"))


def test_what_is_not_right_is_refused_in_one_sentence__BLD_1(bench: World) -> None:
    """Wrong passphrase, no key, foreign key, too few signatures, tampered and foreign folders."""
    mallory = bench.machine("mallory")
    assert bench.tool(["keys", "--dir", "keys", "--plain"], mallory, "x").code == 0
    (mallory / "keys" / "root.json").rename(mallory / "root.json")
    follow(bench, *STORY)
    feed = bench.folder / "maker" / "feed"
    for step in page()["What is refused"]:
        before = {path: path.read_bytes() for path in feed.rglob("*") if path.is_file()}
        bench.follow(KEYS, [step])
        after = {path: path.read_bytes() for path in feed.rglob("*") if path.is_file()}
        assert after == before or step.expected == ["published: targets version 5"], step.command


def test_the_table_of_roles_is_that_of_the_code__FEED_1() -> None:
    text = KEYS.read_text(encoding="utf-8")
    spans = {"2 years": 730, "6 months": 182, "35 days": 35, "14 days": 14}
    rows = re.findall(
        r"^\| (root|targets|snapshot|timestamp) \| (\d).*?\| (\d) \| (.*?) \| (\d+) days", text, re.M
    )
    assert {role: int(count) for role, count, *_ in rows} == NUMBER_OF_KEYS
    assert {role: int(need) for role, _, need, *_ in rows} == {
        "root": 2,
        "targets": 2,
        "snapshot": 1,
        "timestamp": 1,
    }
    assert {role: spans[span] for role, _, _, span, _ in rows} == LIFETIME
    assert {role: int(alarm) for role, *_, alarm in rows} == SOON


def test_every_command_of_the_page_is_followed_by_a_test() -> None:
    """A section that nobody runs would drift; a runbook is run by test_release_runbooks.py."""
    here = {*STORY, "A small team", "What is refused"}
    rest = set(page()) - here
    assert all(heading.startswith(("Lost", "Stolen", "Expired", "Urgent")) for heading in rest)
    assert len(rest) >= 11


def test_a_page_that_is_wrong_is_noticed() -> None:
    said = ["signing: root version 2", "hint: 0123abcd", "rest"]
    assert not list(differences(["signing: root version 2", "hint: ffffffff", "…"], said))
    assert list(differences(["signing: root version 3", "…"], said))
    assert list(differences(["signing: root version 2"], said)), "more is said than the page shows"
    assert list(differences(["…", "absent"], said))
    assert not list(differences(["…", "rest"], said))


@pytest.mark.journey
def test_the_ceremony_and_a_withdrawal_in_real_processes__WDR_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same lines typed into bash; how long a withdrawal takes that two holders have to sign."""

    def typed(argv: list[str], folder: Path, passphrase: str) -> Said:
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(REPOSITORY),
            "WAIAAS_RELEASE_PASSPHRASE": passphrase,
            "LANG": "C.UTF-8",
        }
        done = subprocess.run(
            [*TOOL, *argv],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return Said(done.returncode, done.stdout.splitlines())

    made = World(tmp_path / "w", typed)
    dist = made.machine("maker") / "dist"
    assert typed(["keys", "--dir", "other", "--plain"], tmp_path, "x").code == 0
    for version in VERSIONS[:2]:  # real artefacts; any root of trust will do in them
        argv = [
            "build",
            "--root",
            str(tmp_path / "other" / "root.json"),
            "-o",
            str(dist),
            "--version",
            version,
        ]
        assert typed([*argv, "--cache", str(REPOSITORY / ".cache")], REPOSITORY, "x").code == 0
    followed = page()
    for heading in STORY[:2]:
        made.follow(KEYS, followed[heading])
    begun = time.monotonic()
    made.follow(KEYS, followed[STORY[2]])
    with capsys.disabled():
        print(f"\nwithdrawn by two holders: {time.monotonic() - begun:.1f} s of commands")
