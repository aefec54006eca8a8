"""Values on their way into texts that strangers read: checked first, escaped last (WDR-3).

What a maker types ends in a signed feed, in an issue and in release notes. So a value is one line
of visible characters, and in Markdown it is shown as it was typed: it formats, links and mentions
nothing.
"""

import re
import unicodedata
from datetime import date

from waiaas.core.errors import UsageError

LIMIT = 300  # characters of one value
HIDDEN = {"Cc", "Cs", "Zl", "Zp"}  # control characters, broken bytes, line separators
TURNING = {chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}  # text direction
MARKDOWN = re.compile(r"([\\`*_\[\]()~|!$])")
SEVERITIES = {
    "low": ("low", "낮음"),
    "medium": ("medium", "보통"),
    "high": ("high", "높음"),
    "critical": ("critical", "치명적"),
}


def line(name: str, text: str, limit: int = LIMIT) -> str:
    """`text` without the spaces around it. Raises UsageError `bad-value`: empty, too long, hidden."""
    stripped = text.strip()
    if not stripped:
        raise UsageError("bad-value", f"the {name} is empty", f"say it in one line of at most {limit}")
    if len(stripped) > limit:
        raise UsageError("bad-value", f"the {name} is longer than {limit} characters", "shorten it")
    odd = [c for c in stripped if unicodedata.category(c) in HIDDEN or c in TURNING]
    if odd:
        raise UsageError(
            "bad-value",
            f"the {name} holds a character that cannot be seen (U+{ord(odd[0]):04X})",
            "write it in one line, without control characters",
        )
    return stripped


def day(name: str, text: str) -> str:
    """A calendar date, `2026-11-20`. Raises UsageError `bad-value`."""
    try:
        return date.fromisoformat(line(name, text, 10)).isoformat()
    except ValueError as problem:
        raise UsageError(
            "bad-value", f"the {name} {text!r} is no date", "write it like 2026-11-20"
        ) from problem


def markdown(text: str) -> str:
    """`text` so that Markdown shows it as it is. `#12` stays: in an issue that is a wanted link."""
    escaped = MARKDOWN.sub(r"\\\1", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("@", "@<!-- -->").replace("://", ":<!-- -->//")
