"""The shapes of records: what a document must look like, as values that say what is wrong.

A shape is called with a path and a value and yields one sentence for each fault. Keys that a shape
does not know are faults: a record says nothing that its reader does not check.
"""

import re
from collections.abc import Callable, Iterator

from waiaas.core.errors import UsageError
from waiaas.core.version import Version

Shape = Callable[[str, object], Iterator[str]]
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def text(path: str, value: object) -> Iterator[str]:
    """Something that was said: not empty."""
    if not isinstance(value, str) or not value.strip():
        yield f"{path} must be a text that is not empty"


def natural(path: str, value: object) -> Iterator[str]:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        yield f"{path} must be a whole number from 0"


def truth(path: str, value: object) -> Iterator[str]:
    if not isinstance(value, bool):
        yield f"{path} must be true or false"


def version(path: str, value: object) -> Iterator[str]:
    try:
        Version.parse(value if isinstance(value, str) else "")
    except UsageError:
        yield f"{path} must be a version"


def matching(pattern: re.Pattern[str], what: str) -> Shape:
    def shape(path: str, value: object) -> Iterator[str]:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            yield f"{path} must be {what}"

    return shape


moment = matching(MOMENT, "a time like 2026-11-20T22:41:00Z")
day = matching(DAY, "a date like 2026-11-20")
digest = matching(re.compile(r"[0-9a-f]{64}"), "a sha256")


def exactly(wanted: object) -> Shape:
    def shape(path: str, value: object) -> Iterator[str]:
        if value != wanted or type(value) is not type(wanted):  # True is no 1 here
            yield f"{path} must be {wanted!r}"

    return shape


def one_of(*words: str) -> Shape:
    def shape(path: str, value: object) -> Iterator[str]:
        if value not in words:
            yield f"{path} must be one of {', '.join(words)}"

    return shape


def maybe(inner: Shape) -> Shape:
    """null, or `inner`."""

    def shape(path: str, value: object) -> Iterator[str]:
        if value is not None:
            yield from inner(path, value)

    return shape


def items(inner: Shape) -> Shape:
    def shape(path: str, value: object) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"{path} must be a list"
            return
        for number, item in enumerate(value):
            yield from inner(f"{path}[{number}]", item)

    return shape


def mapping(key: re.Pattern[str], inner: Shape) -> Shape:
    """An object whose keys all match `key`."""

    def shape(path: str, value: object) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{path} must be an object"
            return
        for name, item in value.items():
            if not key.fullmatch(name):
                yield f"{path} has the impossible key {name[:40]!r}"
            yield from inner(f"{path}.{name}", item)

    return shape


def fields(**inner: Shape) -> Shape:
    """An object with exactly these keys."""

    def shape(path: str, value: object) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{path} must be an object"
            return
        for name in sorted(value.keys() - inner.keys()):
            yield f"{path}.{str(name)[:40]} is not known"
        for name, check in inner.items():
            if name not in value:
                yield f"{path}.{name} is missing"
            else:
                yield from check(f"{path}.{name}", value[name])

    return shape
