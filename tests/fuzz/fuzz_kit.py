"""How hard the fuzzers try, and what they feed.

As part of the tests: a fixed number of examples, the same in every run. `WAIAAS_FUZZ=50` multiplies that
number by fifty and takes new ones each time: `WAIAAS_FUZZ=50 python -m pytest tests/fuzz`.
"""

import json
import os
from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

Test = TypeVar("Test", bound=Callable[..., None])
HARDER = int(os.environ.get("WAIAAS_FUZZ") or 0)


def fuzz(examples: int) -> Callable[[Test], Test]:
    """Run a test with so many examples, or with many more."""
    return settings(
        max_examples=examples * max(1, HARDER),
        derandomize=not HARDER,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


numbers = st.integers() | st.integers(0, 40) | st.floats() | st.sampled_from([10**400, -1, 2**53, 2**63])
scalars = st.none() | st.booleans() | numbers | st.text(max_size=20)
anything: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


class Deep(bytes):
    """JSON nested beyond every stack, in a failing example not written out."""

    def __repr__(self) -> str:
        return "DEEP"


DEEP = Deep(b"[" * 100_000)


def damaged(sound: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A sound document with some of its members replaced, dropped or joined by others."""
    path = st.sampled_from(list(_paths(sound)))
    change = st.tuples(path, st.one_of(anything, st.just(...)))
    return st.lists(change, min_size=1, max_size=3).map(lambda changes: _changed(sound, changes))


def as_bytes(document: Any) -> bytes:
    return json.dumps(document).encode()


def _paths(document: Any, path: tuple[Any, ...] = ()) -> Any:
    if path:
        yield path
    items = document.items() if isinstance(document, dict) else []
    for name, value in [*items, *(enumerate(document) if isinstance(document, list) else [])]:
        yield from _paths(value, (*path, name))


def _changed(sound: dict[str, Any], changes: list[tuple[tuple[Any, ...], Any]]) -> dict[str, Any]:
    document = json.loads(json.dumps(sound))
    for path, value in changes:
        inner = document
        for name in path[:-1]:
            try:
                inner = inner[name]
            except (LookupError, TypeError):
                break
        try:
            if value is ...:
                del inner[path[-1]]
            else:
                inner[path[-1]] = value
        except (LookupError, TypeError):
            continue  # an earlier change took away where this one belongs
    return document
