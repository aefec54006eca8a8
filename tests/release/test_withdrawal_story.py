"""Withdrawing a release: every step in order, seen before it is recorded, and what is left named (WDR-2)."""

import subprocess
import sys

import pytest
from withdrawal_kit import IMAGE, Office

from waiaas.release.withdrawal import texts

pytestmark = pytest.mark.journey
HOLD = "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.lockf(f, 2); print(1, flush=True); input()"
Capture = pytest.CaptureFixture[str]


def test_the_whole_story_is_done_and_each_step_was_seen__WDR_2(office: Office, capsys: Capture) -> None:
    assert office.withdraw() == 0
    assert set(office.outcomes().values()) == {"done", "not-needed"}
    assert [name for name, word in office.outcomes().items() if word == "not-needed"] == [
        "package",
        "desktop",
    ]
    github = office.state("github")
    [issue] = github["issues"]
    assert issue["title"] == "ROLLBACK: v1.9.0 withdrawn, go to v1.8.0"
    assert {label["name"] for label in issue["labels"]} == {"release", "critical"}
    assert "- [x] Roll-back tag: done" in issue["body"], "the issue tells the results"
    assert "- [x] 롤백 태그: 완료" in issue["body"]
    [comment] = issue["comments"]
    assert "Please stop using WAIaaS 1.9.0" in comment["body"]
    assert "1.9.0 버전은 더 이상 사용하지 마십시오" in comment["body"]
    assert issue["url"] in comment["body"]
    notes = github["releases"]["v1.9.0"]
    assert notes["name"] == "v1.9.0 [withdrawn]"
    assert "## [withdrawn] v1.9.0" in notes["body"]
    assert "## [철회됨] v1.9.0" in notes["body"]
    assert notes["body"].endswith("- things of 1.9.0"), "what it said before stays below"
    assert github["latest"] == "v1.8.0"
    assert [office.serves(tag) for tag in ("latest", "1", "1.9", "1.9.0")] == ["1.8.0"] * 3 + ["1.9.0"]
    said = capsys.readouterr()
    assert (
        "feed      done        a client reads: 1.9.0 is withdrawn (high: it loses mail), go to 1.8.0"
        in said.out
    )
    assert office.record()["author"] == "Ada"
    assert office.record()["references"] == [issue["url"], notes["url"]]


def test_the_second_time_changes_nothing_and_only_looks__WDR_2(office: Office) -> None:
    assert office.withdraw() == 0
    before, record = office.world(), office.record()
    office.calls()
    assert office.withdraw() == 0
    assert office.world() == before
    assert office.record() == record
    reading = {"auth status", "issue list", "issue view", "label list", "release view"}
    assert {" ".join(call[:2]) for call in office.calls() if call[0] != "api"} <= reading


def test_resuming_needs_no_words_that_were_signed_already__WDR_2(office: Office) -> None:
    more = ("--severity", "critical", "--fixed-in", "1.9.1", "--eta", "2026-12-01", "--issue", "7")
    assert office.withdraw("1.9.0", *more) == 0
    before = office.world()
    words = ("withdraw", "--feed", office.feed, "--keys", office.keys, "1.9.0", "--yes", *office.reach)
    assert office.run(*words) == 0
    assert office.world() == before
    assert office.record()["severity"] == "critical"
    assert (office.record()["fixedIn"], office.record()["problems"]) == ("1.9.1", [7])


def test_when_the_feed_fails_nothing_else_is_done__WDR_2(office: Office, capsys: Capture) -> None:
    for path in office.keys.glob("targets-[23].pem"):
        path.unlink()
    before = office.world()
    assert office.withdraw() == 1
    assert "targets carries 1 of the 2 signatures" in capsys.readouterr().err
    assert office.outcomes() == {"feed": "failed"}
    assert office.record()["withdrawnAt"] is None
    assert office.world() == before
    assert not office.state("github")["issues"]


@pytest.mark.parametrize("fault", ["fail", "lie"])
def test_a_step_that_failed_is_recorded_as_failed_and_never_told_as_done__WDR_2(
    fault: str, office: Office, capsys: Capture
) -> None:
    """Elsewhere a removal failed, and issue and report said "removed", exit 0 (§2.1)."""
    office.fault(release_edit=fault)
    assert office.withdraw() == 1
    outcomes = office.outcomes()
    assert (outcomes["notes"], outcomes["latest"]) == ("failed", "failed")
    assert (outcomes["feed"], outcomes["images"], outcomes["tag"]) == ("done", "done", "done"), (
        "the rest goes on"
    )
    [issue] = office.state("github")["issues"]
    assert "- [ ] Release notes: failed" in issue["body"]
    assert "- [ ] 릴리스 노트: 실패" in issue["body"]
    assert "left: notes" in capsys.readouterr().err
    assert office.state("github")["latest"] == "v1.9.0"
    office.fault()
    assert office.withdraw() == 0, "the same command again"
    assert set(office.outcomes().values()) == {"done", "not-needed"}
    assert len(office.state("github")["issues"]) == 1


def test_what_a_program_says_in_anger_is_kept_without_its_token__WDR_2(
    office: Office, capsys: Capture
) -> None:
    office.fault(release_edit="fail")
    assert office.withdraw() == 1
    assert "[line withheld]" in office.observed("notes")
    written = "".join(p.read_text() for p in office.records.rglob("*.*") if p.is_file())
    assert "ghp_" not in written + capsys.readouterr().out


def test_without_gh_and_skopeo_everything_is_written_and_named__WDR_3(
    office: Office, capsys: Capture
) -> None:
    office.without("gh", "skopeo")
    assert office.withdraw() == 0
    outcomes = office.outcomes()
    by_hand = {name for name, word in outcomes.items() if word == "by-hand"}
    assert by_hand == {"issue", "notes", "images", "latest", "announce"}
    assert (outcomes["feed"], outcomes["notice"], outcomes["tag"]) == ("done", "done", "done")
    names = {path.name for path in (office.records / "1.9.0").iterdir()}
    assert names == {"issue.md", "notice.en.md", "notice.ko.md", "release-notes.md", "withdrawal.json"}
    said = capsys.readouterr().err
    assert "left: issue: gh issue create --repo acme/waiaas --title" in said
    assert "left: latest: gh release edit v1.8.0 --repo acme/waiaas --latest" in said
    assert (
        f"skopeo copy --all --preserve-digests docker://{IMAGE}@DIGEST-OF-1.8.0 docker://{IMAGE}:latest"
        in said
    )


def test_who_is_not_signed_in_is_told_before_anything_is_done__WDR_2(office: Office, capsys: Capture) -> None:
    """W-24: tools and credentials are looked at first."""
    office.keep("github", office.state("github") | {"signed_in": False})
    assert office.withdraw() == 0
    said = capsys.readouterr().err
    assert said.index("gh is not signed in (gh auth login)") < said.index("This cannot be taken back")
    assert not office.state("github")["issues"]


def test_nothing_is_posted_where_no_repository_is_named__WDR_2(office: Office) -> None:
    words = ("withdraw", "--feed", office.feed, "--keys", office.keys, "1.9.0", "--reason", "bad", "--yes")
    assert office.run(*words) == 0
    assert office.calls() == []
    assert office.state("github")["latest"] == "v1.9.0"
    assert office.serves("latest") == "1.9.0"
    assert not any("rollback" in tag for tag in office.remote_tags())


def test_an_issue_of_another_version_is_not_taken_for_ours__WDR_2(office: Office) -> None:
    """`v1.9.0` is the beginning of `v1.9.00`, and `1.9.0-rc.1` is another version."""
    github = office.state("github")
    title = "ROLLBACK: v1.9.0-rc.1 withdrawn, go to v1.8.0"
    github["issues"] = [
        {"number": 1, "title": title, "url": "https://example.org/acme/waiaas/issues/1", "body": "",
         "labels": [], "state": "OPEN", "comments": []}
    ]  # fmt: skip
    office.keep("github", github)
    assert office.withdraw() == 0
    first, second = office.state("github")["issues"]
    assert (first["body"], second["title"]) == ("", "ROLLBACK: v1.9.0 withdrawn, go to v1.8.0")


def test_the_desktop_list_is_made_again_by_whoever_holds_its_key__WDR_2(
    office: Office, capsys: Capture
) -> None:
    bundle = office.folder / "WAIaaS.AppImage"
    bundle.write_bytes(b"bundle")
    words = ("publish", "--feed", office.feed, "--keys", office.keys, office.folder / "waiaas-1.9.0.pyz")
    assert office.run(*words, "--shell", f"linux-x86_64={bundle}") == 0
    assert office.withdraw() == 0
    assert office.outcomes()["desktop"] == "by-hand"
    assert "1.9.0 has bundles for linux-x86_64" in office.observed("desktop")
    assert "left: desktop: make the list again" in capsys.readouterr().err


def test_two_stories_at_once_are_refused__WDR_2(office: Office, capsys: Capture) -> None:
    argv = [sys.executable, "-c", HOLD, str(office.folder / "feed.records.lock")]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert office.withdraw() == 75
        other.communicate(b"\n")
    assert "withdrawn" not in capsys.readouterr().out
    assert office.withdraw() == 0


def test_the_block_in_the_notes_is_replaced_when_there_is_more_to_say__WDR_3(office: Office) -> None:
    assert office.withdraw() == 0
    assert office.withdraw("1.9.0", "--fixed-in", "1.9.1") == 0
    body = office.state("github")["releases"]["v1.9.0"]["body"]
    assert body.count(texts.BEGIN) == body.count("## [withdrawn]") == 1
    assert "1.9.1, in preparation" in body
    assert body.count("- things of 1.9.0") == 1
