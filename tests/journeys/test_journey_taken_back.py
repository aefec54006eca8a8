"""A bad version is taken back, and users type what the notice says: real builds, a signed feed (WDR-2, 3)."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.journeys.api import contents, eventually, health, schema
from tests.journeys.workshop import REPOSITORY, Feed, Site, Workshop, site
from waiaas.release.withdrawal.texts import LANGUAGES

BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)


def withdraw(feed: Feed, version: str, *more: str) -> None:
    feed.workshop.maker(
        *("withdraw", "--keys", str(feed.workshop.keys), "--feed", str(feed.folder), version),
        *("--reason", "it loses mail", "--severity", "critical", "--yes", *more),
    )


def commands(feed: Feed, version: str, language: str) -> list[list[str]]:
    """What the notice tells users to type, without `waiaas` and comments."""
    notice = feed.folder.with_name(feed.folder.name + ".records") / version / f"notice.{language}.md"
    lines = [
        line.partition("#")[0].split()
        for block in BLOCK.findall(notice.read_text())
        for line in block.splitlines()
    ]
    assert all(words[0] == "waiaas" for words in lines)
    return [words[1:] for words in lines]


@pytest.mark.parametrize("language", LANGUAGES)
def test_whoever_types_what_the_notice_says_is_on_the_good_version__WDR_3(
    installed: Site, feed: Feed, language: str
) -> None:
    """Told by its own next look at the feed, and away with one command; no new artefact was made."""
    installed.ok("upgrade")
    installed.ok("restart")
    assert health(installed)["version"] == "1.8.1"
    artefacts = sorted(path.name for path in feed.folder.glob("targets/*.pyz"))
    withdraw(feed, "1.8.1")
    assert installed.json("upgrade", "--check")["withdrawn"]["to"] == "1.8.0"
    installed.ok("restart")
    eventually(lambda: health(installed)["withdrawn"] is not None)
    [words] = commands(feed, "1.8.1", language)
    assert words == ["upgrade"]
    assert "1.8.1 → 1.8.0" in installed.ok(*words).out
    assert health(installed)["version"] == "1.8.0"
    assert health(installed)["withdrawn"] is None
    assert sorted(path.name for path in feed.folder.glob("targets/*.pyz")) == artefacts


def test_over_a_migration_the_notice_leads_back_or_says_to_wait__WDR_3(
    workshop: Workshop, tmp_path: Path
) -> None:
    """Who has a backup of before gets it back; who began with the bad version keeps everything, and waits."""
    feed = workshop.feed(tmp_path / "feed", workshop.current, workshop.minor)
    with (
        site(tmp_path / "old", workshop.current, feed.url) as old,
        site(tmp_path / "new", workshop.minor, feed.url) as new,
    ):
        old.ok("init")
        before = contents(old.database)
        old.ok("upgrade", "--no-start")
        new.ok("init")
        fresh = contents(new.database)
        withdraw(feed, "1.9.0")
        [words] = commands(feed, "1.9.0", "en")
        refused = old.run(*words)
        assert (refused.code, "would be lost" in refused.err) == (2, True), "asks, and there is no terminal"
        old.ok(*words, "--yes", "--no-start")
        assert old.ok("--version").out.strip() == "1.8.0"
        assert contents(old.database) == before
        stays = new.run(*words, "--yes")
        assert stays.code == 1
        assert "no backup is left that it could read" in stays.err
        assert (new.ok("--version").out.strip(), contents(new.database)) == ("1.9.0", fresh)
    feed.close()


def test_in_a_container_the_backup_is_restored_by_the_good_version__WDR_3(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The image is the program: 1.8.0 refuses the migrated data, and can restore what it had backed up."""
    feed = workshop.feed(tmp_path / "feed", workshop.current, workshop.minor)
    with site(tmp_path / "box", workshop.current, feed.url) as box:
        box.ok("init")
        before = contents(box.database)
        box.ok("upgrade", "--no-start")
        monkeypatch.setenv("PATH", "")  # nothing that could look into a registry
        withdraw(feed, "1.9.0", "--image", "registry.example/waiaas/daemon")
        notice = (tmp_path / "feed.records" / "1.9.0" / "notice.en.md").read_text()
        assert "docker pull registry.example/waiaas/daemon:1.8.0" in notice
        shutil.copyfile(workshop.current, box.program)  # another image, the same volume
        assert box.run("start", "--detach").code == 6
        [kept] = [found["id"] for found in box.json("backup", "list") if found["version"] == "1.8.0"]
        box.ok("backup", "restore", kept, "--yes")
        assert (schema(box.database), contents(box.database)) == (16, before)
        box.ok("start", "--detach")
        assert health(box)["version"] == "1.8.0"
    feed.close()


def test_with_nowhere_to_go_the_notice_stops_the_daemon__WDR_3(workshop: Workshop, tmp_path: Path) -> None:
    feed = workshop.feed(tmp_path / "feed", workshop.current)
    with site(tmp_path / "site", workshop.current, feed.url) as made:
        made.ok("init")
        made.ok("start", "--detach")
        withdraw(feed, "1.8.0", "--nowhere")
        assert "there is no version to go to yet" in made.json("upgrade", "--check")["reason"]
        [words] = commands(feed, "1.8.0", "ko")
        assert words == ["stop"]
        made.ok(*words)
        assert made.run("health").code == 3
    feed.close()


def test_the_first_ten_lines_of_the_runbook_take_a_version_back__WDR_2(
    workshop: Workshop, tmp_path: Path
) -> None:
    """docs/withdraw.md, typed as it stands there, with names for F, V and K."""
    feed = workshop.feed(tmp_path / "feed", workshop.current, workshop.patch)
    lines = (REPOSITORY / "docs" / "withdraw.md").read_text(encoding="utf-8").splitlines()[:10]
    fence = [number for number, line in enumerate(lines) if line.startswith("```")]
    assert len(fence) == 2, "all of it is within ten lines"
    typed = [line.partition("  #")[0] for line in lines[fence[0] + 1 : fence[1]]]
    names = {"F": str(feed.folder), "V": "1.8.1", "K": str(workshop.keys)}
    script = ["set -e", "shopt -s expand_aliases", f"alias release='{sys.executable} -m waiaas.release'"]
    for line in typed:
        words = re.sub(r"(?<![\w.=])([FVK])(?![\w.#])", lambda found: names[found[1]], line)
        if line.startswith("release withdraw"):
            words += " --yes"  # there is no terminal here
        if not line.startswith(("alias", "release fetch")):
            script.append(words)
    argv = ["bash", "-c", "\n".join(script)]
    done = subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert "release checklist V" in typed[-1]
    assert done.returncode == 1, "the list is not done yet, and that is its exit code"
    assert "RED" in done.stdout
    assert "a client reads: 1.8.1 is withdrawn" in done.stdout
    assert "current   1.8.0" in done.stdout
    assert "[ ] reviewed" in done.stdout
    feed.close()
