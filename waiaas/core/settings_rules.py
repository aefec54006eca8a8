"""What a single value must be: type, range, choices, form, and how text becomes a value."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from waiaas.core.value import field, frozen

LOOPBACK = ("localhost", "127.0.0.1", "::1")
WORDS = {"int": "a whole number", "bool": "true or false", "text": "text", "list": "a list of texts"}
TRUE, FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")


class BadValue(ValueError):
    """Says what the value must be, in words that complete “must be …”."""


@frozen
class Rule:
    """`kind` is int, bool, text or list; `check` raises `BadValue`; `aliases` are old spellings."""

    kind: str
    sentence: str
    low: int | None = None
    high: int | None = None
    choices: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""
    check: Callable[[str], None] | None = None

    @property
    def bounds(self) -> str:
        """The permitted values, in words; empty where anything of the type will do."""
        if self.choices:
            return ", ".join(self.choices)
        return f"{self.low}..{self.high}" if self.low is not None else ""

    def accept(self, value: Any) -> Any:
        """The value as `Settings` holds it. Raises `BadValue`; nothing is coerced (legacy rule)."""
        if self.kind == "list":
            return _texts(value)
        kind: type = type(value)  # exactly: True is no whole number
        if kind is not {"int": int, "bool": bool, "text": str}[self.kind]:
            raise BadValue(f"{WORDS[self.kind]}, not {_described(value)}")
        if self.kind == "text":
            return self._text(value)
        if self.low is not None and self.high is not None and not self.low <= value <= self.high:
            raise BadValue(f"between {self.low} and {self.high}" + (f" {self.unit}" if self.unit else ""))
        return value

    def _text(self, value: str) -> str:
        value = self.aliases.get(value, value)
        if any(ord(c) < 32 or ord(c) == 127 for c in value):
            raise BadValue("text without control characters")
        if self.choices and value not in self.choices:
            raise BadValue("one of " + ", ".join(self.choices))
        if self.check:
            self.check(value)
        return value

    def from_text(self, text: str) -> Any:
        """A value from the environment, a flag or `config set`. Raises `BadValue`."""
        if self.kind == "int":
            if not re.fullmatch(r"\s*[+-]?[0-9]{1,18}\s*", text):
                raise BadValue(f"{WORDS['int']}, not {_described(text)}")
            return self.accept(int(text))
        if self.kind == "bool":
            word = text.strip().lower()
            if word not in TRUE + FALSE:
                raise BadValue(f"{WORDS['bool']}, not {_described(text)}")
            return word in TRUE
        return self.accept(_list(text) if self.kind == "list" else text)


def _list(text: str) -> Any:
    """`["a", "b"]` as JSON, or `a, b`."""
    if text.strip().startswith("["):
        import json

        try:
            return json.loads(text)
        except (ValueError, RecursionError) as problem:
            raise BadValue('a list like ["a", "b"]') from problem
    return [part.strip() for part in text.split(",") if part.strip()]


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise BadValue('a list of texts, like ["a", "b"]')
    return tuple(value)


def _described(value: Any) -> str:
    kind = {bool: "true or false", int: "a number", float: "a number with a fraction", dict: "a table"}
    if isinstance(value, str):
        return f'the text "{value[:40]}"'
    return kind.get(type(value), "a list" if isinstance(value, list) else "a date")


def shown(value: Any) -> str:
    """A value as it is written in TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(shown(v) for v in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def network_name(value: str) -> None:
    if not re.fullmatch(r"[0-9A-Za-z.:%_-]{1,255}", value):
        raise BadValue("an address or a name to listen on, like 127.0.0.1 or 0.0.0.0")


def file_path(value: str) -> None:
    if not value.strip() or value.endswith("/"):
        raise BadValue("the path of a file")


def absolute_or_empty(value: str) -> None:
    if value and not value.startswith("/"):
        raise BadValue("empty, or the absolute path of a file")


def channel_pin(value: str) -> None:
    if value and not re.fullmatch(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))?", value):
        raise BadValue("empty, a major version like 1, or a minor version like 1.8")


def feed_url(value: str) -> None:
    """https:// anywhere, http:// on loopback only, file:// with an absolute path, or nothing."""
    if not value:
        return
    try:
        url = urlsplit(value)
        host, _ = url.hostname or "", url.port
    except ValueError as problem:
        raise BadValue("a complete URL") from problem
    if url.username or url.password:
        raise BadValue("a URL without a name or a password in it")
    if url.query or url.fragment:
        raise BadValue("a URL without ? or #")
    if url.scheme == "file" and host in ("", "localhost") and url.path.startswith("/"):
        return
    if url.scheme == "https" and host:
        return
    if url.scheme == "http" and (host in LOOPBACK or re.fullmatch(r"127(\.[0-9]{1,3}){3}", host)):
        return
    raise BadValue("a URL that begins with https://, file:///, or http:// on this machine")


@frozen
class Key:
    """One row of the table."""

    section: str
    name: str
    default: Any
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
