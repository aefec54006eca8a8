"""What `withdraw` asks, refuses and says; without anything outside of the feed (WDR-2)."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from bench import Bench
from withdrawal_kit import artefact, run, withdraw

from waiaas.core.version import Version
from waiaas.release import __main__ as tool
from waiaas.release import pending, publish

pytestmark = pytest.mark.usefixtures("forgetful")
Capture = pytest.CaptureFixture[str]
ROOT = Path(__file__).parents[2]


def gone(feed: Bench, version: str = "1.9.0") -> str | None:
    found = feed.releases()[version].withdrawn  # type: ignore[attr-defined]
    return found and str(found.to)


def names(feed: Bench) -> set[str]:
    return {path.name for path in feed.folder.iterdir()}


def answer(monkeypatch: pytest.MonkeyPatch, typed: str | None) -> list[str]:
    asked: list[str] = []
    monkeypatch.setattr(tool, "_ask", lambda question: (asked.append(question), typed)[1])
    return asked


@pytest.mark.parametrize("typed", ["", "y", "yes", "1.9", "1.9.0 ", "v1.9.0", "1.8.0"])
def test_anything_but_the_version_typed_is_cancelled_and_nothing_is_changed__WDR_2(
    typed: str, feed: Bench, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, there, asked = feed.listing(), names(feed), answer(monkeypatch, typed)
    assert withdraw(feed) == 0
    assert asked == ["Type 1.9.0 to withdraw it: "]
    assert "cancelled: nothing was changed" in capsys.readouterr().err
    assert (feed.listing(), names(feed)) == (before, there)


def test_the_version_typed_withdraws_it__WDR_2(feed: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, "1.9.0")
    assert withdraw(feed) == 0
    assert gone(feed) == "1.8.0"


def test_without_a_terminal_yes_has_to_be_said__WDR_2(
    feed: Bench, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, there = feed.listing(), names(feed)
    answer(monkeypatch, None)
    assert withdraw(feed) == 2
    assert "hint: say --yes" in capsys.readouterr().err
    assert (feed.listing(), names(feed)) == (before, there)
    assert withdraw(feed, "1.9.0", "--yes") == 0


@pytest.mark.real_time
@pytest.mark.parametrize(
    ("typed", "code", "withdrawn"), [("1.9.0\n", 0, True), ("yes\n", 0, False), ("\4", 0, False)]
)
def test_on_a_real_terminal__WDR_2(typed: str, code: int, withdrawn: bool, feed: Bench) -> None:
    """The question is on stderr, the answer comes from a pseudo-terminal; Ctrl-D is no answer."""
    ours, theirs = pty.openpty()
    words = ["--feed", str(feed.feed), "--keys", str(feed.keys), "1.9.0", "--reason", "it loses mail"]
    argv = [sys.executable, "-m", "waiaas.release", "withdraw", *words]
    with subprocess.Popen(
        argv, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    ) as child:
        os.write(ours, typed.encode())
        _, said = child.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert child.returncode == code, said
    assert b"Type 1.9.0 to withdraw it: " in said
    assert (gone(feed) is not None) is withdrawn


def test_no_argument_is_usage__WDR_2(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as exit_:
        tool.main(["withdraw"])
    assert exit_.value.code == 2
    assert "usage: python -m waiaas.release withdraw" in capsys.readouterr().err


def test_it_says_what_is_final_and_with_what_it_works_before_it_asks__WDR_2(
    feed: Bench, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """W-07: an explicit warning; W-24: what is at hand, first."""
    answer(monkeypatch, "no")
    feed.folder.joinpath("feed.toml").write_text('[contacts]\nlead = "Ada, +1 555 0100"\n')
    assert withdraw(feed) == 0
    said = capsys.readouterr().err
    for words in (
        "withdrawing 1.9.0: it loses mail (severity high)",
        "users on it are sent to 1.8.0",
        "gh        no repository is named",
        "This cannot be taken back",
        "1.9.0 is never used again",
        "contact   lead: Ada, +1 555 0100",
        "the settings name no security, release-engineer",
        "1.9.0 was not assessed",
    ):
        assert words in said, words


@pytest.mark.parametrize(
    ("more", "reason", "code"),
    [
        (("--to", "1.9.0"), "bad", "it is the version that is being withdrawn"),
        (("--to", "1.9.0-rc.1"), "bad", "it is a release candidate"),
        (("--to", "7.0.0"), "bad", "the feed has no 7.0.0"),
        ((), "", "the reason is empty"),
        ((), "two\nlines", "cannot be seen (U+000A)"),
        ((), "token ghp_" + "a1" * 18, "looks like a GitHub token"),
        (("--eta", "soon"), "bad", "is no date"),
        (("--issue", "0"), "bad", "a number from 1"),
        (("--nowhere",), "bad", "users can go to 1.8.0"),
        (("--repository", "acme"), "bad", "does not look right"),
        (("--image", "--flag"), "bad", ""),
        (("--branch", "nothing"), "bad", "names no branch"),
        (("--settings", "absent.toml"), "bad", "absent.toml"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_changed__WDR_2(
    more: tuple[str, ...], reason: str, code: str, feed: Bench, capsys: Capture
) -> None:
    before, there = feed.listing(), names(feed)
    try:
        exit_code = withdraw(feed, "1.9.0", "--yes", *more, reason=reason)
    except SystemExit as problem:
        exit_code = int(problem.code or 0)
    assert exit_code in (1, 2)
    assert code in capsys.readouterr().err
    assert (feed.listing(), names(feed)) == (before, there)


def test_a_reason_is_needed_the_first_time__WDR_2(feed: Bench, capsys: Capture) -> None:
    words = ("withdraw", "--feed", feed.feed, "--keys", feed.keys, "1.9.0", "--yes")
    assert run(*words) == 2
    assert "without a reason" in capsys.readouterr().err
    assert withdraw(feed, "1.9.0", "--yes") == 0
    assert run(*words) == 0


def test_keys_are_needed_and_opened_before_the_question__WDR_2(
    feed: Bench, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("withdraw", "--feed", feed.feed, "1.9.0", "--reason", "bad", "--yes") == 2
    asked = answer(monkeypatch, "1.9.0")
    for path in feed.keys.glob("*.pem"):
        path.unlink()
    assert withdraw(feed) == 2
    assert "holds no key" in capsys.readouterr().err
    assert asked == []


def test_the_only_good_version_is_withdrawn_only_by_who_knows_that__WDR_2(
    bench: Bench, capsys: Capture
) -> None:
    bench.publish("1.8.0", "1.9.0-rc.1")
    before = bench.listing()
    assert withdraw(bench, "1.8.0", "--yes") == 2
    assert "--nowhere" in capsys.readouterr().err
    assert bench.listing() == before
    assert withdraw(bench, "1.8.0", "--yes", "--nowhere") == 0
    assert gone(bench, "1.8.0") == "None"
    notice = (bench.folder / "feed.records" / "1.8.0" / "notice.en.md").read_text()
    assert "There is no version to go to yet" in notice
    assert run("withdraw", "--feed", bench.feed, "--keys", bench.keys, "1.8.0", "--yes") == 0, "again"


def test_a_later_withdrawal_of_the_target_leads_on__WDR_2(bench: Bench) -> None:
    """Saying the first one again does not send anybody to what is withdrawn by now."""
    bench.publish("1.7.0", "1.8.0", "1.9.0")
    assert withdraw(bench, "1.9.0", "--yes") == 0
    assert withdraw(bench, "1.8.0", "--yes") == 0
    assert (gone(bench), gone(bench, "1.8.0")) == ("1.8.0", "1.7.0")
    assert withdraw(bench, "1.9.0", "--yes") == 0
    assert gone(bench) == "1.7.0"


def test_over_a_migration_it_says_what_users_lose__WDR_2(bench: Bench, capsys: Capture) -> None:
    files = [
        artefact(bench.folder, "1.8.0"),
        artefact(bench.folder, "1.9.0", schema=17, python=">=3.11,<3.14"),
    ]
    root = (bench.keys / "root.json").read_bytes()
    publish.publish(bench.maker, bench.feed, files, publish.Terms(), root, bench.ring)
    assert withdraw(bench, "1.9.0", "--yes") == 0
    said = capsys.readouterr().err
    assert "1.8.0 cannot open their database" in said
    assert "asks" in said
    notice = (bench.folder / "feed.records" / "1.9.0" / "notice.en.md").read_text()
    assert "waiaas upgrade --yes" in notice


def test_who_stays_behind_is_named__WDR_2(bench: Bench, capsys: Capture) -> None:
    files = [
        artefact(bench.folder, "1.8.0", python=">=3.11,<3.13"),
        artefact(bench.folder, "1.9.0", python=">=3.11,<3.14"),
    ]
    root = (bench.keys / "root.json").read_bytes()
    publish.publish(bench.maker, bench.feed, files, publish.Terms(), root, bench.ring)
    assert withdraw(bench, "1.9.0", "--yes") == 0
    assert "1.8.0 does not install on Python 3.13: users there stay" in capsys.readouterr().err


def online(feed: Bench) -> Path:
    folder = feed.folder / "online"
    folder.mkdir()
    for role in ("snapshot", "timestamp"):
        (folder / f"{role}-1.pem").write_bytes((feed.keys / f"{role}-1.pem").read_bytes())
    return folder


def test_signed_in_parts_the_story_goes_on_from_there__WDR_2(feed: Bench, capsys: Capture) -> None:
    """Two holders sign on their own machines; then one command with the two online keys."""
    where = ("--feed", feed.feed)
    tell = ("withdraw", "1.9.0", *where, "--online", online(feed), "--yes")
    assert run(*tell) == 2
    assert "prepare-withdrawal" in capsys.readouterr().err
    assert (
        run("prepare-withdrawal", *where, "1.9.0", "--reason", "it loses mail", "--severity", "critical") == 0
    )
    before = feed.listing()
    assert run(*tell) == 1
    assert "0 of the 2 signatures" in capsys.readouterr().err
    assert feed.listing() == before
    for number in (1, 3):
        words = ("--key", feed.keys / f"targets-{number}.pem", "--pending", feed.folder / "feed.pending")
        assert run("sign", *words, "--root", feed.keys / "root.json") == 0
    assert run(*tell) == 0
    assert gone(feed) == "1.8.0"
    assert not (feed.folder / "feed.pending").exists()
    assert "it loses mail" in (feed.folder / "feed.records" / "1.9.0" / "notice.en.md").read_text()
    listing = feed.listing()
    assert run(*tell, "--reason", "another one") == 0, "again: the feed says so, the rest is seen to"
    assert "the signed one counts" in capsys.readouterr().err
    assert feed.listing() == listing


def test_what_was_published_in_parts_is_told_all_the_same__WDR_2(feed: Bench) -> None:
    publish.withdraw(feed.maker, feed.feed, Version.parse("1.9.0"), publish.Reason("bad", "low"), feed.ring)
    assert run("withdraw", "1.9.0", "--feed", feed.feed, "--online", online(feed), "--yes") == 0
    assert (feed.folder / "feed.records" / "1.9.0" / "withdrawal.json").is_file()


def test_another_change_that_waits_is_not_slipped_in__WDR_2(feed: Bench, capsys: Capture) -> None:
    assert run("prepare-rollout", "--feed", feed.feed, "1.9.0", "50") == 0
    tell = ("withdraw", "1.9.0", "--feed", feed.feed, "--online", online(feed), "--yes")
    assert run(*tell) == 2
    assert "holds something else than the withdrawal of 1.9.0" in capsys.readouterr().err
    pending.drop(feed.folder / "feed.pending", feed.maker.files)
    assert run("prepare-withdrawal", "--feed", feed.feed, "1.9.0", "--reason", "bad") == 0
    publish.rollout(feed.maker, feed.feed, Version.parse("1.8.0"), 50, feed.ring)
    assert run(*tell) == 2, "it would take back what was decided since about 1.8.0"
    assert "holds something else" in capsys.readouterr().err
