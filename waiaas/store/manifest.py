"""`manifest.json` of a backup: what it holds, from when, and how to tell that it is whole (BKUP-1)."""

import json
import stat
from collections.abc import Mapping
from pathlib import Path

from waiaas.core.layout import DATABASE_NAME, Layout
from waiaas.core.value import frozen
from waiaas.host.clock import iso

TYPE_CHECKING = False  # importing `typing` is one of the things that every command saves (PRF-3)
if TYPE_CHECKING:
    from typing import Any, TypedDict

    class FileEntry(TypedDict):
        bytes: int
        sha256: str

else:
    FileEntry = dict

FORMAT = 1
NAME = "manifest.json"
CONFIG_NAME = "config.toml"
LIMIT = 1 << 20  # bytes; a manifest has a few hundred
MAX_NAME = 255  # bytes of a file's name


@frozen
class Backup:
    """A complete backup; `created_at` in Unix seconds, `bytes` of all its files together."""

    id: str
    path: Path
    kind: str
    version: str
    schema_version: int
    created_at: float
    rows: Mapping[str, int]
    files: Mapping[str, FileEntry]

    @property
    def bytes(self) -> int:
        return sum(entry["bytes"] for entry in self.files.values())

    @property
    def database(self) -> Path:
        return self.path / DATABASE_NAME

    @property
    def config(self) -> Path | None:
        return self.path / CONFIG_NAME if CONFIG_NAME in self.files else None

    @property
    def artefact(self) -> Path | None:
        """The program of the version that was left, where it was kept here."""
        names = [name for name in self.files if name.endswith(".pyz")]
        return self.path / names[0] if names else None

    def to_json(self, verified: bool | None = None) -> "dict[str, Any]":
        """One element of `backup list --json`."""
        return {
            "id": self.id,
            "kind": self.kind,
            "version": self.version,
            "schemaVersion": self.schema_version,
            "createdAt": iso(self.created_at),
            "bytes": self.bytes,
            "path": str(self.path),
            "verified": verified,
        }


def encode(backup: Backup) -> bytes:
    document = {
        "format": FORMAT,
        "id": backup.id,
        "kind": backup.kind,
        "version": backup.version,
        "schemaVersion": backup.schema_version,
        "createdAt": iso(backup.created_at),
        "createdAtUnix": backup.created_at,
        "files": dict(backup.files),
        "rows": dict(backup.rows),
    }
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def read(folder: Path) -> Backup | None:
    """The backup in that folder; None for a foreign folder, a link, or one without our manifest."""
    try:
        if folder.name.startswith(".") or not stat.S_ISDIR(folder.lstat().st_mode):
            return None
        manifest = folder / NAME
        found = manifest.lstat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > LIMIT:
            return None
        return _decode(folder, json.loads(manifest.read_bytes()))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError):
        return None


def listing(layout: Layout) -> list[Backup]:
    """Every backup of ours, the newest first, by the manifest's time; the name breaks a tie."""
    try:
        folders = sorted(layout.backups.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    found = [backup for backup in map(read, folders) if backup is not None]
    return sorted(found, key=lambda backup: (backup.created_at, backup.id), reverse=True)


def _decode(folder: Path, document: "dict[str, Any]") -> Backup | None:
    """Raises whatever reading a document that is not of our making raises."""
    if document["format"] != FORMAT or document["id"] != folder.name:
        return None
    files = {
        _plain(name): FileEntry(bytes=_whole(entry["bytes"]), sha256=str(entry["sha256"]))
        for name, entry in document["files"].items()
    }
    if DATABASE_NAME not in files:
        return None
    return Backup(
        id=folder.name,
        path=folder,
        kind=str(document["kind"]),
        version=str(document["version"]),
        schema_version=_whole(document["schemaVersion"]),
        created_at=_time(document["createdAtUnix"]),
        rows={str(name): _whole(count) for name, count in document["rows"].items()},
        files=files,
    )


def _plain(name: str) -> str:
    if not name or "/" in name or "\0" in name or name in (".", "..", NAME) or len(name.encode()) > MAX_NAME:
        raise ValueError(name)
    return name


def _time(value: float) -> float:
    iso(value)  # a time that has a date
    return float(value)


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(value)
    return value
