"""Bringing a database up to date: copy, migrate the copy, check it, rename it into place (MIG-04).

The old file is never written to: it keeps its name until the finished copy replaces it, and where a
backup was made by link, it lives on as that backup. So a failure at any point, or a power cut,
leaves the old database exactly as it was.
"""

import sqlite3
from collections.abc import Callable, Collection
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

from waiaas.core.causes import advice, said
from waiaas.core.compat import LATEST_SCHEMA_VERSION, written_by
from waiaas.core.errors import WaiaasError
from waiaas.core.layout import Layout
from waiaas.host.clock import Clock
from waiaas.host.files import Files
from waiaas.host.locks import Gate
from waiaas.host.sqlite import SIDE_FILES, Connection, connect, side, transaction
from waiaas.host.sqlite_copies import copy_database, problems
from waiaas.host.together import together
from waiaas.store import history, repair
from waiaas.store.assemble import What
from waiaas.store.backup import Backup, create_alone, prune, remove
from waiaas.store.foreign_keys import Violations, summary, violations
from waiaas.store.inspect import DatabaseState, inspect, look
from waiaas.store.migrations import MIGRATIONS, Migration
from waiaas.store.replace import require_unused
from waiaas.store.schema import expected, record
from waiaas.store.settle import remove_side_files, settle, sweep
from waiaas.store.structure import differences, facts

Report = Callable[[str], None]


def silent(_sentence: str) -> None:
    """The report of a caller who does not want to know."""


def nothing() -> None:
    """Nothing else to do while a copy is checked."""


def always() -> bool:
    """A migration that nobody can call off."""
    return True


def bring_up_to_date(
    files: Files,
    clock: Clock,
    layout: Layout,
    keep_backups: int,
    report: Report = silent,
    needed: Collection[str] = (),
) -> Backup | None:
    """Start, `db migrate` and upgrade: look, back up by link, migrate; None where nothing was pending.

    The caller makes sure that no daemon serves; `needed` are ids of backups not to prune. Raises
    SchemaIncompatible, "database-damaged", "migration-failed", "backup-failed": the database is
    then as it was, and no backup shares its file; "migration-unfinished": it is new, and backed up.
    """
    gate = Gate(layout.gate, clock)
    state = inspect(layout.database, gate)
    state.require()
    if state.action == "ok":
        return None
    if state.damage:
        report(f"repairing the database: {state.damage}")
    with gate.exclusive():
        require_unused(clock, layout)
        _migrated_copy(files, clock, layout, report)
        # linked last, so that a backup never shares its inode with a database that goes on living
        backup = create_alone(files, clock, layout, What("migration", _version_left(state)))
        try:
            _swap(files, layout)
        except OSError as problem:
            _take_back(files, layout, backup, problem)
            raise failed("putting the migrated database in place", problem) from problem
    prune(files, layout, keep_backups, {backup.id, *needed})
    return backup


def migrate_file(
    files: Files,
    clock: Clock,
    layout: Layout,
    report: Report = silent,
    wanted: Callable[[], bool] = always,
) -> tuple[int, int]:
    """The same without a backup, which the caller has made: schema before and after.

    `wanted` is asked once the copy at `layout.migrating` is finished and nobody else can open the database,
    before it is replaced.
    """
    gate = Gate(layout.gate, clock)
    state = inspect(layout.database, gate)
    state.require()
    if state.action == "ok":
        return state.schema, state.schema
    with gate.exclusive():
        require_unused(clock, layout)
        result = _migrated_copy(files, clock, layout, report)
        if not wanted():
            _discard(layout.migrating)
            raise failed("the migration", "whoever asked for it is gone")
        _swap(files, layout)
    return result


def migrate_copy(
    path: Path,
    clock: Clock,
    report: Report = silent,
    meanwhile: Callable[[], None] = nothing,
    before: Violations | None = None,
) -> tuple[int, int]:
    """Migrate this very file, step by step, each one transaction; schema before and after.

    Only ever given a copy. Nothing is written to it once its check begins, and `meanwhile`, which fsyncs it,
    runs beside that. `before`: references that point nowhere, where that is known already. Raises
    "migration-failed" naming the step, whose changes are undone.
    """
    try:
        return _migrate(path, clock, report, meanwhile, before)
    except sqlite3.Error as problem:
        raise failed("reading the database", problem) from problem


def failed(what: str, why: Exception | str) -> WaiaasError:
    served = "run `waiaas doctor`; the version that served before still can: `waiaas upgrade --rollback`"
    problem = why if isinstance(why, Exception) else ValueError(why)
    return WaiaasError(
        "migration-failed",
        f"{what} failed: {said(problem)}; the database is as it was",
        advice(problem, served),
    )


def _migrate(
    path: Path,
    clock: Clock,
    report: Report,
    meanwhile: Callable[[], None],
    before: Violations | None,
) -> tuple[int, int]:
    with closing(_open(path)) as connection:
        state = look(connection)
        state.require()
        if state.action == "ok":
            meanwhile()
            return state.schema, state.schema
        known = _known_faults(connection, state)
        before = violations(connection) if before is None else before
    if before:
        report(f"foreign keys that pointed nowhere before the migration: {summary(before)}")
    _repair(path, state, clock)
    for migration in MIGRATIONS:
        if migration.VERSION in state.pending:
            _step(path, migration, clock)
            report(f"migration {migration.VERSION}: {migration.DESCRIPTION}")
    with closing(_open(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")  # as it will serve
    _check(path, known, before, meanwhile)
    return state.schema, LATEST_SCHEMA_VERSION


def _migrated_copy(files: Files, clock: Clock, layout: Layout, report: Report) -> tuple[int, int]:
    """Under the exclusive gate: a finished, checked and durable copy at `layout.migrating`."""
    settle(layout.database)
    _discard(layout.migrating)
    files.at("migrate.copy:copy")
    try:
        before, _ = together(
            lambda: _violations(layout.database), lambda: copy_database(layout.database, layout.migrating)
        )
        durable = partial(files.sync, "migrate.copy", layout.migrating)
        result = migrate_copy(layout.migrating, clock, report, durable, before)
    except (OSError, sqlite3.Error) as problem:
        _discard(layout.migrating)
        raise failed("the migration of a copy", problem) from problem
    except BaseException:
        _discard(layout.migrating)
        raise
    finally:
        sweep(layout.database)
    return result


def _violations(path: Path) -> Violations:
    with closing(connect(path, "ro")) as connection:
        return violations(connection)


def _swap(files: Files, layout: Layout) -> None:
    remove_side_files(files, "migrate.swap", layout.database)
    files.replace("migrate.swap", layout.migrating, layout.database)


def _take_back(files: Files, layout: Layout, backup: Backup, problem: OSError) -> None:
    """The old file has its name again, though the rename had been done and only its fsync failed; then its
    second name, the backup, goes. Raises "migration-unfinished" where neither is to be had."""
    with suppress(OSError):
        files.link("migrate.back", backup.database, layout.database)
    if not layout.database.samefile(backup.database):
        raise WaiaasError(
            "migration-unfinished",
            f"the database is migrated, but the disk may forget it: {said(problem)}; "
            f"{backup.id} holds what it was",
            advice(problem),
        ) from problem
    with suppress(OSError):
        _discard(layout.migrating)
        remove(files, backup)


def _discard(path: Path) -> None:
    for leftover in (path, *(side(path, suffix) for suffix in SIDE_FILES)):
        leftover.unlink(missing_ok=True)


def _open(path: Path) -> Connection:
    """Each step gets its own connection, so that none works from an outdated idea of the schema."""
    connection = connect(path)
    connection.execute("PRAGMA foreign_keys = OFF")  # a no-op inside a transaction; a rebuild needs it
    connection.execute("PRAGMA synchronous = OFF")  # the finished copy is fsynced before it is renamed
    return connection


def _repair(path: Path, state: DatabaseState, clock: Clock) -> None:
    if state.damage is None:
        return
    with closing(_open(path)) as connection:
        plan = repair.repair(history.read(connection))
        if plan is not None:
            with transaction(connection):
                repair.record_repaired(connection, plan, clock.seconds())


def _step(path: Path, migration: Migration, clock: Clock) -> None:
    """Structure, data and the version's row in one transaction (MIG-03)."""
    now = clock.seconds()
    try:
        with closing(_open(path)) as connection, transaction(connection):
            migration.apply(connection, now)
            record(connection, migration.VERSION, migration.DESCRIPTION, now)
    except (sqlite3.Error, ValueError) as problem:
        name = f"migration {migration.VERSION} ({migration.DESCRIPTION})"
        raise failed(name, problem) from problem


def _known_faults(connection: Connection, state: DatabaseState) -> set[str]:
    """Peculiarities of a file with a sound history are its own; a repaired one must have none."""
    if state.damage is not None:
        return set()
    return set(differences(facts(connection), expected(state.schema)))


def _check(path: Path, known: set[str], before: Violations, meanwhile: Callable[[], None]) -> None:
    """The copy is whole, has the schema we know, and no reference lost its target on the way. Writes nothing,
    not even beside it."""
    _, found, lost = together(meanwhile, lambda: problems(path), lambda: _lost(path, before))
    if found:
        raise failed("the check of the migrated copy", "; ".join(found[:3]))
    with closing(connect(path, "ro", immutable=True)) as connection:
        state = look(connection)
        strange = sorted(set(differences(facts(connection), expected(LATEST_SCHEMA_VERSION))) - known)
    if state.action != "ok":
        raise failed("the check of the migrated copy", state.reason)
    if strange:
        raise failed("the check of the migrated copy", "; ".join(strange[:3]))
    if lost:
        raise failed("the check of the migrated copy", f"foreign keys now point nowhere: {lost}")


def _lost(path: Path, before: Violations) -> str:
    """What the references that lost their target on the way point from and to; empty is good."""
    try:
        with closing(connect(path, "ro", immutable=True)) as connection:
            return summary(violations(connection) - before)
    except sqlite3.Error as problem:
        return str(problem)  # of a file that is not whole, which is said first


def _version_left(state: DatabaseState) -> str:
    """The version that wrote the database, as its schema tells."""
    return written_by(state.schema) or f"schema-{state.schema}"
