"""Putting a backup back (BKUP-3): in one rename, checked after."""

from contextlib import closing
from pathlib import Path

from waiaas.core.errors import WaiaasError
from waiaas.core.layout import FILE_MODE, Layout
from waiaas.host.clock import Clock
from waiaas.host.files import Files
from waiaas.host.locks import Gate
from waiaas.host.sqlite import connect, problems
from waiaas.store.inspect import look
from waiaas.store.manifest import Backup
from waiaas.store.replace import require_file, require_unused
from waiaas.store.settle import remove_side_files, settle


def put_back(
    files: Files, clock: Clock, layout: Layout, backup: Backup, *, link: bool, with_config: bool
) -> None:
    """Replace what is live by a verified backup; see `backup.restore`."""
    files.make_directory("restore", layout.database.parent)
    forget_staging(files, layout)
    require_file(layout)
    with Gate(layout.gate, clock).exclusive():
        if not link:  # undoing goes on whoever looks on
            require_unused(clock, layout)
        if not (link and _is_live(layout, backup)):
            _replace_database(files, layout, backup, link=link)
        if with_config and backup.config is not None:
            files.copy("restore.config", backup.config, layout.config, FILE_MODE)
        _check(layout, backup)


def forget_staging(files: Files, layout: Layout) -> None:
    """Remove what a killed restore left beside the database. The caller holds the daemon's lock, without
    which nobody restores."""
    staging = _staging(layout)
    files.sweep("leftover", staging.parent, staging.name)
    files.remove("leftover", staging)


def _staging(layout: Layout) -> Path:
    return layout.database.with_name(f".{layout.database.name}.restoring")


def _is_live(layout: Layout, backup: Backup) -> bool:
    """The live file has never been replaced since it was linked: it is the backup's file."""
    return layout.database.exists() and layout.database.samefile(backup.database)


def _replace_database(files: Files, layout: Layout, backup: Backup, *, link: bool) -> None:
    staging = _staging(layout)
    if link:
        files.link("restore.stage", backup.database, staging)
    else:
        files.copy("restore.stage", backup.database, staging, FILE_MODE)
    if layout.database.exists():
        settle(layout.database)  # so that a power cut before the rename loses no rows of the present
    remove_side_files(files, "restore.swap", layout.database)
    files.replace("restore.swap", staging, layout.database)


def _check(layout: Layout, backup: Backup) -> None:
    found = problems(layout.database)
    if not found:
        with closing(connect(layout.database, "ro", immutable=True)) as connection:
            schema = look(connection).schema
        if schema != backup.schema_version:
            found = [f"schema {schema} instead of {backup.schema_version}"]
    if found:
        raise WaiaasError(
            "restore-failed",
            f"the restored database is not what was backed up: {found[0]}",
            f"restore again: `waiaas backup restore {backup.id}`",
        )
