"""The steps that tell people: notice, issue, release notes, announcement (WDR-3, W-11 to W-13).

Each writes its text as a file; where `gh` is at hand it posts the file, and reads back what GitHub
then shows: that is what is recorded.
"""

import re
import shlex
from pathlib import Path
from typing import Any

from waiaas.core.errors import WaiaasError
from waiaas.release.withdrawal import github, texts
from waiaas.release.withdrawal.case import Case, Seen, by_hand, done

NUMBER = re.compile(r"/issues/([0-9]{1,9})$")


def notice(case: Case) -> Seen:
    """The notice for users, one file a language."""
    for language in texts.LANGUAGES:
        case.write(f"notice.{language}.md", texts.notice(case.texts, language))
    names = [f"notice.{language}.md" for language in texts.LANGUAGES]
    written = [name for name in names if (case.desk.shelf.place(case.version) / name).stat().st_size]
    return done(f"written: {', '.join(written)}")


def issue(case: Case) -> Seen:
    """One issue for a withdrawal, found again by its title. It tells what was seen so far."""
    title, outcomes = texts.title(case.facts), {name: seen.outcome for name, seen in case.seen.items()}
    path = case.write("issue.md", texts.issue(case.facts, outcomes))
    if case.desk.tools.no_github:
        repository = case.desk.settings.repository or "OWNER/NAME"
        command = shlex.join(github.make_issue(repository, title, Path(path.name)))
        return by_hand(f"written: {path.name} ({case.desk.tools.no_github})", command)
    seen = _posted(case, title, path)
    url = github.field(seen, "url", str)
    return done(f"{url}: {title!r}, {github.field(seen, 'state', str).lower()}, with its labels", url)


def notes(case: Case) -> Seen:
    """The release notes of the withdrawn version, with our part above them."""
    block = texts.notes(case.facts)
    if case.desk.tools.no_github:
        path = case.write("release-notes.md", block)
        todo = f"put it above the release notes of {github.tag(case.version)}, title: … {texts.WITHDRAWN}"
        return by_hand(f"written: {path.name} ({case.desk.tools.no_github})", todo)
    repository = case.desk.settings.repository
    seen = _release(case)
    body, title = texts.applied(seen["body"], block), texts.marked_title(seen["name"], case.version)
    path = case.write("release-notes.md", body)
    if not _reads(seen, title, body):
        case.desk.outside.ask(github.edit_release(repository, case.version, title, path))
        seen = _release(case)
    if not _reads(seen, title, body):
        raise WaiaasError("not-shown", f"{seen['url']} does not show the changed notes")
    return done(f"{seen['url']} is titled {title!r} and begins with the warning", seen["url"])


def announce(case: Case) -> Seen:
    """The results into the issue, and the notice as a comment on it."""
    notice(case)  # by now it can name the issue
    final = issue(case)
    if case.desk.tools.no_github:
        return by_hand(final.observed, "send the notice to where users read: mail, chat, website")
    path = case.write("announcement.md", texts.announcement(case.texts))
    number, text = _number(final.reference), path.read_text(encoding="utf-8")
    if not _has_comment(_view(case, number), text):
        case.desk.outside.ask(github.comment(case.desk.settings.repository, number, path))
        if not _has_comment(_view(case, number), text):
            raise WaiaasError("not-shown", f"{final.reference} does not show the notice as a comment")
    return done(f"{final.reference} shows the results, and the notice as a comment", final.reference)


def _posted(case: Case, title: str, path: Path) -> Any:
    """The issue as GitHub shows it, made or changed where it was not as the file says."""
    repository, number = case.desk.settings.repository, _find(case)
    if number is None:
        _make_labels(case)
        number = _number(case.desk.outside.ask(github.make_issue(repository, title, path)).strip())
    seen = _view(case, number)
    if not _is(seen, title, path):
        _make_labels(case)
        case.desk.outside.ask(github.edit_issue(repository, number, title, path))
        seen = _view(case, number)
    if not _is(seen, title, path):
        raise WaiaasError("not-shown", f"issue #{number} of {repository} does not show the text")
    return seen


def _find(case: Case) -> int | None:
    """The issue of this withdrawal: the oldest of its title."""
    if case.issue:
        return _number(case.issue)
    found = case.desk.outside.read(github.issues(case.desk.settings.repository, "all", "number,title"))
    numbers = [one["number"] for one in found if texts.is_titled(one["title"], case.version)]
    return min(numbers, default=None)


def _view(case: Case, number: int) -> Any:
    return case.desk.outside.read(github.issue(case.desk.settings.repository, number))


def _is(seen: Any, title: str, path: Path) -> bool:
    """Whether an issue has this title, the text of the file, and both labels."""
    labels = {label["name"] for label in github.field(seen, "labels", list)}
    same = github.same_text(github.field(seen, "body", str), path.read_text(encoding="utf-8"))
    return same and github.field(seen, "title", str) == title and labels >= github.LABELS.keys()


def _has_comment(seen: Any, text: str) -> bool:
    bodies = [github.field(comment, "body", str) for comment in github.field(seen, "comments", list)]
    return any(github.same_text(body, text) for body in bodies)


def _make_labels(case: Case) -> None:
    repository = case.desk.settings.repository
    there = {label["name"] for label in case.desk.outside.read(github.labels(repository))}
    for name in github.LABELS:
        if name not in there:
            case.desk.outside.ask(github.make_label(repository, name))


def _reads(seen: dict[str, str], title: str, body: str) -> bool:
    return github.same_text(seen["body"], body) and seen["name"] == title


def _release(case: Case) -> dict[str, str]:
    seen = case.desk.outside.read(github.release(case.desk.settings.repository, case.version))
    return {name: github.field(seen, name, str) for name in ("body", "name", "url")}


def _number(url: str) -> int:
    found = NUMBER.search(url)
    if found is None:
        raise WaiaasError("tool-failed", f"{url[:80]!r} is no address of an issue", "is gh up to date?")
    return int(found[1])
