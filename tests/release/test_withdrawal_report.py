"""The situation: what is known, what is not, and never a guess (WDR-4)."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from withdrawal_kit import Office

from waiaas.core.version import Version
from waiaas.host.clock import iso
from waiaas.release.withdrawal import downloads, feedback
from waiaas.release.withdrawal.downloads import WEEK, Downloads, Reading

pytestmark = pytest.mark.real_time
Capture = pytest.CaptureFixture[str]
V = Version.parse
NOW = 1_800_000_000
DAY = 86400


@pytest.mark.parametrize(
    ("ages", "published", "expected"),
    [
        ((0,), 30, None),
        ((6, 0), 30, None),
        ((7, 0), 30, Downloads(10, NOW - 7 * DAY)),
        ((9, 8, 3, 0), 30, Downloads(20, NOW - 8 * DAY)),
        ((0,), 7, Downloads(30, NOW - 7 * DAY)),
        ((0,), 2, Downloads(30, NOW - 2 * DAY)),
        ((), 2, None),
    ],
)
def test_downloads_of_seven_days_need_two_readings_or_a_young_release__WDR_4(
    ages: tuple[int, ...], published: int, expected: Downloads | None
) -> None:
    """W-04. Each reading counts ten more than the one before; the present one says 30."""
    counts = [30 - 10 * n for n in range(len(ages))][::-1]
    readings = [Reading(NOW - age * DAY, {"v1": count}) for age, count in zip(ages, counts, strict=True)]
    assert downloads.of_seven_days(readings, "v1", NOW, NOW - published * DAY) == expected


@given(st.lists(st.tuples(st.integers(0, 40 * DAY), st.integers(0, 1000)), min_size=1, max_size=8))
def test_an_answer_is_never_negative_nor_of_less_than_a_week__WDR_4(seen: list[tuple[int, int]]) -> None:
    """Counts can fall: an asset that is replaced begins anew."""
    readings = [Reading(NOW - age, {"v1": count}) for age, count in sorted(seen, reverse=True)]
    found = downloads.of_seven_days(readings, "v1", NOW, None)
    assert found is None or (found.count >= 0 and NOW - found.since >= WEEK)


def test_counts_are_those_of_all_assets__WDR_4() -> None:
    releases = [
        {"tag_name": "v1", "assets": [{"download_count": 3}, {"download_count": 4}], "published_at": None},
        {"tag_name": "v2", "assets": [], "published_at": "2026-11-20T00:00:00Z"},
    ]
    assert downloads.counts_of(releases) == {"v1": 7, "v2": 0}
    assert downloads.published_of(releases, "v1") is None
    assert iso(downloads.published_of(releases, "v2") or 0) == "2026-11-20T00:00:00Z"


@pytest.mark.parametrize(
    ("labels", "level"),
    [
        (["bug", "critical"], "critical"),
        (["severity: high"], "high"),
        (["severity/low", "P1"], "low"),
        (["low", "HIGH"], "high"),
        (["highlight", "slow"], "none"),
        ([], "none"),
    ],
)
def test_the_severity_is_the_gravest_that_a_label_names__WDR_4(labels: list[str], level: str) -> None:
    assert feedback.level_of(labels) == level


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("1.9.0 crashes", True),
        ("v1.9.0.", True),
        ("since (1.9.0), and", True),
        ("1.9.0-rc.1 crashes", False),
        ("11.9.0", False),
        ("1.9.01", False),
        ("1.9.0.1", False),
    ],
)
def test_an_issue_is_about_a_version_if_it_names_just_that__WDR_4(text: str, about: bool) -> None:
    assert feedback.is_about(text, V("1.9.0")) is about


def issue(number: int, title: str, label: str, comments: int = 0, hearts: int = 0) -> dict[str, Any]:
    return {
        "number": number, "title": title, "body": "", "state": "OPEN",
        "url": f"https://example.org/acme/waiaas/issues/{number}",
        "labels": [{"name": label}], "comments": [{"body": "x"}] * comments,
        "reactionGroups": [{"content": "HEART", "users": {"totalCount": hearts}}],
    }  # fmt: skip


def run(number: int, conclusion: str) -> dict[str, Any]:
    return {
        "databaseId": number, "displayTitle": f"release {number}", "headBranch": "v1.9.0",
        "createdAt": "2026-11-19T10:00:00Z", "url": f"https://example.org/runs/{number}",
        "conclusion": conclusion,
    }  # fmt: skip


@pytest.mark.journey
def test_the_whole_situation_on_one_screen_and_on_record__WDR_4(
    office: Office, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """W-03 to W-06, and the last commits of W-08."""
    office.publish("1.9.1", "1.9.2", "2.0.0")
    github = office.state("github")
    github["issues"] = [
        issue(3, "2.0.0 loses data", "critical", 2, 5),
        issue(4, "slow", "severity: low"),
        issue(5, "2.0.0 does not start", "bug", 1),
    ]
    github["runs"] = [run(n, "failure" if n % 2 else "success") for n in range(20, 0, -1)]
    office.keep("github", github)
    words = ("report", "--feed", office.feed, "2.0.0", *office.reach)
    assert office.run(*words) == 0
    said = capsys.readouterr().out
    versions = re.findall(r"^version   (\S+)", said, re.MULTILINE)
    assert versions == ["2.0.0", "1.9.2", "1.9.1", "1.9.0", "1.9.0-rc.1"], "the last five"
    assert "current   2.0.0" in said
    assert re.findall(r"^run       (\d+)", said, re.MULTILINE) == ["19", "17", "15", "13", "11"]
    assert "issues    about 2.0.0: 1 critical, 0 high, 0 medium, 0 low, 1 none" in said
    assert "issues    open in all: 1 critical, 0 high, 0 medium, 1 low, 1 none" in said
    assert "reactions 5, comments 3" in said
    assert "downloads unknown" in said
    assert "unknown   downloads: no reading of the counts is seven days old yet; this one is kept" in said
    assert said.count("\ncommit    ") == 7
    later = office.bench.clock.time + 8 * DAY
    monkeypatch.setattr("time.time", lambda: later)
    github = office.state("github")
    github["releases"]["v2.0.0"]["api"]["assets"] = [{"download_count": 63}]
    office.keep("github", github)
    (office.records / "2.0.0" / "community.md").write_text("- three people on the forum\n\n- one mail\n")
    assert office.run(*words) == 0
    said = capsys.readouterr().out
    assert "downloads 23 since " in said
    assert "community community.md, 2 lines" in said


@pytest.mark.journey
def test_the_number_of_users_goes_into_the_issue__WDR_4(office: Office) -> None:
    """W-04 is used again by W-12."""
    github = office.state("github")
    github["releases"]["v1.9.0"]["api"]["published_at"] = iso(office.bench.clock.time - 2 * DAY)
    office.keep("github", github)
    assert office.run("report", "--feed", office.feed, "1.9.0", *office.reach) == 0
    assert office.withdraw() == 0
    assert "at least 40, by the downloads" in office.state("github")["issues"][0]["body"]


@pytest.mark.journey
def test_an_old_report_says_nothing_of_today__WDR_4(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    github = office.state("github")
    github["releases"]["v1.9.0"]["api"]["published_at"] = iso(office.bench.clock.time - 2 * DAY)
    office.keep("github", github)
    assert office.run("report", "--feed", office.feed, "1.9.0", *office.reach) == 0
    now = office.bench.clock.time
    monkeypatch.setattr("time.time", lambda: now + 8 * DAY)
    assert office.withdraw() == 0
    assert "Users affected: unknown" in office.state("github")["issues"][0]["body"]


def test_what_cannot_be_looked_at_is_unknown_and_says_why__WDR_4(office: Office, capsys: Capture) -> None:
    office.without("gh")
    assert office.run("report", "--feed", office.feed, "1.9.0") == 0
    said = capsys.readouterr().out
    for line in (
        "downloads unknown",
        "issues    about 1.9.0: unknown",
        "reactions unknown, comments unknown",
        "unknown   failed runs: no repository is named",
        "unknown   commits: no checkout is named",
    ):
        assert line in said
    assert office.record("1.9.0", "report")["downloads"] is None


@pytest.mark.journey
def test_a_strange_answer_is_unknown_too__WDR_4(office: Office, capsys: Capture) -> None:
    github = office.state("github")
    github["issues"] = [issue(3, "1.9.0 is odd", "bug") | {"reactionGroups": None}]
    office.keep("github", github)
    assert office.run("report", "--feed", office.feed, "1.9.0", *office.reach) == 0
    assert "unknown   issues: gh answered in an unexpected way" in capsys.readouterr().out


@pytest.fixture
def index() -> Iterator[tuple[str, dict[str, str]]]:
    """A package index on loopback: what it answers for each path."""
    answers: dict[str, str] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = answers.get(self.path, "").encode()
            self.send_response(200 if body else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", answers
    server.shutdown()
    server.server_close()


def test_a_package_is_yanked_by_hand_and_seen_by_looking__WDR_2(
    office: Office, index: tuple[str, dict[str, str]], capsys: Capture
) -> None:
    """W-07: there is no interface for it; done is what the index says, and the next run sees it."""
    address, answers = index
    settings = f'[package]\nname = "waiaas"\nindex = "{address}"\n'
    (office.folder / "feed.toml").write_text(settings)
    words = ("withdraw", "--feed", office.feed, "--keys", office.keys, "1.9.0", "--reason", "bad", "--yes")
    assert office.run(*words) == 0
    assert office.outcomes()["package"] == "not-needed", "there is no such version"
    answers["/pypi/waiaas/1.9.0/json"] = '{"urls": [{"yanked": false}, {"yanked": true}]}'
    assert office.run(*words) == 0
    assert office.outcomes()["package"] == "by-hand"
    said = capsys.readouterr().err
    assert "Yank: type the version" in said
    assert "Yank, never delete" in said
    answers["/pypi/waiaas/1.9.0/json"] = '{"urls": [{"yanked": true}, {"yanked": true}]}'
    assert office.run(*words) == 0
    assert office.observed("package") == f"{address} says that waiaas 1.9.0 is yanked"
    answers["/pypi/waiaas/1.9.0/json"] = "<html>please log in</html>"
    assert office.run(*words) == 1
    assert office.outcomes()["package"] == "failed"
