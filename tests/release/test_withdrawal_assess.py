"""Assessing a release: its cause, its class, and a deadline that does not move (WDR-1)."""

import pytest
from bench import Bench
from withdrawal_kit import run, withdraw

from waiaas.release.withdrawal import causes

pytestmark = pytest.mark.usefixtures("forgetful")
Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize(("cause", "row"), causes.CAUSES.items())
def test_each_cause_has_its_class_deadline_and_next_command__WDR_1(
    cause: str, row: causes.Cause, feed: Bench, capsys: Capture
) -> None:
    """W-01, W-02."""
    assert run("assess", "1.9.0", "--cause", cause, "--feed", feed.feed) == 0
    first, *rest = capsys.readouterr().out.splitlines()
    assert first == f"1.9.0  {row.urgency}  {cause}: {row.sentence}"
    hours = 24 if row.urgency == "RED" else 72
    assert any(f"{hours} h 0 min left" in line for line in rest)
    command = (
        f"withdraw --feed {feed.feed} 1.9.0 --keys K"
        if row.urgency == "RED"
        else f"report --feed {feed.feed} 1.9.0"
    )
    assert command in rest[-1]


def test_five_causes_are_red_and_three_yellow__WDR_1() -> None:
    classes = [cause.urgency for cause in causes.CAUSES.values()]
    assert (classes.count("RED"), classes.count("YELLOW")) == (5, 3)


def test_an_assessment_is_kept_and_its_deadline_does_not_move__WDR_1(
    feed: Bench, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, now = ("--feed", feed.feed), feed.clock.time
    monkeypatch.setattr("time.time", lambda: now)
    assert run("assess", "1.9.0", "--cause", "security", *where) == 0
    deadline = capsys.readouterr().out.splitlines()[1].split()[1]
    record = feed.folder / "feed.records" / "1.9.0" / "assessment.json"
    kept = record.read_bytes()
    monkeypatch.setattr("time.time", lambda: now + 5 * 3600)
    for words in (("1.9.0", "--cause", "security"), ("1.9.0",), ()):
        assert run("assess", *words, *where) == 0
        line = capsys.readouterr().out.splitlines()[1]
        assert deadline in line
        assert " 19 h 0 min left" in line
    assert record.read_bytes() == kept
    monkeypatch.setattr("time.time", lambda: now + 25 * 3600)
    assert run("assess", *where) == 1, "overdue is an exit code"
    assert "overdue by 1 h" in capsys.readouterr().out
    monkeypatch.setattr("time.time", lambda: now)
    assert withdraw(feed, "1.9.0", "--yes") == 0
    capsys.readouterr()
    assert run("assess", *where) == 0
    assert "nothing is open" in capsys.readouterr().err


def test_a_yellow_one_can_be_decided_the_other_way__WDR_1(feed: Bench, capsys: Capture) -> None:
    where = ("--feed", feed.feed)
    assert run("assess", "1.9.0", "--cause", "docs", *where) == 0
    assert run("assess", "1.9.0", "--close", "mended on the website", *where) == 0
    assert "closed    mended on the website" in capsys.readouterr().out
    assert run("assess", *where) == 0
    assert "nothing is open" in capsys.readouterr().err
    assert run("assess", "1.9.0", "--cause", "security", *where) == 0, "and be opened again"
    assert "RED" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("urgency", "hours", "before", "deadline"),
    [
        ("RED", 0, None, 24),
        ("YELLOW", 0, None, 72),
        ("RED", 10, 72, 34),
        ("RED", 60, 72, 72),
        ("YELLOW", 10, 24, 72),
        ("YELLOW", 60, 72, 72),
    ],
)
def test_assessing_anew_never_gains_time__WDR_1(
    urgency: str, hours: int, before: int | None, deadline: int
) -> None:
    old = None if before is None else causes.Term(0, before * 3600)
    found = causes.term(urgency, hours * 3600, 0, old)
    assert found.deadline == deadline * 3600


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("1.9.0",), "1.9.0 was not assessed"),
        (("1.9.0", "--cause", "boredom"), "is no cause"),
        (("7.0.0", "--cause", "security"), "the feed has no 7.0.0"),
        (("1.9.0", "--close", "why"), "was not assessed"),
    ],
)
def test_an_assessment_of_nothing_is_refused__WDR_1(
    words: tuple[str, ...], said: str, feed: Bench, capsys: Capture
) -> None:
    assert run("assess", *words, "--feed", feed.feed) == 2
    assert said in capsys.readouterr().err
    assert not (feed.folder / "feed.records").exists()


def test_a_deadline_is_said_again_before_withdrawing__WDR_1(feed: Bench, capsys: Capture) -> None:
    assert run("assess", "1.9.0", "--cause", "security", "--feed", feed.feed) == 0
    assert withdraw(feed, "1.9.0", "--yes") == 0
    assert "deadline  2" in capsys.readouterr().err
