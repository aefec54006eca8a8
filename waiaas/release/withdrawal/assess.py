"""How urgent it is, and what remains until the deadline: kept on record, and said again later (WDR-1)."""

from collections.abc import Iterator
from datetime import datetime

from waiaas.core.errors import UsageError
from waiaas.core.value import frozen
from waiaas.core.version import Version
from waiaas.host.clock import iso
from waiaas.release.withdrawal import causes
from waiaas.release.withdrawal.log import is_marked
from waiaas.release.withdrawal.records import Document, Shelf

KIND = "assessment"


@frozen
class Assessment:
    """The last one of a version. Times in Unix seconds; `closed`: why nothing is left to decide, or ""."""

    version: Version
    cause: causes.Cause
    at: int
    term: causes.Term
    closed: str

    def overdue(self, now: int) -> bool:
        return not self.closed and now > self.term.deadline

    def lines(self, now: int, feed: str) -> list[str]:
        """What it is, by when, and what to type next."""
        head = f"{self.version}  {self.cause.urgency}  {self.cause.name}: {self.cause.sentence}"
        if self.closed:
            return [head, f"  closed    {self.closed}"]
        due = f"  deadline  {iso(self.term.deadline)}  {causes.left(self.term.deadline - now)}"
        if self.cause.urgency == causes.RED:
            command = f"withdraw --feed {feed} {self.version} --keys K --reason '…'"
            return [head, due, f"  next      {command}"]
        first = f"  decide    {iso(self.term.earliest)} at the earliest"
        return [
            head,
            first,
            due,
            f"  next      report --feed {feed} {self.version}, then withdraw, or --close",
        ]


def assess(shelf: Shelf, version: Version, cause: causes.Cause) -> Assessment:
    """Put it on record. The same cause again changes nothing, the deadline least of all."""
    before = load(shelf, version)
    if before is not None and before.cause == cause and not before.closed:
        return before
    now, entries = shelf.clock.seconds(), _entries(shelf, version)
    first = min((_seconds(entry["at"]) for entry in entries), default=now)
    term = causes.term(cause.urgency, now, first, before.term if before else None)
    entry = {
        "cause": cause.name,
        "urgency": cause.urgency,
        "at": iso(now),
        "earliest": iso(term.earliest),
        "deadline": iso(term.deadline),
        "by": shelf.author,
    }
    shelf.save(KIND, version, {"entries": [*entries, entry], "closed": None})
    return Assessment(version, cause, now, term, "")


def close(shelf: Shelf, version: Version, why: str) -> Assessment:
    """Decided: it stays. Raises UsageError `not-assessed`."""
    found = required(shelf, version)
    closed = {"at": iso(shelf.clock.seconds()), "by": shelf.author, "why": why}
    shelf.save(KIND, version, {"entries": _entries(shelf, version), "closed": closed})
    return Assessment(version, found.cause, found.at, found.term, why)


def required(shelf: Shelf, version: Version) -> Assessment:
    found = load(shelf, version)
    if found is None:
        names = ", ".join(causes.CAUSES)
        raise UsageError("not-assessed", f"{version} was not assessed", f"--cause C, one of {names}")
    return found


def load(shelf: Shelf, version: Version) -> Assessment | None:
    document = shelf.load(KIND, version)
    if document is None or not document["entries"]:
        return None
    last = document["entries"][-1]
    term = causes.Term(_seconds(last["earliest"]), _seconds(last["deadline"]))
    why = document["closed"]["why"] if document["closed"] else ""
    if is_marked(shelf, version):
        why = "withdrawn"
    return Assessment(version, causes.cause(last["cause"]), _seconds(last["at"]), term, why)


def open_ones(shelf: Shelf) -> list[Assessment]:
    """Those that are not decided, the most urgent first."""
    found = [one for one in _all(shelf) if not one.closed]
    return sorted(found, key=lambda one: one.term.deadline)


def _all(shelf: Shelf) -> Iterator[Assessment]:
    for version in shelf.versions():
        found = load(shelf, version)
        if found is not None:
            yield found


def _entries(shelf: Shelf, version: Version) -> list[Document]:
    document = shelf.load(KIND, version)
    entries: list[Document] = document["entries"] if document else []
    return entries


def _seconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp())
