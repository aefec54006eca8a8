"""Downloads of the last seven days, from the asset counts that GitHub only ever adds up (W-04).

A count says nothing about when; two readings do. So each reading is kept, and what lies between the
present one and one that is at least seven days old is the answer, with its exact beginning. A release
that is younger than that needs no second reading. Otherwise the answer is "unknown", never a guess.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from waiaas.core.value import frozen
from waiaas.host.clock import iso
from waiaas.release.withdrawal.records import Document, Shelf

WEEK = 7 * 86400  # seconds
APART = 3600  # seconds between two readings worth keeping
KEPT = 400  # readings
KIND = "downloads"


@frozen
class Reading:
    """The counts of all releases by tag, at a time (Unix seconds)."""

    at: int
    counts: Mapping[str, int]


@frozen
class Downloads:
    """`count` since `since` (Unix seconds), which is at least seven days ago or the publication."""

    count: int
    since: int


def counts_of(releases: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Downloads of all assets of each release, by tag."""
    return {
        str(release["tag_name"]): sum(int(asset["download_count"]) for asset in release["assets"])
        for release in releases
    }


def published_of(releases: Iterable[Mapping[str, Any]], tag: str) -> int | None:
    """When the release of this tag was published, Unix seconds."""
    found = (release["published_at"] for release in releases if release["tag_name"] == tag)
    return next((seconds(moment) for moment in found if moment), None)


def of_seven_days(readings: Sequence[Reading], tag: str, now: int, published: int | None) -> Downloads | None:
    """None where it cannot be known. `readings` in order; the last one is the present."""
    if not readings or tag not in readings[-1].counts:
        return None
    present = readings[-1].counts[tag]
    if published is not None and now - published <= WEEK:
        return Downloads(present, published)
    before = [r for r in readings[:-1] if tag in r.counts and now - r.at >= WEEK]
    if not before or present < before[-1].counts[tag]:  # an asset was replaced: its count began anew
        return None
    return Downloads(present - before[-1].counts[tag], before[-1].at)


def note(shelf: Shelf, counts: Mapping[str, int]) -> list[Reading]:
    """Keep a reading; returns all of them, this one last. Within an hour the earlier one is kept."""
    document = shelf.load(KIND, None)
    readings = [Reading(seconds(r["at"]), r["counts"]) for r in _readings(document)]
    fresh = Reading(shelf.clock.seconds(), counts)
    if not readings or fresh.at - readings[-1].at >= APART:
        kept = [*readings, fresh][-KEPT:]
        shelf.save(KIND, None, {"readings": [{"at": iso(r.at), "counts": dict(r.counts)} for r in kept]})
    return [*readings, fresh]


def seconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp())


def _readings(document: Document | None) -> list[Document]:
    found: list[Document] = document["readings"] if document else []
    return found
