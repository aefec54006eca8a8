"""`Release`: what a target's `custom` says. Both ends of the wire, maker's and user's (FEED-3).

The maker's tool writes `to_custom`, the user's side reads `from_custom`; nothing else knows the
names on the wire. Unknown keys are ignored, so that fields can be added; an unknown `format` or a
wrong type is refused.
"""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from waiaas.core.errors import TrustRefused, WaiaasError
from waiaas.core.value import frozen
from waiaas.core.version import Version

Kind = TypeVar("Kind")

FORMAT = 1
CHANNELS = ("stable", "rc")
PYTHON_CLAUSE = re.compile(r"(>=|<=|==|!=|>|<)\s*([0-9]{1,4}(?:\.[0-9]{1,4}){0,2})")
SHA256 = re.compile(r"[0-9a-f]{64}")


@frozen
class SchemaRange:
    """Database schemas: it opens `reads_from`..`reads_to` and leaves `writes` behind.

    A program that reads `compatible_back_to` can still serve what it left.
    """

    reads_from: int
    reads_to: int
    writes: int
    compatible_back_to: int


@frozen
class Withdrawal:
    """Why nobody should run a release any more, since `at` (Unix seconds), and where to go."""

    at: int
    reason: str
    severity: str
    to: Version | None


@frozen
class Rollout:
    """Shares over time: from `start` (Unix seconds), `steps` of (hours since start, percent)."""

    start: int
    steps: tuple[tuple[int, int], ...]

    def percent(self, now: float) -> int:
        """The share of installations that may take the release at `now`; 0 before the start."""
        reached = [share for hours, share in self.steps if self.start + hours * 3600 <= now]
        return reached[-1] if reached else 0


@frozen
class Release:
    """One signed release. `built` in Unix seconds, `length` in bytes, `sha256` in hex."""

    version: Version
    seq: int
    min_safe: Version | None
    channel: str
    commit: str
    built: int
    schema: SchemaRange
    min_from: Version | None
    via: tuple[Version, ...]
    python: str
    notes_url: str
    critical: bool
    withdrawn: Withdrawal | None
    rollout: Rollout | None
    target: str
    length: int
    sha256: str

    def runs_on(self, python: tuple[int, int, int]) -> bool:
        """Whether an interpreter of this version satisfies the range in `python`."""
        return all(_satisfies(python, *clause) for clause in PYTHON_CLAUSE.findall(self.python))


def target_name(version: Version) -> str:
    """The target path of a version's artefact."""
    return f"waiaas-{version}.pyz"


def to_custom(release: Release) -> dict[str, Any]:
    """The JSON that the targets role signs beside length and digest."""
    gone, shares = release.withdrawn, release.rollout
    return {
        "format": FORMAT,
        "version": str(release.version),
        "seq": release.seq,
        "minSafe": _name(release.min_safe),
        "channel": release.channel,
        "commit": release.commit,
        "built": release.built,
        "schema": {
            "reads": [release.schema.reads_from, release.schema.reads_to],
            "writes": release.schema.writes,
            "compatibleBackTo": release.schema.compatible_back_to,
        },
        "minFrom": _name(release.min_from),
        "via": [str(version) for version in release.via],
        "python": release.python,
        "notes": release.notes_url,
        "critical": release.critical,
        "withdrawn": None
        if gone is None
        else {"at": gone.at, "reason": gone.reason, "severity": gone.severity, "to": _name(gone.to)},
        "rollout": None
        if shares is None
        else {"start": shares.start, "steps": [list(step) for step in shares.steps]},
    }


def from_custom(custom: object, target: str, length: int, sha256: str) -> Release:
    """Read one target; raises TrustRefused `bad-release-data` saying what is wrong with it."""
    try:
        return _read(_Fields(custom), target, length, sha256)
    except (ValueError, WaiaasError) as problem:
        raise TrustRefused(
            "bad-release-data",
            f"the feed describes {target[:80]!r} in a way this version does not understand: {problem}",
            "install a newer WAIaaS by hand, or tell whoever publishes the feed",
        ) from problem


def _read(fields: "_Fields", target: str, length: int, sha256: str) -> Release:
    found = fields.integer("format")
    if found != FORMAT:
        raise ValueError(f"format {found}, expected {FORMAT}")
    release = Release(
        version=Version.parse(fields.text("version")),
        seq=fields.integer("seq"),
        min_safe=fields.version("minSafe"),
        channel=fields.text("channel"),
        commit=fields.text("commit"),
        built=fields.integer("built"),
        schema=_schema(_Fields(fields.values.get("schema"))),
        min_from=fields.version("minFrom"),
        via=tuple(Version.parse(_typed("via", name, str)) for name in fields.items("via")),
        python=fields.text("python"),
        notes_url=fields.text("notes"),
        critical=_typed("critical", fields.values.get("critical"), bool),
        withdrawn=_withdrawal(fields.values.get("withdrawn")),
        rollout=_rollout(fields.values.get("rollout")),
        target=target,
        length=length,
        sha256=sha256,
    )
    _check(release)
    return release


def _check(release: Release) -> None:
    clauses = [clause.strip() for clause in release.python.split(",")]
    problems = {
        f"its name is not {target_name(release.version)}": release.target != target_name(release.version),
        "unknown channel": release.channel not in CHANNELS,
        "a release candidate in channel stable": release.version.is_rc and release.channel == "stable",
        "impossible schema range": release.schema.reads_from > release.schema.reads_to,
        "impossible Python range": not all(PYTHON_CLAUSE.fullmatch(clause) for clause in clauses),
        "no sha256": not SHA256.fullmatch(release.sha256),
        "impossible length": release.length <= 0,
    }
    for sentence, wrong in problems.items():
        if wrong:
            raise ValueError(sentence)


def _schema(fields: "_Fields") -> SchemaRange:
    reads = [_natural("schema.reads", number) for number in fields.items("reads")]
    if len(reads) != 2:
        raise ValueError("schema.reads must be two numbers")
    return SchemaRange(reads[0], reads[1], fields.integer("writes"), fields.integer("compatibleBackTo"))


def _withdrawal(value: object) -> Withdrawal | None:
    if value is None:
        return None
    fields = _Fields(value)
    return Withdrawal(
        fields.integer("at"), fields.text("reason"), fields.text("severity"), fields.version("to")
    )


def _rollout(value: object) -> Rollout | None:
    if value is None:
        return None
    fields = _Fields(value)
    steps = [tuple(_natural("rollout", n) for n in _typed("rollout", s, list)) for s in fields.items("steps")]
    if any(len(step) != 2 or step[1] > 100 for step in steps) or steps != sorted(steps):
        raise ValueError("rollout.steps must be ascending pairs of hours and percent")
    return Rollout(fields.integer("start"), tuple((hours, share) for hours, share in steps))


class _Fields:
    """An object of the wire whose values are checked as they are taken."""

    def __init__(self, values: object) -> None:
        self.values: Mapping[str, object] = _typed("custom", values, dict)

    def text(self, key: str) -> str:
        return _typed(key, self.values.get(key), str)

    def integer(self, key: str) -> int:
        return _natural(key, self.values.get(key))

    def version(self, key: str) -> Version | None:
        value = self.values.get(key)
        return None if value is None else Version.parse(_typed(key, value, str))

    def items(self, key: str) -> list[object]:
        return _typed(key, self.values.get(key), list)


def _typed(key: str, value: object, kind: type[Kind]) -> Kind:
    # JSON's true and false are no numbers, though Python's bool is an int
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ValueError(f"{key} must be {kind.__name__}, not {type(value).__name__}")
    return value


def _natural(key: str, value: object) -> int:
    number = _typed(key, value, int)
    if not 0 <= number < 2**53:
        raise ValueError(f"{key} is out of range")
    return number


def _name(version: Version | None) -> str | None:
    return None if version is None else str(version)


def _satisfies(python: tuple[int, int, int], operator: str, bound: str) -> bool:
    limit = tuple(int(part) for part in bound.split("."))
    have = python[: len(limit)]  # ">3.11" and "==3.11" speak about the whole 3.11 series
    return {
        ">=": have >= limit,
        "<=": have <= limit,
        ">": have > limit,
        "<": have < limit,
        "==": have == limit,
        "!=": have != limit,
    }[operator]
