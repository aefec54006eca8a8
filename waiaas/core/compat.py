"""Which database schemas this version serves (CMPT-01..03); `incompatible.py` says it of the others.

The schema of a database is the highest `schema_version` row. The latest schema and the table are
literals, because the maker's tool reads them out of a finished artefact without running it.
"""

from collections.abc import Mapping

from waiaas import __version__
from waiaas.core.value import frozen

LATEST_SCHEMA_VERSION = 16

# schema -> the releases that write it, oldest first; schema 14 was only ever seen inside a migration.
# A release that brings no new schema needs no entry.
SCHEMAS: dict[int, tuple[str, ...]] = {
    10: ("1.4.8",),
    11: ("1.5.0",),
    12: ("1.5.1", "1.5.2"),
    13: ("1.5.3",),
    14: (),
    15: ("1.6.0",),
    16: ("1.6.1", "1.7.0", "1.8.0"),
}

# schemas of the previous implementation that are newer than any of ours
FOREIGN_SCHEMAS: dict[int, str] = {62: "2.15.0"}

MINORS_BACK = 3  # the databases of so many minors migrate by themselves
FIRST_SCHEMA = 11  # no migration starts from an older one


def oldest_served(release: str, table: Mapping[int, tuple[str, ...]]) -> int:
    """The oldest schema that `release` migrates by itself: the one that the first release three minors
    back wrote. Every earlier minor of the same major counts; of older majors, those in `table`. Where
    the table knows too little, an older schema: nobody is refused who should be served."""
    here = _line(release)
    first: dict[tuple[int, int], int] = {}  # minor -> the schema that its first release writes
    for schema, releases in sorted(table.items()):
        for known in releases:
            first.setdefault(_line(known), schema)
    earlier = {line for line in first if line < here} | {(here[0], minor) for minor in range(here[1])}
    back = sorted(earlier)[-MINORS_BACK:][:1]
    candidates = [line for line in first if [line] <= back]
    return max(FIRST_SCHEMA, first[max(candidates)]) if candidates else FIRST_SCHEMA


def _line(release: str) -> tuple[int, int]:
    """`1.9.0-rc.1` -> (1, 9)."""
    major, minor, _ = release.split(".", 2)
    return int(major), int(minor)


MIN_COMPATIBLE_SCHEMA_VERSION = oldest_served(__version__, SCHEMAS)


@frozen
class Ready:
    """The database has exactly our schema."""

    schema: int


@frozen
class Migrate:
    """The database is older; `pending` are the migrations to run, ascending."""

    schema: int
    pending: tuple[int, ...]


@frozen
class TooNew:
    """A newer version wrote it; `written_by` where the schema tells which."""

    schema: int
    written_by: str | None


@frozen
class TooOld:
    """Older than three minors back; `via` are the versions to install first, in order."""

    schema: int
    written_by: str | None
    via: tuple[str, ...]


Verdict = Ready | Migrate | TooNew | TooOld


def assess(schema: int) -> Verdict:
    """What this version can do with a database of that schema."""
    if schema > LATEST_SCHEMA_VERSION:
        return TooNew(schema, written_by(schema))
    if schema < MIN_COMPATIBLE_SCHEMA_VERSION:
        return TooOld(schema, written_by(schema), _stepping_stones())
    if schema == LATEST_SCHEMA_VERSION:
        return Ready(schema)
    return Migrate(schema, tuple(range(schema + 1, LATEST_SCHEMA_VERSION + 1)))


def written_by(schema: int) -> str | None:
    """The newest release known to write that schema."""
    releases = SCHEMAS.get(schema)
    return releases[-1] if releases else FOREIGN_SCHEMAS.get(schema)


def _stepping_stones() -> tuple[str, ...]:
    """The last release of the oldest minor that we can migrate from, then ourselves."""
    releases = [release for _, group in sorted(SCHEMAS.items()) for release in group]
    floor = SCHEMAS[MIN_COMPATIBLE_SCHEMA_VERSION][0].split(".")[:2]
    first = [release for release in releases if release.split(".")[:2] == floor][-1]
    return first, __version__
