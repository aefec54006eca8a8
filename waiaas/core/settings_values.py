"""Whether a single value is what its rule says, and how text becomes one."""

import re
from typing import Any
from urllib.parse import urlsplit

from waiaas.core.settings_rules import BadValue, Rule

LOOPBACK = ("localhost", "127.0.0.1", "::1")
WORDS = {"int": "a whole number", "bool": "true or false", "text": "text", "list": "a list of texts"}
TRUE, FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")


def accept(rule: Rule, value: Any) -> Any:
    """The value as `Settings` holds it. Raises `BadValue`; nothing is coerced (legacy rule)."""
    if rule.kind == "list":
        return _texts(value)
    kind: type = type(value)  # exactly: True is no whole number
    if kind is not {"int": int, "bool": bool, "text": str}[rule.kind]:
        raise BadValue(f"{WORDS[rule.kind]}, not {_described(value)}")
    if rule.kind == "text":
        return _text(rule, value)
    if rule.low is not None and rule.high is not None and not rule.low <= value <= rule.high:
        raise BadValue(f"between {rule.low} and {rule.high}" + (f" {rule.unit}" if rule.unit else ""))
    return value


def _text(rule: Rule, value: str) -> str:
    value = rule.aliases.get(value, value)
    if any(ord(c) < 32 or ord(c) == 127 for c in value):
        raise BadValue("text without control characters")
    if rule.choices and value not in rule.choices:
        raise BadValue("one of " + ", ".join(rule.choices))
    if rule.form:
        FORMS[rule.form](value)
    return value


def from_text(rule: Rule, text: str) -> Any:
    """A value from the environment, a flag or `config set`. Raises `BadValue`."""
    if rule.kind == "int":
        if not re.fullmatch(r"\s*[+-]?[0-9]{1,18}\s*", text):
            raise BadValue(f"{WORDS['int']}, not {_described(text)}")
        return accept(rule, int(text))
    if rule.kind == "bool":
        word = text.strip().lower()
        if word not in TRUE + FALSE:
            raise BadValue(f"{WORDS['bool']}, not {_described(text)}")
        return word in TRUE
    return accept(rule, _list(text) if rule.kind == "list" else text)


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


FORMS = {
    "network name": network_name,
    "file": file_path,
    "absolute path or nothing": absolute_or_empty,
    "pin": channel_pin,
    "feed URL": feed_url,
}
