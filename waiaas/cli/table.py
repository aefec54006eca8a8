"""Rows as aligned columns, and dataclasses as JSON objects."""

from collections.abc import Sequence

from waiaas.core.value import fields
from waiaas.core.words import size as size  # callers know it from here

TYPE_CHECKING = False  # importing `typing` is one of the things that every command saves (PRF-3)
if TYPE_CHECKING:
    from typing import Any


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns as wide as their widest cell; an empty string without rows."""
    if not rows:
        return ""
    cells = [[str("-" if value is None else value) for value in row] for row in (header, *rows)]
    cells = [[_plain(cell) for cell in row] for row in cells]
    widths = [max(_width(row[i]) for row in cells) for i in range(len(header))]
    lines = ("  ".join(map(_padded, row, widths)).rstrip() for row in cells)
    return "\n".join(lines)


def camel_case(value: "Any") -> "dict[str, Any]":
    """A dataclass with its attributes under their names on the wire."""
    return {_camel(f.name): getattr(value, f.name) for f in fields(value)}


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _plain(line: str) -> str:
    """What others wrote into the database does not move the cursor."""
    return "".join(c if c.isprintable() else "?" for c in line)


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - _width(cell))


def _width(text: str) -> int:
    """Columns on a terminal: two for East Asian and pictures, none for what sits on another letter."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)
