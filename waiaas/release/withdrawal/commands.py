"""The commands of taking a release back: arguments in, a story told, lines out (WDR-1 to WDR-4)."""

import argparse
from functools import partial
from typing import TYPE_CHECKING

from waiaas.core.errors import Exit, UsageError
from waiaas.core.version import Version
from waiaas.release.withdrawal import causes, words

if TYPE_CHECKING:
    from waiaas.release.commands import Bench
    from waiaas.release.withdrawal.case import Desk, Seen
    from waiaas.release.withdrawal.checks import Checked
    from waiaas.release.withdrawal.log import Log
    from waiaas.release.withdrawal.marking import Mark
    from waiaas.release.withdrawal.records import Shelf
    from waiaas.release.withdrawal.story import Extras


def assess(bench: "Bench", arguments: argparse.Namespace) -> Exit:
    """WDR-1: class, deadline, next command; on record. Exit 1 where a deadline is over."""
    from waiaas.release.withdrawal import assess, at_hand, explain

    settings = at_hand.team(arguments)
    shelf, version, now = at_hand.shelf(bench, arguments, settings), arguments.version, bench.clock.seconds()
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
    from waiaas.release import publish
    from waiaas.release.deploy import branch
    from waiaas.release.keys import load_folder
    from waiaas.release.withdrawal import at_hand, marking, story

    folder = arguments.keys or arguments.online
    if folder is None:
        raise UsageError(
            "no-keys", "withdrawing needs keys", "name the folder with --keys K, or --online DIR"
        )
    maker, feed = publish.Maker(bench.files, bench.clock), arguments.feed
    wish = marking.Wish(
        arguments.version, arguments.reason, arguments.severity, arguments.to, arguments.nowhere
    )
    mark = marking.plan(maker, feed, wish, in_parts=arguments.online is not None)
    extras, desk = _extras(arguments), at_hand.desk(bench, arguments)
    public = branch.parse(desk.settings.branch, bench.processes) if desk.settings.branch else None
    ring = load_folder(folder, bench.passphrase.known)
    _explain(bench, arguments, mark, desk)
    if not _confirmed(bench, arguments):
        bench.remark("cancelled: nothing was changed")
        return Exit.OK
    sign = partial(marking.carry_out, maker, feed, mark, ring, public)
    log = story.withdraw(desk, mark, extras, sign, partial(_tell, bench))
    return _closing(bench, arguments, log, desk.shelf)


def report(bench: "Bench", arguments: argparse.Namespace) -> Exit:
    """WDR-4: the situation, on record and in words."""
    from waiaas.release.withdrawal import at_hand, report

    releases = at_hand.releases(bench, arguments)
    desk = at_hand.desk(bench, arguments)
    document = report.report(desk, releases, arguments.version)
    for line in report.lines(document, desk.shelf, arguments.version):
        bench.say(line)
    return Exit.OK


def evidence(bench: "Bench", arguments: argparse.Namespace) -> Exit:
    """WDR-4: the bundle; with `--class` the root cause and the plan instead."""
    from waiaas.release.withdrawal import at_hand, evidence

    desk, version = at_hand.desk(bench, arguments), arguments.version
    if arguments.root is None:
        document = evidence.collect(desk, version, arguments.source.resolve(), arguments.run)
    else:
        document = evidence.decide(desk, version, arguments.root, words.line("why", arguments.why or ""))
    for line in evidence.lines(document):
        bench.say(line)
    bench.say(f"folder      {desk.shelf.place(version)}")
    return Exit.OK


def checklist(bench: "Bench", arguments: argparse.Namespace) -> Exit:
    """WDR-4: exit 0 only when everything is ticked."""
    from waiaas.release.withdrawal import at_hand, checklist, checks
    from waiaas.release.withdrawal.settings import Settings

    version, source = arguments.version, arguments.source.resolve()
    shelf, outside = at_hand.shelf(bench, arguments, Settings()), at_hand.outside(bench)
    if arguments.tick is not None:
        checklist.tick(shelf, version, arguments.tick, words.line("note", arguments.note or ""))
    if arguments.check:
        fixed_in = arguments.fixed_in or _fixed_in(shelf, version)
        verify = partial(_verified, arguments)
        checklist.look(checklist.Bench(shelf, outside, source, fixed_in, verify), version)
    states = checklist.state(shelf, version, checks.commit(outside, source, shelf.folder))
    for line in checklist.lines(states):
        bench.say(line)
    left = [name for name, (ticked, _) in states.items() if not ticked]
    bench.remark(f"left: {', '.join(left)}" if left else "all ticked: the fix may go out")
    return Exit.FAILED if left else Exit.OK


def _verified(arguments: argparse.Namespace) -> "Checked":
    """The feed, read as a client reads it; and it says that the version is withdrawn."""
    from waiaas.release.repository import verify
    from waiaas.release.withdrawal import checks, target

    root = arguments.root or arguments.feed / "metadata" / "1.root.json"
    if not root.is_file():
        return checks.Checked(False, f"there is no {root}")
    gone = target.find(verify(arguments.feed, root.read_bytes()), arguments.version).withdrawn
    return checks.Checked(gone is not None, "verified; " + ("withdrawn" if gone else "not withdrawn"))


def _fixed_in(shelf: "Shelf", version: Version) -> Version | None:
    record = shelf.load("withdrawal", version)
    return Version.parse(record["fixedIn"]) if record and record["fixedIn"] else None


def _explain(bench: "Bench", arguments: argparse.Namespace, mark: "Mark", desk: "Desk") -> None:
    from waiaas.release.withdrawal import assess, explain

    version, given = mark.release.version, arguments.reason
    for line in (*explain.lines(mark, desk.settings, desk.tools), *explain.contacts(desk.settings)):
        bench.remark(line)
    assessed = assess.load(desk.shelf, version)
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


def _require_published(bench: "Bench", arguments: argparse.Namespace) -> None:
    """A slip of the finger in the version is said at once, where the feed is at hand."""
    from waiaas.release.withdrawal import at_hand

    if (arguments.feed / "metadata").is_dir():
        at_hand.releases(bench, arguments)
