"""What is inside an artefact, read without running it, and compared with the lock it was built from.

Everything at the top of the archive is our own code or a package that the lock names: nothing more,
and nothing less.
"""

import json
import re
import tomllib
import zipfile
from collections.abc import Iterable, Mapping
from email.parser import BytesHeaderParser
from pathlib import Path

from waiaas.core.errors import WaiaasError
from waiaas.core.value import frozen
from waiaas.host.files import sha256
from waiaas.release.artefact import BUILD
from waiaas.release.build import LOCK
from waiaas.release.entry import modules

OURS = "waiaas"
INFO = re.compile(r"([^/]+)-([^-/]+)\.dist-info/METADATA")
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)((?:\s*\\\n\s+--hash=sha256:[0-9a-f]{64})+)", re.MULTILINE)
HASH = re.compile(r"sha256:([0-9a-f]{64})")
REQUIREMENT = re.compile(r"[A-Za-z0-9._-]+")
CLASSIFIERS = {  # of packages that name their licence no other way -> SPDX
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
}


@frozen
class Package:
    """A package inside. `hashes`: sha256 of its distributions, from the lock; `needs`: names of others."""

    name: str
    version: str
    licence: str
    hashes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


@frozen
class Contents:
    """`program`: ourselves, `hashes` being that of the artefact. `built` in Unix seconds."""

    program: Package
    packages: tuple[Package, ...]
    commit: str
    built: int


def read(artefact: Path, source: Path) -> Contents:
    """Raises WaiaasError `not-an-artefact`, `not-as-locked`. `source`: the tree it was built from."""
    try:
        with zipfile.ZipFile(artefact) as archive:
            names = archive.namelist()
            facts = json.loads(archive.read(BUILD))
            metadata = {name: archive.read(name) for name in names if INFO.fullmatch(name)}
            version, commit, built = str(facts["version"]), str(facts["commit"]), int(facts["built"])
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, TypeError) as problem:
        raise WaiaasError(
            "not-an-artefact", f"{artefact} is no artefact of WAIaaS: {problem}", "make one with `build`"
        ) from problem
    locked = _locked(source / LOCK)
    packages = tuple(sorted((_package(data, locked) for data in metadata.values()), key=lambda p: p.name))
    _compare(names, packages, locked, version)
    project = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needs = _names(project["dependencies"])
    program = Package(OURS, version, project["license"], (sha256(artefact),), needs)
    return Contents(program, packages, commit, built)


def canonical(name: str) -> str:
    """The one spelling of a package's name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _locked(path: Path) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Name -> version and hashes."""
    pins = PINNED.findall(path.read_text(encoding="utf-8"))
    return {canonical(name): (version, tuple(HASH.findall(rest))) for name, version, rest in pins}


def _package(metadata: bytes, locked: Mapping[str, tuple[str, tuple[str, ...]]]) -> Package:
    fields = BytesHeaderParser().parsebytes(metadata)
    name, version = canonical(fields["Name"]), fields["Version"]
    pinned, hashes = locked.get(name, ("nothing", ()))
    if pinned != version:
        raise _differs(f"{name} is inside as {version}, and the lock names {pinned}")
    classifiers = [CLASSIFIERS[line] for line in fields.get_all("Classifier", []) if line in CLASSIFIERS]
    licence = fields["License-Expression"] or " AND ".join(classifiers)
    if not licence:
        raise _differs(f"{name} does not name its licence")
    needs = [need for need in fields.get_all("Requires-Dist", []) if "extra ==" not in need]
    return Package(name, version, licence, hashes, _names(needs))


def _names(requirements: Iterable[str]) -> tuple[str, ...]:
    found = (REQUIREMENT.match(requirement) for requirement in requirements)
    return tuple(sorted(canonical(match[0]) for match in found if match))


def _compare(names: Iterable[str], packages: Iterable[Package], locked: Iterable[str], version: str) -> None:
    """Every name at the top is accounted for, and every package that should be there is."""
    top = {name.partition("/")[0] for name in names}
    known = {package.name for package in packages}
    code = {name for name in top if not name.endswith(".dist-info")} - {OURS, *modules(version)}
    for name in sorted(code):
        if canonical(name) not in known:
            raise _differs(f"{name} is inside, and no package accounts for it")
    for name in sorted({*locked, *known}):
        if name not in known or name not in {canonical(word) for word in code}:
            raise _differs(f"the lock names {name}, and it is not inside")


def _differs(what: str) -> WaiaasError:
    return WaiaasError("not-as-locked", what, "build it again from the tree whose lock this is: --source DIR")
