"""The commands of taking a release back: arguments in, a story told, lines out (WDR-1 to WDR-4)."""

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from waiaas.core.errors import Exit, UsageError
from waiaas.release.withdrawal import causes, words

if TYPE_CHECKING:
    from waiaas.release.commands import Bench
    from waiaas.release.withdrawal.case import Seen, Tools
    from waiaas.release.withdrawal.log import Log
    from waiaas.release.withdrawal.marking import Mark
    from waiaas.release.withdrawal.outside import Outside
    from waiaas.release.withdrawal.records import Shelf
    from waiaas.release.withdrawal.settings import Settings
    from waiaas.release.withdrawal.story import Extras


def assess(bench: "Bench", arguments: argparse.Namespace) -> Exit:
    """WDR-1: class, deadline, next command; on record. Exit 1 where a deadline is over."""
    from waiaas.release.withdrawal import assess, explain

    settings = _settings(arguments)
    shelf, version, now = _shelf(bench, arguments, settings), arguments.version, bench.clock.seconds()
    if version is None:
        found = assess.open_ones(shelf)
    elif arguments.close is not None:
        found = [assess.close(shelf, version, words.line("reason", arguments.close))]
    elif arguments.cause is not None:
        cause = causes.cause(arguments.cause)
        _require_published(bench, arguments)
        found = [assess.assess(shelf, version, cause)]
    else:
        found = [assess.required(shelf, version)]
    for one in found:
        for line in one.lines(now, str(arguments.feed)):
            bench.say(line)
    if any(one.cause.urgency == causes.RED and not one.closed for one in found):
        for line in explain.contacts(settings):
            bench.remark(line)
    if not found:
        bench.remark(f"nothing is open in {shelf.folder}")
    return Exit.FAILED if any(one.overdue(now) for one in found) else Exit.OK


def withdraw(bench: "Bench", arguments: argparse.Namespace) -> Exit:
    """WDR-2: everything is looked at before the question, nothing is changed before the answer."""
    from waiaas.host.http import Network
    from waiaas.release import publish
    from waiaas.release.deploy import branch
    from waiaas.release.keys import load_folder
    from waiaas.release.withdrawal import marking, story
    from waiaas.release.withdrawal.case import Tools

    folder = arguments.keys or arguments.online
    if folder is None:
        raise UsageError(
            "no-keys", "withdrawing needs keys", "name the folder with --keys K, or --online DIR"
        )
    settings, outside = _reach(arguments), _outside(bench)
    maker, feed = publish.Maker(bench.files, bench.clock), arguments.feed
    wish = marking.Wish(
        arguments.version, arguments.reason, arguments.severity, arguments.to, arguments.nowhere
    )
    mark = marking.plan(maker, feed, wish, in_parts=arguments.online is not None)
    shelf, extras, tools = (
        _shelf(bench, arguments, settings),
        _extras(arguments),
        Tools.probe(outside, settings),
    )
    public = branch.parse(settings.branch, bench.processes) if settings.branch else None
    ring = load_folder(folder, bench.passphrase.known)
    _explain(bench, arguments, mark, settings, tools, shelf)
    if not _confirmed(bench, arguments):
        bench.remark("cancelled: nothing was changed")
        return Exit.OK
    desk = story.Desk(
        shelf, settings, tools, outside, Network(bench.environ, bench.clock), partial(_tell, bench)
    )
    log = story.withdraw(desk, mark, extras, lambda: marking.carry_out(maker, feed, mark, ring, public))
    return _closing(bench, arguments, log, shelf)


def _explain(
    bench: "Bench",
    arguments: argparse.Namespace,
    mark: "Mark",
    settings: "Settings",
    tools: "Tools",
    shelf: "Shelf",
) -> None:
    from waiaas.release.withdrawal import assess, explain

    version, given = mark.release.version, arguments.reason
    for line in (*explain.lines(mark, settings, tools), *explain.contacts(settings)):
        bench.remark(line)
    assessed = assess.load(shelf, version)
    if assessed is None:
        bench.remark(f"note: {version} was not assessed (assess {version} --cause C)")
    elif not assessed.closed:
        bench.remark(assessed.lines(bench.clock.seconds(), str(arguments.feed))[-2].strip())
    if given is not None and given.strip() != mark.withdrawal.reason:
        bench.remark("note: the signed reason is another than the one given here; the signed one counts")


def _confirmed(bench: "Bench", arguments: argparse.Namespace) -> bool:
    """The version has to be typed; raises UsageError `needs-yes` where nobody can."""
    if arguments.yes:
        return True
    typed = bench.ask(f"Type {arguments.version} to withdraw it: ")
    if typed is None:
        raise UsageError(
            "needs-yes", "withdrawing cannot be undone, and there is no terminal to ask on", "say --yes"
        )
    return typed == str(arguments.version)


def _closing(bench: "Bench", arguments: argparse.Namespace, log: "Log", shelf: "Shelf") -> Exit:
    for name, todo in log.left.items():
        bench.remark(f"left: {name}: {todo or 'see the record'}")
    version = arguments.version
    bench.say(f"record    {shelf.path('withdrawal', version)}")
    if log.failed:
        bench.remark("hint: mend what failed and run the same command again; what is done stays done")
        return Exit.FAILED
    bench.remark(f"next: evidence {version}, then checklist {version}; the fix is the next patch version")
    return Exit.OK


def _tell(bench: "Bench", name: str, seen: "Seen") -> None:
    bench.say(f"{name:<9} {seen.outcome:<10}  {seen.observed}")


def _extras(arguments: argparse.Namespace) -> "Extras":
    from waiaas.release.withdrawal.story import Extras

    if arguments.issue and min(arguments.issue) < 1:
        raise UsageError("bad-value", "an issue has a number from 1", "--issue 12")
    eta = None if arguments.eta is None else words.day("date", arguments.eta)
    return Extras(arguments.fixed_in, eta, tuple(arguments.issue) if arguments.issue else None)


def _settings(arguments: argparse.Namespace) -> "Settings":
    from waiaas.release.withdrawal import settings

    path: Path | None = arguments.settings
    return settings.read(path or settings.file_beside(arguments.feed), needed=path is not None)


def _reach(arguments: argparse.Namespace) -> "Settings":
    """The settings, with what the command line says instead."""
    from waiaas.release.withdrawal import settings

    return settings.amended(
        _settings(arguments), arguments.repository, arguments.image, arguments.checkout, arguments.branch
    )


def _shelf(bench: "Bench", arguments: argparse.Namespace, settings: "Settings") -> "Shelf":
    from waiaas.release.withdrawal.records import Shelf, folder_beside
    from waiaas.release.withdrawal.secrets import Secrets

    folder = arguments.records or folder_beside(arguments.feed)
    author = arguments.by or _git_name(bench, settings) or bench.environ.get("LOGNAME") or "unknown"
    return Shelf(folder, bench.files, bench.clock, words.line("name", author, 80), Secrets(bench.environ))


def _git_name(bench: "Bench", settings: "Settings") -> str:
    outside = _outside(bench)
    if not outside.has("git"):
        return ""
    where = ("-C", str(settings.checkout)) if settings.checkout else ()
    return outside.run(("git", *where, "config", "--get", "user.name")).stdout.strip()


def _outside(bench: "Bench") -> "Outside":
    from waiaas.release.withdrawal.outside import Outside
    from waiaas.release.withdrawal.secrets import Secrets

    return Outside(bench.processes, bench.environ, Secrets(bench.environ))


def _require_published(bench: "Bench", arguments: argparse.Namespace) -> None:
    """A slip of the finger in the version is said at once, where the feed is at hand."""
    from waiaas.release import publish
    from waiaas.release.withdrawal import target

    releases = publish.Maker(bench.files, bench.clock).repository(arguments.feed).releases()
    if releases:
        target.find(releases, arguments.version)
