"""Records: what was found and done about a version, as JSON files that code has checked (W-22, W-23).

    F.records/downloads.json          counts of each reading
    F.records/V/<kind>.json           one record of each kind
    F.records/V/*.md, V/evidence/     texts for people, and what the evidence bundle collected

They are written to be committed: nothing gets in that looks like a secret, and what is there was
valid when it was written and is checked again when it is read. They never go into the artefact.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from waiaas.core.errors import WaiaasError
from waiaas.core.value import field, frozen
from waiaas.core.version import Version
from waiaas.host.clock import Clock, iso
from waiaas.host.files import Files
from waiaas.release.pending import PUBLIC_DIRECTORY, PUBLIC_MODE
from waiaas.release.withdrawal import kinds
from waiaas.release.withdrawal.secrets import Secrets

Document = dict[str, Any]


LABEL = {"updated": "", "author": ""}  # of a record, not what it says


def folder_beside(feed: Path) -> Path:
    """`F.records`, beside the feed and never served with it."""
    return feed.with_name(feed.name + ".records")


@frozen
class Shelf:
    """The folder of the records, and who writes into it."""

    folder: Path
    files: Files
    clock: Clock
    author: str
    secrets: Secrets = field(default_factory=Secrets)

    def path(self, kind: str, version: Version | None) -> Path:
        return self.place(version) / f"{kind}.json"

    def place(self, version: Version | None) -> Path:
        """The folder of everything about one version."""
        return self.folder if version is None else self.folder / str(version)

    def versions(self) -> list[Version]:
        """Those with a folder, oldest first."""
        names = [path.name for path in self.folder.iterdir()] if self.folder.is_dir() else []
        return sorted(Version.parse(name) for name in names if _is_version(name))

    def load(self, kind: str, version: Version | None) -> Document | None:
        """A record, checked; None if there is none. Raises WaiaasError `bad-record`."""
        path = self.path(kind, version)
        if not path.is_file():
            return None
        try:
            document: Document = json.loads(path.read_bytes())
        except (ValueError, RecursionError) as problem:
            raise _bad(path, [f"it is no JSON: {problem}"]) from problem
        found = kinds.faults(kind, document)
        if not found and document["version"] != (str(version) if version else None):
            found = [f"it is about {document['version']}"]
        if found:
            raise _bad(path, found)
        return document

    def save(
        self, kind: str, version: Version | None, content: Mapping[str, Any], references: Sequence[str] = ()
    ) -> Path:
        """Write a record under its head; returns its path. Saying the same again changes nothing.

        Raises WaiaasError `bad-record` for one that is not valid, `secret-found`.
        """
        path, before = self.path(kind, version), self.load(kind, version)
        document: Document = {
            "format": kinds.FORMAT,
            "kind": kind,
            "version": str(version) if version else None,
            "localOnly": True,
            "updated": iso(self.clock.seconds()),
            "author": self.author,
            "references": list(references),
            **content,
        }
        if before is not None and {**before, **LABEL} == {**document, **LABEL}:
            return path
        found = kinds.faults(kind, document)
        if found:
            raise _bad(path, found)
        self.secrets.refuse(str(path), "\n".join(_texts(document)))  # as they are, before JSON escapes them
        return self.write(
            path.relative_to(self.folder), json.dumps(document, indent=1, ensure_ascii=False) + "\n"
        )

    def write(self, name: Path | str, text: str) -> Path:
        """Write a text into the folder, if nothing in it looks like a secret; returns its path."""
        path = self.folder / name
        self.secrets.refuse(str(path), text)
        data = text.encode()
        if path.is_file() and path.read_bytes() == data:
            return path
        self.files.make_directory("record.folder", path.parent, PUBLIC_DIRECTORY)
        self.files.write(f"record.{path.stem}", path, data, PUBLIC_MODE)
        return path


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from _texts(item)


def _is_version(name: str) -> bool:
    try:
        Version.parse(name)
    except WaiaasError:
        return False
    return True


def _bad(path: Path, faults: Sequence[str]) -> WaiaasError:
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return WaiaasError(
        "bad-record",
        f"{path} is no valid record: {faults[0]}{more}",
        "mend it by hand, or move it away; nothing was changed",
    )
