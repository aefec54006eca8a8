"""Putting a backup back (BKUP-3): in one rename, checked after.

For a run, a kill switch that is on stays on (DMN-4). Throwing it is possible until nobody else can open
the database, so it is read then, and thrown on what comes back before anybody else can open that.
"""

import os
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from waiaas.core.errors import WaiaasError
from waiaas.core.layout import FILE_MODE, Layout
from waiaas.host.clock import Clock
from waiaas.host.files import Files
from waiaas.host.locks import Gate
from waiaas.host.sqlite import SqlError, connect
from waiaas.host.sqlite_copies import problems
from waiaas.store import killswitch, switching
from waiaas.store.inspect import look
from waiaas.store.manifest import Backup
from waiaas.store.replace import require_file, require_unused
from waiaas.store.settle import forget_staging, remove_side_files, settle, staging

ACTOR = "upgrade"  # who threw the switch, in the audit log


def put_back(
    files: Files,
    clock: Clock,
    layout: Layout,
    backup: Backup,
    *,
    link: bool,
    with_config: bool,
    keep_switch: bool,
) -> None:
    """Replace what is live by a verified backup; see `backup.restore`."""
    files.make_directory("restore", layout.database.parent)
    forget_staging(files, layout)
    require_file(layout)
    with Gate(layout.gate, clock).exclusive():
        if not link:  # undoing goes on whoever looks on
            require_unused(clock, layout)
        if not (link and _is_live(layout, backup)):
            if keep_switch and _is_thrown(layout):
                _replace_and_throw(files, clock, layout, backup, link=link)
            else:
                _replace_database(files, layout, backup, link=link)
        if with_config and backup.config is not None:
            files.copy("restore.config", backup.config, layout.config, FILE_MODE)
        _check(layout, backup)


def require_same_database(layout: Layout, backup: Backup, environ: Mapping[str, str], hint: str) -> None:
    """Raises "other-database" where the backup's settings would open another file than the one that is
    restored. The caller is about to restore both."""
    if found := other_database(layout, backup, environ):
        raise WaiaasError(
            "other-database",
            f"the settings in {backup.id} open {found}, those of today open {layout.database}; "
            "nothing was changed",
            hint,
        )


def other_database(layout: Layout, backup: Backup, environ: Mapping[str, str]) -> Path | None:
    """The file that the backup's settings would open, if it is not the one of today's settings."""
    from waiaas.core.settings import parse

    if backup.config is None:
        return None
    text = backup.config.read_bytes().decode("utf-8-sig", "replace")
    wanted = parse(text, environ, {}, lenient=True).settings.database.path
    found = os.path.realpath(layout.data_dir / wanted)
    return None if found == os.path.realpath(layout.database) else Path(found)


def _is_live(layout: Layout, backup: Backup) -> bool:
    """The live file has never been replaced since it was linked: it is the backup's file."""
    return layout.database.exists() and layout.database.samefile(backup.database)


def _is_thrown(layout: Layout) -> bool:
    """Where it cannot be read nobody has thrown it either."""
    try:
        with closing(connect(layout.database, "ro")) as connection:
            return killswitch.is_on(connection)
    except SqlError:
        return False


def _throw(database: Path, clock: Clock) -> None:
    with closing(connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")  # into the file itself, which gets a new name
        switching.throw(connection, ACTOR, clock.seconds())


def _replace_and_throw(files: Files, clock: Clock, layout: Layout, backup: Backup, *, link: bool) -> None:
    """On a copy, so that the switch is on from the first moment, and the backup stays what it was; undoing
    does without one where there is no room for it."""
    stage = staging(layout)
    try:
        files.copy("restore.stage", backup.database, stage, FILE_MODE)
        _throw(stage, clock)
    except (OSError, SqlError):
        forget_staging(files, layout)
        if not link:
            raise
        _replace_database(files, layout, backup, link=True)
        _throw(layout.database, clock)
    else:
        _swap(files, layout)


def _replace_database(files: Files, layout: Layout, backup: Backup, *, link: bool) -> None:
    stage = staging(layout)
    if link:
        files.link("restore.stage", backup.database, stage)
    else:
        files.copy("restore.stage", backup.database, stage, FILE_MODE)
    _swap(files, layout)


def _swap(files: Files, layout: Layout) -> None:
    """The staged file becomes the live one."""
    if layout.database.exists():
        settle(layout.database)  # so that a power cut before the rename loses no rows of the present
    remove_side_files(files, "restore.swap", layout.database)
    files.replace("restore.swap", staging(layout), layout.database)


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
