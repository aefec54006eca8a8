"""Whom and what a withdrawal reaches: settings of the team, beside the feed (W-22).

    # F.toml
    repository = "OWNER/NAME"            # on GitHub; without it nothing is posted
    branch = "REMOTE#BRANCH"             # where the feed is public; without it, F itself is served
    images = ["registry.example/owner/name"]  # whose moving tags go back
    checkout = "."                       # git checkout, relative to this file
    remote = "origin"

    [package]                            # only if one is on a package index
    name = "waiaas"
    index = "https://INDEX"

    [contacts]                           # shown when it is urgent
    lead = "…"
    security = "…"
    release-engineer = "…"

Nothing outside of the feed is touched that is not named here or on the command line.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from waiaas.core.errors import UsageError, WaiaasError
from waiaas.core.value import frozen, replace
from waiaas.release.withdrawal.words import line

REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}")
IMAGE = re.compile(r"[a-z0-9][a-z0-9.-]*(?::[0-9]{1,5})?(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+")
PACKAGE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
INDEX = re.compile(r"(?:https://[A-Za-z0-9.-]+|http://127\.0\.0\.1)(?::[0-9]{1,5})?(?:/[A-Za-z0-9._/-]*)?")
REMOTE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}")
EXPECTED = ("lead", "security", "release-engineer")


@frozen
class Settings:
    """Empty where nothing is to be touched."""

    repository: str = ""
    branch: str = ""
    images: tuple[str, ...] = ()
    checkout: Path | None = None
    remote: str = "origin"
    package: str = ""
    index: str = ""
    contacts: tuple[tuple[str, str], ...] = ()

    @property
    def missing_contacts(self) -> list[str]:
        known = dict(self.contacts)
        return [role for role in EXPECTED if role not in known]


def file_beside(feed: Path) -> Path:
    """`F.toml`."""
    return feed.with_name(feed.name + ".toml")


def read(path: Path, *, needed: bool) -> Settings:
    """The settings in `path`; none where the file is missing and not `needed`. Raises `bad-settings`."""
    if not needed and not path.exists():
        return Settings()
    try:
        return _parse(tomllib.loads(path.read_text(encoding="utf-8")), path.parent)
    except (OSError, ValueError, WaiaasError) as problem:  # ValueError: TOML and its UTF-8
        raise UsageError("bad-settings", f"{path}: {problem}", "docs/withdraw.md shows the file") from problem


def amended(
    settings: Settings,
    repository: str | None = None,
    images: Sequence[str] = (),
    checkout: Path | None = None,
    branch: str | None = None,
) -> Settings:
    """With what the command line says instead. Raises `bad-settings`."""
    if branch is not None:
        settings = replace(settings, branch=branch)
    if repository is not None:
        settings = replace(settings, repository=_checked("--repository", repository, REPOSITORY))
    if images:
        settings = replace(settings, images=tuple(_checked("--image", name, IMAGE) for name in images))
    return settings if checkout is None else replace(settings, checkout=checkout)


def _parse(values: Mapping[str, Any], base: Path) -> Settings:
    package = _table(values, "package", ("name", "index"))
    contacts = _table(values, "contacts", None)
    for name in values.keys() - {
        "repository",
        "branch",
        "images",
        "checkout",
        "remote",
        "package",
        "contacts",
    }:
        raise ValueError(f"{name} is no setting")
    images = values.get("images", [])
    if not isinstance(images, list):
        raise ValueError("images must be a list")  # noqa: TRY004 - one kind of error for the whole file
    if bool(package.get("name")) != bool(package.get("index")):
        raise ValueError("[package] needs both name and index")
    return Settings(
        repository=_text(values, "repository", REPOSITORY),
        branch=_text(values, "branch"),
        images=tuple(_checked("images", name, IMAGE) for name in images),
        checkout=(base / values["checkout"]) if _text(values, "checkout") else None,
        remote=_text(values, "remote", REMOTE) or "origin",
        package=_text(package, "name", PACKAGE),
        index=_text(package, "index", INDEX).rstrip("/"),
        contacts=tuple((role, line(f"contact {role}", _typed(role, who))) for role, who in contacts.items()),
    )


def _table(values: Mapping[str, Any], name: str, known: tuple[str, ...] | None) -> Mapping[str, Any]:
    table = values.get(name, {})
    if not isinstance(table, dict):
        raise ValueError(f"{name} must be a table")  # noqa: TRY004
    for key in table:
        if known is not None and key not in known:
            raise ValueError(f"[{name}] {key} is no setting")
    return table


def _text(values: Mapping[str, Any], name: str, pattern: re.Pattern[str] | None = None) -> str:
    if name not in values:
        return ""
    return _checked(name, values[name], pattern) if pattern else _typed(name, values[name])


def _typed(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} must be a text")  # noqa: TRY004
    return value


def _checked(name: str, value: object, pattern: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise UsageError("bad-settings", f"{name}: {value!r} does not look right", "see docs/withdraw.md")
    return value
