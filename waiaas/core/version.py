"""A release's version: SemVer, with `-rc.N` as the only kind of pre-release."""

import re
from functools import cached_property, total_ordering

from waiaas.core.errors import UsageError
from waiaas.core.value import frozen

TYPE_CHECKING = False  # importing `typing` is one of the things that every command saves (PRF-3)
if TYPE_CHECKING:
    from typing import Self

    import semver

NUMBER = r"(0|[1-9][0-9]{0,8})"
SYNTAX = re.compile(rf"{NUMBER}\.{NUMBER}\.{NUMBER}(?:-rc\.{NUMBER})?")


@total_ordering
@frozen
class Version:
    """`1.9.0`, or `1.9.0-rc.1` where `rc` is 1. Ordered as SemVer says: a release after its rcs."""

    major: int
    minor: int
    patch: int
    rc: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Self":
        """Accepts `X.Y.Z` and `X.Y.Z-rc.N` and nothing else; raises UsageError `bad-version`."""
        match = SYNTAX.fullmatch(text)
        if match is None:
            raise UsageError(
                "bad-version",
                f"{text[:60]!r} is not a version of WAIaaS",
                "write it like 1.9.0, or 1.9.0-rc.1 for a release candidate",
            )
        major, minor, patch, rc = match.groups()
        return cls(int(major), int(minor), int(patch), None if rc is None else int(rc))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}" + ("" if self.rc is None else f"-rc.{self.rc}")

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Version):
            return NotImplemented
        return self._semver.compare(other._semver) < 0

    @property
    def is_rc(self) -> bool:
        return self.rc is not None

    @property
    def channel(self) -> str:
        """The lowest channel it may appear in: `stable`, or `rc` for a release candidate."""
        return "rc" if self.is_rc else "stable"

    @property
    def pep440(self) -> str:
        """The same version in Python's words: `1.9.0rc1`."""
        return f"{self.major}.{self.minor}.{self.patch}" + ("" if self.rc is None else f"rc{self.rc}")

    @cached_property
    def _semver(self) -> "semver.Version":
        import semver  # here, so that commands which never compare versions do not pay for it

        return semver.Version.parse(str(self))


def newer(candidate: str | None, installed: str) -> bool:
    """Whether `candidate` is above `installed`; one that nobody can read is not."""
    if not candidate or candidate == installed:
        return False
    try:
        return Version.parse(candidate) > Version.parse(installed)
    except UsageError:
        return False
