"""Values: classes whose annotations name their fields.

What `dataclasses` gives, for a start in milliseconds: that module imports `inspect`, and compiles six
methods for each class, which together were over half of the time of every command (PRF-3). Here the
methods are written once and look the fields up. The same names, the same meaning; there is no
`__post_init__`, no `ClassVar`, no `slots`, and `order` is an `__lt__` of one's own.
"""

TYPE_CHECKING = False  # importing `typing` is one of the things that are saved
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeVar, dataclass_transform

    T = TypeVar("T")
else:

    def dataclass_transform(**_: object) -> "Callable[[T], T]":
        return lambda function: function


class Field:
    """What a field's own declaration says; `name` is known once its class is made."""

    def __init__(
        self, default: "Any", default_factory: "Callable[[], Any] | None", metadata: "Mapping[str, Any]"
    ) -> None:
        self.name = ""
        self.default = default
        self.default_factory = default_factory
        self.metadata = metadata


class Needed:
    """The default of a field that has none."""


def field(
    *,
    default: "Any" = Needed,
    default_factory: "Callable[[], Any] | None" = None,
    metadata: "Mapping[str, Any] | None" = None,
) -> "Any":
    """A field with a default that is made anew for each value, or with words of its own."""
    return Field(default, default_factory, metadata or {})


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: "type[T]") -> "type[T]":
    """A class of values: compared and hashed by their fields, and never changed (AttributeError)."""
    _declare(cls)
    _add(cls, __eq__=_equal, __hash__=_hashed, __setattr__=_refuse_change, __delattr__=_refuse_change)
    return cls


@dataclass_transform(field_specifiers=(field,))
def mutable(cls: "type[T]") -> "type[T]":
    """Made like a value, but it changes, and equals nothing but itself."""
    _declare(cls)
    return cls


def fields(of: "Any") -> "tuple[Field, ...]":
    """The fields of a class or of what it made, in their order."""
    declared: tuple[Field, ...] = of.__fields__
    return declared


def replace(origin: "T", **changes: "Any") -> "T":
    """Another one that differs in these fields. Raises TypeError for a field that it does not have."""
    return type(origin)(**{**vars(origin), **changes})


def asdict(origin: "Any") -> "dict[str, Any]":
    """Field -> content; values inside are taken apart in the same way."""
    return {
        declared.name: asdict(content) if hasattr(content, "__fields__") else content
        for declared in fields(origin)
        for content in (getattr(origin, declared.name),)
    }


def _declare(cls: type) -> None:
    """Find the fields, those of the base classes first, and add what every kind has."""
    found: dict[str, Field] = {}
    for declared in [f for base in cls.__mro__[:0:-1] for f in vars(base).get("__fields__", ())]:
        found[declared.name] = declared
    for name in cls.__annotations__:
        default = vars(cls).get(name, Needed)
        made = default if isinstance(default, Field) else Field(default, None, {})
        made.name = name
        found[name] = made
        if isinstance(default, Field):
            if default.default is Needed:
                delattr(cls, name)
            else:
                setattr(cls, name, default.default)
    names = tuple(found)
    _add(cls, __fields__=tuple(found.values()), __match_args__=names)
    _add(cls, __init__=_maker(cls.__qualname__, tuple(found.values())), __repr__=_shown)


def _add(cls: type, **members: "Any") -> None:
    """But for what the class says itself."""
    for name, member in members.items():
        if name not in vars(cls):
            setattr(cls, name, member)


def _maker(kind: str, declared: "tuple[Field, ...]") -> "Callable[..., None]":
    names = tuple(each.name for each in declared)

    def __init__(self: "Any", *given: "Any", **named: "Any") -> None:  # noqa: N807 - it becomes that
        content = vars(self)
        content.update(zip(names, given, strict=False))
        for each in declared[len(given) :]:
            if each.name in named:
                content[each.name] = named.pop(each.name)
            elif each.default_factory is not None:
                content[each.name] = each.default_factory()
            elif each.default is not Needed:
                content[each.name] = each.default
            else:
                raise TypeError(f"{kind} needs {each.name}")
        if named or len(given) > len(names):
            raise TypeError(f"{kind} takes {', '.join(names)}, each once")

    return __init__


def _content(one: "Any") -> "tuple[Any, ...]":
    return tuple([getattr(one, each.name) for each in one.__fields__])


def _equal(one: "Any", other: object) -> bool:
    return _content(one) == _content(other) if type(one) is type(other) else NotImplemented


def _hashed(one: "Any") -> int:
    return hash(_content(one))


def _shown(one: "Any") -> str:
    told = (f"{each.name}={getattr(one, each.name)!r}" for each in one.__fields__)
    return f"{type(one).__qualname__}({', '.join(told)})"


def _refuse_change(one: "Any", name: str, *_: object) -> None:
    raise AttributeError(f"{type(one).__qualname__}.{name} cannot be changed")
