"""The story of a withdrawal, in order: the feed, and then everything else that points at the version.

The feed comes first because it alone reaches who runs the bad version already; if it fails, nothing
else is done. The steps after it do not depend on each other: one that fails is recorded as failed and
the rest goes on. Each looks before it acts and again afterwards, so that the command can be given again
after a kill at any point, and the record says what was seen.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from waiaas.core.errors import WaiaasError
from waiaas.core.release import Withdrawal
from waiaas.core.value import frozen
from waiaas.core.version import Version
from waiaas.host.clock import iso
from waiaas.host.locks import Lock
from waiaas.release.pending import PUBLIC_DIRECTORY
from waiaas.release.reader import Verified
from waiaas.release.withdrawal import pointers, posts, rollback_tag, target
from waiaas.release.withdrawal.case import Case, Desk, Seen
from waiaas.release.withdrawal.downloads import WEEK, seconds
from waiaas.release.withdrawal.log import Log, failure
from waiaas.release.withdrawal.marking import Mark
from waiaas.release.withdrawal.texts import Facts

Step = Callable[[Case], Seen]
Marked = tuple[Seen, Verified]
Told = Callable[[str, Seen], None]

STEPS: dict[str, Step] = {
    "notice": posts.notice,
    "issue": posts.issue,
    "notes": posts.notes,
    "images": pointers.image_tags,
    "latest": pointers.latest,
    "package": pointers.package,
    "desktop": pointers.desktop,
    "tag": rollback_tag.rollback_tag,
    "announce": posts.announce,
}


@frozen
class Extras:
    """What the texts say beside the mark itself; what is None stays as the record has it."""

    fixed_in: Version | None = None
    eta: str | None = None
    problems: tuple[int, ...] | None = None


def withdraw(desk: Desk, mark: Mark, extras: Extras, sign: Callable[[], Marked], told: Told) -> Log:
    """Sign and tell. `sign` marks the feed and reads it back; what it raises ends the story. `told` is
    called with each step when it is over.

    Returns the record; raises Busy while somebody else tells the same story.
    """
    folder = desk.shelf.folder
    desk.shelf.files.make_directory("record.folder", folder.parent, PUBLIC_DIRECTORY)
    with Lock.acquire(folder.with_name(f"{folder.name}.lock"), "withdrawal"):
        log = Log(desk.shelf, mark.release.version)
        extras = _kept(log, extras)
        try:
            seen, verified = sign()
        except (WaiaasError, OSError) as problem:
            log.head = _head(mark.withdrawal, extras, None)
            told("feed", log.note("feed", failure(problem)))
            raise
        case = _case(desk, log, verified, mark.release.version, extras)
        log.head = _head(case.withdrawal, extras, case.facts)
        told("feed", log.note("feed", seen))
        for name, step in STEPS.items():
            told(name, log.attempt(name, partial(step, case)))
    return log


def _case(desk: Desk, log: Log, verified: Verified, version: Version, extras: Extras) -> Case:
    """From what is signed, and read back."""
    releases = verified.releases
    gone = target.find(releases, version).withdrawn
    if gone is None:
        raise WaiaasError("not-shown", f"the feed does not say that {version} is withdrawn")
    good = target.landing(releases, version, desk.shelf.clock.now())
    facts = Facts(
        version=version,
        good=good,
        at=gone.at,
        reason=gone.reason,
        severity=gone.severity,
        crosses=bool(good and target.way_to(releases, version, good).crosses),
        fixed_in=extras.fixed_in,
        eta=extras.eta or "",
        problems=extras.problems or (),
        affected=_affected(desk, version, gone.at),
        image=desk.settings.images[0] if desk.settings.images else "",
    )
    return Case(releases, verified.shells, facts, gone, desk, log.seen)


def _affected(desk: Desk, version: Version, at: int) -> int | None:
    """Downloads of seven days, from the report; one of long before the withdrawal says nothing."""
    report = desk.shelf.load("report", version)
    if report is None or report["downloads"] is None or seconds(report["updated"]) < at - WEEK:
        return None
    return int(report["downloads"]["count"])


def _head(gone: Withdrawal, extras: Extras, facts: Facts | None) -> dict[str, Any]:
    """`facts`: None where nothing was signed, and then the record says no more than what was wanted."""
    return {
        "to": str(gone.to) if gone.to else None,
        "goodVersion": str(facts.good) if facts and facts.good else None,
        "reason": gone.reason,
        "severity": gone.severity,
        "withdrawnAt": iso(facts.at) if facts else None,
        "crossesMigration": bool(facts and facts.crosses),
        "fixedIn": str(extras.fixed_in) if extras.fixed_in else None,
        "eta": extras.eta or None,
        "problems": list(extras.problems or ()),
    }


def _kept(log: Log, extras: Extras) -> Extras:
    """What was said the last time and is not said anew."""
    old = log.before or {"fixedIn": None, "eta": None, "problems": []}
    return Extras(
        extras.fixed_in or (Version.parse(old["fixedIn"]) if old["fixedIn"] else None),
        old["eta"] if extras.eta is None else extras.eta,
        tuple(old["problems"]) if extras.problems is None else extras.problems,
    )
