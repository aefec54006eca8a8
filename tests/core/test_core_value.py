"""Frozen classes: the same meaning as those of the standard library, which is slow to make them (PRF-3)."""

import copy
import dataclasses
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waiaas.core.value import asdict, field, fields, frozen, mutable, replace


@frozen
class Point:
    """Where something is."""

    x: int
    y: int = 2
    tags: dict[str, int] = field(default_factory=dict)
    unit: str = field(default="m", metadata={"long": "metres"})

    @property
    def sum(self) -> int:
        return self.x + self.y


@dataclasses.dataclass(frozen=True)
class Model:
    x: int
    y: int = 2
    tags: dict[str, int] = dataclasses.field(default_factory=dict)
    unit: str = "m"


@frozen
class Named(Point):
    x: int = 7
    name: str = "?"


@mutable
class Counter:
    name: str
    count: int = 0


SOME = st.integers(0, 3)
WORDS = st.fixed_dictionaries({}, optional={"x": SOME, "y": SOME, "unit": st.sampled_from("mk"), "z": SOME})


@given(st.lists(SOME, max_size=5), WORDS)
def test_it_is_made_as_a_dataclass_is__PRF_3(places: list[Any], words: dict[str, Any]) -> None:
    """Or refused, by a TypeError that names the class."""
    try:
        model = Model(*places, **words)
    except TypeError:
        with pytest.raises(TypeError, match="Point"):
            Point(*places, **words)
    else:
        made = Point(*places, **words)
        assert (asdict(made), repr(made)) == (
            dataclasses.asdict(model),
            repr(model).replace("Model", "Point"),
        )


@given(SOME, SOME, SOME, SOME)
def test_values_are_what_their_fields_are__PRF_3(a: int, b: int, c: int, d: int) -> None:
    tags: Any = ()  # what can be hashed
    one, other = Point(a, b, tags), Point(c, d, tags)
    assert (one == other) is ((a, b) == (c, d))
    assert one != Named(a, b, tags)
    assert one != (a, b, tags, "m")
    if one == other:
        assert hash(one) == hash(other)
    assert replace(one, y=d) == Point(a, d, tags)
    for same in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert same == one


def test_a_value_does_not_change_and_says_so__PRF_3() -> None:
    point = Point(1)
    with pytest.raises(AttributeError, match=r"Point\.x cannot be changed"):
        point.x = 3  # type: ignore[misc]
    with pytest.raises(AttributeError, match=r"Point\.y"):
        del point.y
    with pytest.raises(TypeError, match="each once"):
        replace(point, z=1)
    assert Point(1).tags is not Point(1).tags
    assert (point.sum, Point.y, hasattr(Point, "tags"), Point.__doc__) == (3, 2, False, "Where something is.")


def test_fields_of_the_base_come_first_and_can_have_another_default__PRF_3() -> None:
    assert [each.name for each in fields(Named)] == ["x", "y", "tags", "unit", "name"]
    assert (Named().x, Point(1).unit, fields(Named())[3].metadata) == (7, "m", {"long": "metres"})
    match Named(1, name="a"):
        case Point(x=x, unit=unit):
            assert (x, unit) == (1, "m")


def test_what_is_mutable_equals_itself_alone__PRF_3() -> None:
    one, other = Counter("a"), Counter("a")
    one.count += 1
    assert (one.count, other.count, one == other, len({one, other})) == (1, 0, False, 2)
