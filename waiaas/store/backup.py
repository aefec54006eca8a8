"""Backups: made whole or not at all, verified, listed by their manifest's time, pruned (BKUP-1..4).

A folder in `backups/` that has its name is complete: it is filled under `.tmp-…`, verified, fsynced
and only then renamed. Folders without our manifest (the previous implementation's, say) are nobody's
business here: not listed, not pruned, not restored.

With `link` the untouched database file itself becomes the backup's (UPGR-12). Then nobody may write
to the live file until a new one was renamed into its place, or the backup was removed again.
"""

import json
from collections.abc import Collection
from pathlib import Path

from waiaas.core.compat import LATEST_SCHEMA_VERSION
from waiaas.core.errors import WaiaasError
from waiaas.core.layout import FILE_MODE, Layout
from waiaas.core.retention import Kept, removable
from waiaas.host.clock import Clock
from waiaas.host.files import Files, sha256
from waiaas.host.locks import Gate
from waiaas.host.sqlite_copies import copy_database, problems, snapshot
from waiaas.store import manifest
from waiaas.store.assemble import What, assemble
from waiaas.store.assemble import row_counts as row_counts  # callers know it from here
from waiaas.store.manifest import Backup as Backup  # callers know both from here
from waiaas.store.manifest import listing as listing
from waiaas.store.replace import require_unused
from waiaas.store.restore import put_back
from waiaas.store.settle import settle, sweep
from waiaas.store.unfinished import forget_unfinished
from waiaas.store.unreadable import missing

LIST = "list them: `waiaas backup list`"


def create(
    files: Files,
    clock: Clock,
    layout: Layout,
    kind: str,
    version: str,
    artefact: Path | None,
    link: bool = False,
    label: str = "pre-upgrade",
) -> Backup:
    """Back up database, settings and program; also while a daemon serves, but for `link`.

    `kind` is upgrade, rollback, migration or manual; `version` the version being left. Raises
    "database-missing", "backup-failed", `Busy`.
    """
    if not layout.database.exists():
        raise missing(layout.database)
    gate = Gate(layout.gate, clock)
    what = What(kind, version, artefact, label)
    if link:
        with gate.exclusive():
            require_unused(clock, layout)
            return create_alone(files, clock, layout, what)

    def copied(target: Path) -> None:
        files.at("backup.database:copy")
        snapshot(layout.database, gate, target)
        files.sync("backup.database", target)

    return assemble(files, clock, layout, what, copied)


def create_alone(files: Files, clock: Clock, layout: Layout, what: What) -> Backup:
    """`create(link=True)` for a caller who holds the exclusive gate already."""

    def linked(target: Path) -> None:
        layout.database.chmod(FILE_MODE)  # the previous implementation left it open to others
        files.link("backup.database", layout.database, target, durable=False)

    def copied(target: Path) -> None:
        files.at("backup.database:copy")
        copy_database(layout.database, target)
        sweep(layout.database)
        files.sync("backup.database", target)

    whole = settle(layout.database) and not layout.database.is_symlink()
    return assemble(files, clock, layout, what, linked if whole else copied)


def find(layout: Layout, backup_id: str) -> Backup:
    """Raises "backup-not-found"."""
    for backup in listing(layout):
        if backup.id == backup_id:
            return backup
    if why := objection(layout.backups, backup_id):
        raise WaiaasError("backup-damaged", f"{backup_id} is no backup that can be used: {why}", LIST)
    raise WaiaasError("backup-not-found", f"there is no backup {backup_id}", LIST)


def objection(backups: Path, name: str) -> str:
    """Why a folder with our manifest is no backup that can be used; empty for anybody else's."""
    folder = backups / name
    if "/" in name or name.startswith(".") or folder.is_symlink() or not folder.is_dir():
        return ""
    try:
        document = json.loads((folder / manifest.NAME).read_bytes()[: manifest.LIMIT])
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, RecursionError):
        return f"its {manifest.NAME} cannot be read"
    given = document.get("format") if isinstance(document, dict) else None
    if isinstance(given, int) and given > manifest.FORMAT:
        return f"a newer version made it (format {given}), and that one can restore it"
    return f"its {manifest.NAME} is not what we write"


def check_sizes(backup: Backup) -> None:
    """The part of `verify` that takes no time. Raises "backup-damaged"."""
    for name, entry in backup.files.items():
        path = backup.path / name
        if path.is_symlink() or not path.is_file():
            raise _damaged(backup, f"{name} is missing")
        if path.stat().st_size != entry["bytes"]:
            raise _damaged(backup, f"{name} is not what was backed up")


def verify(backup: Backup, full: bool = False) -> None:
    """Sizes, digests and `quick_check` (`full`: `integrity_check`). Raises "backup-damaged"."""
    check_sizes(backup)
    for name, entry in backup.files.items():
        if sha256(backup.path / name) != entry["sha256"]:
            raise _damaged(backup, f"{name} is not what was backed up")
    if found := problems(backup.database, full=full):
        raise _damaged(backup, f"its database is malformed ({found[0]})")


def restore(
    files: Files,
    clock: Clock,
    layout: Layout,
    backup: Backup,
    link: bool = False,
    with_config: bool = True,
    keep_switch: bool = False,
) -> None:
    """The database, and the settings if `with_config`, become what they were at the backup (BKUP-3);
    with `keep_switch` all but a kill switch that is on now: it stays on.

    The caller makes sure that no daemon serves. `link`, for undoing a run: the backup's own file
    gets the live name back, and the caller removes the backup before anything writes; its schema may
    be one of the newer version that the undoing has just brought back. Raises "backup-damaged",
    SchemaIncompatible: nothing has changed then. Raises "restore-failed" where the check after finds
    the result wanting.
    """
    if link:
        verify(backup)
    else:
        check_restorable(backup)
    forget_unfinished(layout)
    put_back(files, clock, layout, backup, link=link, with_config=with_config, keep_switch=keep_switch)


def check_restorable(backup: Backup) -> None:
    """Raises "backup-damaged", SchemaIncompatible."""
    verify(backup)
    if backup.schema_version > LATEST_SCHEMA_VERSION:
        from waiaas.core.incompatible import require_compatible

        require_compatible(backup.schema_version)


def prune(files: Files, layout: Layout, keep: int, needed: Collection[str] = frozenset()) -> list[Backup]:
    """Remove all but the newest `keep`; never the newest, never one in `needed` (BKUP-2). And what a
    kill left of others."""
    forget_unfinished(layout)
    present = {backup.id: backup for backup in listing(layout)}
    doomed = [present[item.id] for item in removable(map(_kept, present.values()), keep, needed)]
    for backup in doomed:
        remove(files, backup)
    return doomed


def remove(files: Files, backup: Backup) -> None:
    """Take one backup away; it is no backup any more before the first byte goes."""
    files.remove_tree("backup.remove", backup.path)


def _kept(backup: Backup) -> Kept:
    return Kept(backup.created_at, backup.id)


def _damaged(backup: Backup, why: str) -> WaiaasError:
    return WaiaasError("backup-damaged", f"the backup {backup.id} is damaged: {why}", LIST)
