"""What users, the repository and the release notes are told, in English and Korean (WDR-3)."""

import re
from string import Template

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from waiaas.core.errors import UsageError
from waiaas.core.value import replace
from waiaas.core.version import Version
from waiaas.release.withdrawal import phrases, texts, words
from waiaas.release.withdrawal.texts import LANGUAGES, Facts

V = Version.parse
PLAIN = Facts(V("1.8.1"), V("1.8.0"), 1795132860, "it loses mail", "critical")
CROSSING = replace(PLAIN, version=V("1.9.0"), crosses=True)
NOWHERE = replace(PLAIN, good=None)
TEMPLATES = sorted({path.name.rsplit(".", 2)[0] for path in texts.FOLDER.iterdir()})
HANGUL = re.compile(r"[가-힣]")
VISIBLE = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters=words.TURNING),
    min_size=1,
    max_size=60,
).filter(lambda text: text.strip() == text)


def placeholders(name: str, language: str) -> set[str]:
    return set(
        Template((texts.FOLDER / f"{name}.{language}.md").read_text(encoding="utf-8")).get_identifiers()
    )


@pytest.mark.parametrize("name", TEMPLATES)
def test_both_languages_say_the_same_facts__WDR_3(name: str) -> None:
    assert placeholders(name, "en") == placeholders(name, "ko")


@pytest.mark.parametrize("name", TEMPLATES)
def test_korean_is_korean__WDR_3(name: str) -> None:
    for paragraph in (texts.FOLDER / f"{name}.ko.md").read_text(encoding="utf-8").split("\n\n"):
        prose = re.sub(r"```.*?```|`[^`]*`|\$\{[a-z]+\}", "", paragraph, flags=re.DOTALL)
        assert HANGUL.search(prose) or not re.search(r"[A-Za-z]{4,}", prose), paragraph
    assert phrases.PHRASES["en"].keys() == phrases.PHRASES["ko"].keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_notice_says_what_happened_where_to_go_and_how__WDR_3(language: str) -> None:
    """W-11: version, date, what happened, version to use, fixed version and when, command, issues."""
    facts = replace(PLAIN, fixed_in=V("1.8.2"), eta="2026-12-01", problems=(12, 15), issue="https://x/9")
    said = texts.notice(facts, language)
    for fact in (
        "1.8.1",
        "2026-11-20",
        "it loses mail",
        "1.8.0",
        "1.8.2",
        "2026-12-01",
        "#12, #15",
        "https://x/9",
    ):
        assert fact in said, fact
    assert "```sh\nwaiaas upgrade\n```" in said
    assert "$" not in said
    assert "\n\n\n" not in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_over_a_migration_the_notice_says_what_is_lost_and_who_must_wait__WDR_3(language: str) -> None:
    said = texts.notice(replace(CROSSING, image="r.example/w"), language)
    for words_ in (
        "waiaas upgrade --yes",
        "waiaas stop",
        "waiaas backup restore ID",
        "docker pull r.example/w:1.8.0",
    ):
        assert words_ in said
    assert "waiaas upgrade --yes" not in texts.notice(PLAIN, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_with_nowhere_to_go_nobody_is_sent_anywhere__WDR_3(language: str) -> None:
    said = texts.notice(NOWHERE, language)
    assert "waiaas stop" in said
    assert "waiaas upgrade\n" not in said
    assert "None" not in said + texts.notes(NOWHERE) + texts.issue(NOWHERE, {})


def test_the_issue_has_its_sections_in_both_languages__WDR_3() -> None:
    """W-12: reason, impact with the number of users, actions, planned re-release."""
    said = texts.issue(replace(PLAIN, affected=120), {"feed": "done", "tag": "failed"})
    for heading in (
        "Reason",
        "Impact",
        "Actions",
        "Planned re-release",
        "사유",
        "영향",
        "조치",
        "재배포 계획",
    ):
        assert f"## {heading}\n" in said
    assert "at least 120" in said
    assert "최소 120명" in said
    assert "- [x] Marked as withdrawn in the feed: done" in said
    assert "- [ ] Roll-back tag: failed" in said
    assert "- [ ] Release notes: not yet" in said
    assert "unknown" in texts.issue(PLAIN, {})
    assert texts.title(PLAIN) == "ROLLBACK: v1.8.1 withdrawn, go to v1.8.0"


@pytest.mark.parametrize(
    ("title", "ours"),
    [
        ("ROLLBACK: v1.8.1 withdrawn, go to v1.8.0", True),
        ("ROLLBACK: v1.8.1 withdrawn, no version to go to yet", True),
        ("ROLLBACK: v1.8.10 withdrawn, go to v1.8.0", False),
        ("ROLLBACK: v1.8.1-rc.1 withdrawn, go to v1.8.0", False),
        ("Re: ROLLBACK: v1.8.1 withdrawn", False),
    ],
)
def test_an_issue_is_known_again_by_its_title__WDR_3(title: str, ours: bool) -> None:
    assert texts.is_titled(title, V("1.8.1")) is ours


def test_the_notes_carry_the_heading_in_both_languages__WDR_3() -> None:
    """W-13: heading, warning with the good version, problems with issue ids, command, status."""
    said = texts.notes(replace(PLAIN, problems=(7,), fixed_in=V("1.8.2")))
    for line in (
        "## [withdrawn] v1.8.1",
        "## [철회됨] v1.8.1",
        "Use 1.8.0.",
        "1.8.0 버전을 사용하십시오.",
        "#7",
    ):
        assert line in said
    assert "being fixed: 1.8.2" in said
    assert "waiaas upgrade" in said


@given(st.text(), VISIBLE)
def test_changing_the_notes_twice_changes_nothing_more__WDR_3(body: str, reason: str) -> None:
    block = texts.notes(replace(PLAIN, reason=reason))
    once = texts.applied(body, block)
    assert texts.applied(once, block) == once
    assert once.startswith(texts.BEGIN)
    other = texts.notes(replace(PLAIN, reason="something else"))
    assert texts.applied(texts.applied(body, other), block) == once, "the old block goes"


def test_what_the_notes_said_before_stays_to_the_byte__WDR_3() -> None:
    body = "### Fixed\r\n\r\n- a *thing* <b>\r\n"
    assert texts.applied(body, texts.notes(PLAIN)).endswith(body)


@pytest.mark.parametrize(
    ("name", "marked"),
    [("v1.8.1", "v1.8.1 [withdrawn]"), ("", "v1.8.1 [withdrawn]"), ("x [withdrawn]", "x [withdrawn]")],
)
def test_the_title_of_the_release_is_marked_once__WDR_3(name: str, marked: str) -> None:
    assert texts.marked_title(name, V("1.8.1")) == marked


@given(VISIBLE)
def test_a_value_is_shown_as_it_was_typed_and_does_nothing__WDR_3(text: str) -> None:
    """Rendered by a real Markdown parser: no tag, no link, no emphasis, no mention, the same letters."""
    paragraph = MarkdownIt("gfm-like", {"linkify": False}).parse(f"Reason: {words.markdown(text)}")[1]
    kinds = {child.type for child in paragraph.children or []}
    assert kinds <= {"text", "html_inline"}, kinds
    raw = [child.content for child in paragraph.children or [] if child.type == "html_inline"]
    assert set(raw) <= {"<!-- -->"}
    shown = "".join(child.content for child in paragraph.children or [] if child.type == "text")
    assert shown == f"Reason: {text}"
    assert not re.search(r"@[A-Za-z]", words.markdown(text)), "nobody is mentioned"


@pytest.mark.parametrize(
    "text", ["", "   ", "two\nlines", "a\x00b", "\x1b[31mred", "a\u202eb", "a\u2028b", "x" * 301, "\udcff"]
)
def test_a_value_that_is_not_one_visible_line_is_refused__WDR_3(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        words.line("reason", text)
    assert refused.value.code == "bad-value"


@pytest.mark.parametrize("text", ["tomorrow", "2026-13-01", "2026-11-20T00:00", "20261120x", ""])
def test_a_date_is_a_date__WDR_3(text: str) -> None:
    with pytest.raises(UsageError):
        words.day("date", text)


def test_a_template_cannot_ask_for_what_does_not_exist__WDR_3() -> None:
    with pytest.raises(KeyError):
        texts._fill("notice", "en", {"version": "1.8.1"})
