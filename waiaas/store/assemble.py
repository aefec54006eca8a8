"""How a backup is put together: filled under `.tmp-…`, verified, fsynced, then named (BKUP-1)."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from waiaas.core.causes import advice, said
from waiaas.core.errors import WaiaasError
from waiaas.core.layout import DATABASE_NAME, FILE_MODE, Layout
from waiaas.core.value import frozen
from waiaas.host.clock import Clock
from waiaas.host.files import Files, sha256
from waiaas.host.sqlite import Connection, connect
from waiaas.host.sqlite_copies import problems
from waiaas.host.together import together
from waiaas.store import manifest
from waiaas.store.inspect import look
from waiaas.store.manifest import CONFIG_NAME, Backup, FileEntry
from waiaas.store.unfinished import PREFIX, forget_unfinished, making


@frozen
class What:
    """Why and from which version a backup is made, and the program file to keep with it."""

    kind: str
    version: str
    artefact: Path | None = None
    label: str = "pre-upgrade"


def assemble(
    files: Files,
    clock: Clock,
    layout: Layout,
    what: What,
    place_database: Callable[[Path], None],
) -> Backup:
    """`place_database(path)` puts the database file there, consistent, its bytes durable. The names in the
    folder become so all at once, with the manifest's, before the folder gets its own."""
    now = clock.now()
    name = f"{what.label}-{what.version}-{clock.stamp()}-{os.urandom(4).hex()}"
    folder = layout.backups / f"{PREFIX}{name}"
    try:
        files.make_directory("backup.create", layout.backups)
        forget_unfinished(layout)
        with making(files, folder):
            place_database(folder / DATABASE_NAME)
            _add_files(files, layout, folder, what)
            return _seal(files, folder, layout.backups / name, what, now)
    except (OSError, sqlite3.Error) as problem:
        raise WaiaasError(
            "backup-failed", f"the backup could not be made: {said(problem)}", advice(problem)
        ) from problem


def row_counts(path: Path) -> dict[str, int]:
    """Rows of every table of a database file that nobody writes to."""
    with closing(connect(path, "ro", immutable=True)) as connection:
        return counts(connection)


def counts(connection: Connection) -> dict[str, int]:
    """Rows of every table, as this connection sees them."""
    names = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*' ORDER BY name"
    ).fetchall()
    return {str(row["name"]): int(connection.execute(_count(row["name"])).fetchone()[0]) for row in names}


def _add_files(files: Files, layout: Layout, folder: Path, what: What) -> None:
    if layout.config.exists():
        files.copy("backup.config", layout.config, folder / CONFIG_NAME, FILE_MODE, durable=False)
    if what.artefact is not None:
        # no link: who copies a new program over the installed one would change every backup
        kept = folder / f"waiaas-{what.version}.pyz"
        files.copy("backup.artefact", what.artefact, kept, durable=False)


def _seal(files: Files, folder: Path, final: Path, what: What, now: float) -> Backup:
    """Verify, describe, make durable, and only then give it its name."""
    database = folder / DATABASE_NAME
    # of a large database these are two readings of the whole file, and nobody may be served meanwhile
    entries, found = together(lambda: _entries(folder), lambda: problems(database))
    if found:
        raise WaiaasError(
            "database-damaged",
            f"the database is malformed, so it cannot be backed up: {found[0]}",
            "run `waiaas db check`; restore an older backup: `waiaas backup list`",
        )
    backup = Backup(
        id=final.name,
        path=final,
        kind=what.kind,
        version=what.version,
        schema_version=_schema(database),
        created_at=now,
        rows=row_counts(database),
        files=entries,
    )
    files.write("backup.manifest", folder / manifest.NAME, manifest.encode(backup))
    files.replace("backup.name", folder, final)
    return backup


def _schema(database: Path) -> int:
    with closing(connect(database, "ro", immutable=True)) as connection:
        return look(connection).schema


def _entries(folder: Path) -> dict[str, FileEntry]:
    return {path.name: _entry(path) for path in sorted(folder.iterdir())}


def _entry(path: Path) -> FileEntry:
    return FileEntry(bytes=path.stat().st_size, sha256=sha256(path))


def _count(table: str) -> str:
    return f'SELECT COUNT(*) FROM "{table.replace(chr(34), chr(34) * 2)}"'  # noqa: S608 - quoted
