"""The kinds of records, and what each of them holds: validators as data (W-22, W-23)."""

import re

from waiaas.release.withdrawal.causes import CAUSES, HOURS
from waiaas.release.withdrawal.shapes import (
    Shape,
    exactly,
    fields,
    items,
    mapping,
    matching,
    maybe,
    moment,
    natural,
    one_of,
    text,
    truth,
    version,
)
from waiaas.release.withdrawal.words import SEVERITIES

FORMAT = 1
DONE, FAILED, BY_HAND, NOT_NEEDED = "done", "failed", "by-hand", "not-needed"
OUTCOMES = (DONE, FAILED, BY_HAND, NOT_NEEDED)
LEVELS = ("critical", "high", "medium", "low", "none")
NAME = re.compile(r"[a-z][a-z0-9-]{0,40}")
TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,80}")

anything = matching(re.compile(r".*", re.DOTALL), "a text")
counts = fields(**dict.fromkeys(LEVELS, natural))

HEAD: dict[str, Shape] = {
    "format": exactly(FORMAT),
    "version": maybe(version),
    "localOnly": exactly(True),
    "updated": moment,
    "author": text,
    "references": items(text),
}
KINDS: dict[str, dict[str, Shape]] = {
    "assessment": {
        "entries": items(
            fields(
                cause=one_of(*CAUSES),
                urgency=one_of(*HOURS),
                at=moment,
                earliest=moment,
                deadline=moment,
                by=text,
            )
        ),
        "closed": maybe(fields(at=moment, by=text, why=text)),
    },
    "withdrawal": {
        "to": maybe(version),
        "goodVersion": maybe(version),
        "reason": text,
        "severity": one_of(*SEVERITIES),
        "withdrawnAt": maybe(moment),
        "crossesMigration": truth,
        "fixedIn": maybe(version),
        "eta": maybe(text),
        "problems": items(natural),
        "steps": items(
            fields(name=matching(NAME, "a step"), outcome=one_of(*OUTCOMES), observed=text, todo=anything,
                   reference=anything, at=moment)
        ),
    },
    "downloads": {
        "readings": items(fields(at=moment, counts=mapping(TAG, natural))),
    },
    "report": {
        "versions": items(fields(version=version, channel=text, state=text)),
        "current": maybe(version),
        "failedRuns": maybe(items(fields(id=natural, title=text, branch=text, at=text, url=text))),
        "downloads": maybe(fields(count=natural, since=moment)),
        "issuesAbout": maybe(counts),
        "issuesOpen": maybe(counts),
        "comments": maybe(natural),
        "reactions": maybe(natural),
        "community": maybe(text),
        "package": maybe(text),
        "commits": maybe(items(text)),
        "unknown": items(text),
    },
    "evidence": {
        "pieces": items(fields(name=matching(NAME, "a piece"), outcome=one_of(*OUTCOMES), observed=text)),
        "suggested": maybe(matching(NAME, "a class")),
        "rootCause": maybe(fields(name=matching(NAME, "a class"), why=text, by=text, at=moment)),
    },
    "checklist": {
        "ticks": mapping(NAME, fields(passed=truth, by=text, at=moment, observed=text, commit=anything)),
    },
}  # fmt: skip


def faults(kind: str, document: object) -> list[str]:
    """Everything that is wrong with a record of this kind; empty if nothing is."""
    return list(fields(**{**HEAD, "kind": exactly(kind), **KINDS[kind]})(kind, document))
