"""config.toml as text: on which line a key stands, and reading on after a syntax error."""

import re
import tomllib
from typing import Any

HEADER = re.compile(r"^\s*\[\[?\s*([^\]]*?)\s*\]?\]?\s*(#.*)?$")
ASSIGNMENT = re.compile(r"^\s*[\"']?([A-Za-z0-9_-]+)[\"']?\s*(\.[^=]*)?=")
POSITION = re.compile(r"\s*\(at line (\d+), column \d+\)$")
MAX_ERRORS = 20
UNREADABLE = "unreadable section on line "

Broken = list[tuple[int | None, str]]


def line_of(text: str, section: str, key: str) -> int | None:
    """The line of `key` in `[section]`, of the header itself (`key` empty), or of `key` above all
    headers (`section` empty). Inline tables and dotted keys are found by their first word."""
    inside, fallback = "", None
    for number, line in enumerate(text.split("\n"), 1):  # what TOML, and a person, calls a line
        header, assignment = HEADER.match(line), ASSIGNMENT.match(line)
        if header:
            inside = _bare(header[1])
            if inside == section and not key:
                return number
            if fallback is None and inside.split(".")[0] == section and inside == f"{section}.{key}":
                fallback = number
        elif assignment and inside == section and assignment[1] == key:
            return number
        elif assignment and inside == "" and assignment[1] == section:
            if not key or (assignment[2] or "").strip(" .\"'") == key:
                return number
            fallback = number
    return fallback


def _bare(name: str) -> str:
    return name.strip().strip("\"'")


def read(text: str) -> tuple[dict[str, Any], Broken, set[str]]:
    """Parse, and read on after an error as long as it is confined to one line.

    Returns the document, the errors, and the names of sections whose header could not be read.
    """
    lines: list[str] = text.split("\n")
    broken: Broken = []
    skipped: set[str] = set()
    while True:
        try:
            return tomllib.loads("\n".join(lines)), broken, skipped
        except (ValueError, RecursionError) as problem:  # ValueError: a number beyond all measure
            line, message = _told(problem, len(lines))
            broken.append((line, message))
            if len(broken) >= MAX_ERRORS or not _set_aside(lines, line, message, skipped):
                return {}, broken, skipped


def _told(problem: Exception, last: int) -> tuple[int | None, str]:
    text = str(problem)
    found = POSITION.search(text)
    if found:
        return int(found[1]), POSITION.sub("", text)
    if text.endswith("(at end of document)"):
        return last, text.removesuffix(" (at end of document)")
    if isinstance(problem, RecursionError):
        return None, "is nested too deeply"
    return None, text if isinstance(problem, tomllib.TOMLDecodeError) else "a number has too many digits"


def _set_aside(lines: list[str], line: int | None, message: str, skipped: set[str]) -> bool:
    """Blank a broken line; False where the error may reach beyond it (an array left open, say)."""
    if line is None or not 0 < line <= len(lines) or "Unclosed" in message:
        return False
    content = lines[line - 1].strip()
    if content.startswith("["):
        if not message.startswith("Cannot declare") and content.endswith("]"):
            return False
        name = f"{UNREADABLE}{line}"
        skipped.add(name)
        lines[line - 1] = f'["{name}"]'
        return True
    lines[line - 1] = ""
    return bool(ASSIGNMENT.match(content)) or (content.isidentifier() and message != "Invalid value")
