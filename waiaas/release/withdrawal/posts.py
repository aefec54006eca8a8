"""The steps that tell people: notice, issue, release notes, announcement (WDR-3, W-11 to W-13).

Each writes its text as a file; where `gh` is at hand it posts the file, and reads back what GitHub
then shows: that is what is recorded.
"""

import re
import shlex
from pathlib import Path

from waiaas.core.errors import WaiaasError
from waiaas.release.withdrawal import github, texts
from waiaas.release.withdrawal.case import Case, Seen, by_hand, done

NUMBER = re.compile(r"/issues/([0-9]{1,9})$")


def notice(case: Case) -> Seen:
    """The notice for users, one file a language."""
    paths = [
        case.write(f"notice.{language}.md", texts.notice(case.texts, language))
        for language in texts.LANGUAGES
    ]
    return done("written: " + ", ".join(f"{path.name} ({path.stat().st_size} bytes)" for path in paths))


def issue(case: Case) -> Seen:
    """One issue for a withdrawal, found again by its title."""
    return _issue(case, {name: seen.outcome for name, seen in case.seen.items()})


def notes(case: Case) -> Seen:
    """The release notes of the withdrawn version, with our part above them."""
    block = texts.notes(case.facts)
    if case.tools.no_github:
        path = case.write("release-notes.md", block)
        todo = f"put it above the release notes of {github.tag(case.version)}, title: … {texts.WITHDRAWN}"
        return by_hand(f"written: {path.name} ({case.tools.no_github})", todo)
    repository = case.settings.repository
    before = _release(case)
    body, title = texts.applied(before["body"], block), texts.marked_title(before["name"], case.version)
    path = case.write("release-notes.md", body)
    if not (github.same_text(before["body"], body) and before["name"] == title):
        case.outside.ask(github.edit_release(repository, case.version, title, path))
    after = _release(case)
    if not github.same_text(after["body"], body) or after["name"] != title:
        raise WaiaasError("not-shown", f"{after['url']} does not show the changed notes")
    return done(f"{after['url']} is titled {title!r} and begins with the warning", after["url"])


def announce(case: Case) -> Seen:
    """The results into the issue, and the notice as a comment on it."""
    notice(case)  # by now it can name the issue
    final = _issue(case, {name: seen.outcome for name, seen in case.seen.items()})
    if case.tools.no_github:
        return by_hand(final.observed, "send the notice to where users read: mail, chat, website")
    path = case.write("announcement.md", texts.announcement(case.texts))
    number, text = _number(final.reference), path.read_text(encoding="utf-8")
    if not _comments(case, number, text):
        case.outside.ask(github.comment(case.settings.repository, number, path))
    if not _comments(case, number, text):
        raise WaiaasError("not-shown", f"{final.reference} does not show the notice as a comment")
    return done(f"{final.reference} shows the results, and the notice as a comment", final.reference)


def _issue(case: Case, outcomes: dict[str, str]) -> Seen:
    title, repository = texts.title(case.facts), case.settings.repository
    path = case.write("issue.md", texts.issue(case.facts, outcomes))
    if case.tools.no_github:
        command = shlex.join(github.make_issue(repository or "OWNER/NAME", title, Path(path.name)))
        return by_hand(f"written: {path.name} ({case.tools.no_github})", command)
    number = _find(case)
    if number is None:
        _make_labels(case)
        case.outside.ask(github.make_issue(repository, title, path))
        number = _find(case)
    if number is None:
        raise WaiaasError("not-shown", f"{repository} shows no issue {title!r} after making it")
    if not _shows(case, number, title):
        _make_labels(case)
        case.outside.ask(github.edit_issue(repository, number, title, path))
    if not _shows(case, number, title):
        raise WaiaasError("not-shown", f"issue #{number} of {repository} does not show the text")
    seen = case.outside.read(github.issue(repository, number))
    url = github.field(seen, "url", str)
    return done(f"{url}: {title!r}, {github.field(seen, 'state', str).lower()}, with its labels", url)


def _find(case: Case) -> int | None:
    """The issue of this withdrawal: the oldest of its title."""
    if case.issue:
        return _number(case.issue)
    found = case.outside.read(github.issues(case.settings.repository, "all", "number,title"))
    numbers = [one["number"] for one in found if texts.is_titled(one["title"], case.version)]
    return min(numbers, default=None)


def _shows(case: Case, number: int, title: str) -> bool:
    """Whether GitHub shows the issue as the file says, with both labels."""
    seen = case.outside.read(github.issue(case.settings.repository, number))
    wanted = (case.shelf.place(case.version) / "issue.md").read_text(encoding="utf-8")
    labels = {label["name"] for label in github.field(seen, "labels", list)}
    same = github.same_text(github.field(seen, "body", str), wanted)
    return same and github.field(seen, "title", str) == title and labels >= github.LABELS.keys()


def _make_labels(case: Case) -> None:
    repository = case.settings.repository
    there = {label["name"] for label in case.outside.read(github.labels(repository))}
    for name in github.LABELS:
        if name not in there:
            case.outside.ask(github.make_label(repository, name))


def _comments(case: Case, number: int, text: str) -> bool:
    """Whether the notice, as it is now, is among the comments of the issue."""
    seen = case.outside.read(github.issue(case.settings.repository, number))
    bodies = [github.field(comment, "body", str) for comment in github.field(seen, "comments", list)]
    return any(github.same_text(body, text) for body in bodies)


def _release(case: Case) -> dict[str, str]:
    seen = case.outside.read(github.release(case.settings.repository, case.version))
    return {name: github.field(seen, name, str) for name in ("body", "name", "url")}


def _number(url: str) -> int:
    found = NUMBER.search(url)
    if found is None:
        raise WaiaasError("tool-failed", f"{url} is no address of an issue", "is gh up to date?")
    return int(found[1])
