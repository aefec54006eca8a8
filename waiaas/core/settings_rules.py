"""What a single value must be: type, range, choices, form. `settings_values.py` holds values against it."""

from waiaas.core.value import field, frozen

TYPE_CHECKING = False  # importing `typing` is one of the things that every command saves (PRF-3)
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class BadValue(ValueError):
    """Says what the value must be, in words that complete “must be …”."""


@frozen
class Rule:
    """`kind` is int, bool, text or list; `form`, one of `settings_values.FORMS`; `aliases`, old spellings."""

    kind: str
    sentence: str
    low: int | None = None
    high: int | None = None
    choices: tuple[str, ...] = ()
    aliases: "Mapping[str, str]" = field(default_factory=dict)
    unit: str = ""
    form: str = ""

    @property
    def bounds(self) -> str:
        """The permitted values, in words; empty where anything of the type will do."""
        if self.choices:
            return ", ".join(self.choices)
        return f"{self.low}..{self.high}" if self.low is not None else ""


def shown(value: "Any") -> str:
    """A value as it is written in TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(shown(v) for v in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


@frozen
class Key:
    """One row of the table."""

    section: str
    name: str
    default: "Any"
    rule: Rule

    @property
    def dotted(self) -> str:
        return f"{self.section}.{self.name}"

    @property
    def variable(self) -> str:
        return f"WAIAAS_{self.section}_{self.name}".upper()


@frozen
class Problem:
    """One thing that is wrong. `line` counts from 1 in config.toml; None where it is from elsewhere."""

    line: int | None
    key: str
    message: str
    hint: str

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        return f"{where}{self.message}" + (f" ({self.hint})" if self.hint else "")
