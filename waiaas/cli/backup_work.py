"""`waiaas backup`: making, verifying, restoring and pruning."""

import argparse

from waiaas import __version__
from waiaas.cli.alone import alone
from waiaas.cli.confirm import confirm
from waiaas.cli.context import Context, Loaded
from waiaas.cli.output import Result
from waiaas.cli.progress import while_reading
from waiaas.cli.table import size
from waiaas.core.errors import WaiaasError
from waiaas.core.retention import Kept, removable
from waiaas.host.clock import iso
from waiaas.host.sqlite import side
from waiaas.store import backup as backups
from waiaas.store.backup import Backup
from waiaas.store.inspect import inspect
from waiaas.store.replace import require_replaceable
from waiaas.store.restore import require_same_database
from waiaas.store.unfinished import forget_unfinished

CREATING, VERIFYING, RESTORING = 4, 3, 6  # how often each byte is read, as measured; for the bars


def create(context: Context, loaded: Loaded) -> Result:
    host = context.host
    artefact = host.program.path
    state = inspect(loaded.layout.database, context.gate(loaded.layout))
    if state.damage and state.action == "reject":
        state.require()
    with while_reading(context.out, "backup", CREATING * _live_bytes(loaded)):
        made = backups.create(
            host.files, host.clock, loaded.layout, "manual", __version__, artefact, label="manual"
        )
    return Result(made.to_json(verified=True), f"{made.path} ({size(made.bytes)})")


def verify(context: Context, loaded: Loaded, wanted: str | None, full: bool) -> Result:
    found = backups.find(loaded.layout, wanted) if wanted else _newest(loaded)
    with while_reading(context.out, "verify", VERIFYING * found.bytes):
        backups.verify(found, full)
    return Result(found.to_json(verified=True), f"{found.id} is whole")


def is_whole(item: Backup) -> bool:
    try:
        backups.verify(item)
    except WaiaasError:
        return False
    return True


def _live_bytes(loaded: Loaded) -> int:
    database = loaded.layout.database
    return sum(path.stat().st_size for path in (database, side(database, "-wal")) if path.exists())


def _newest(loaded: Loaded) -> Backup:
    found = backups.listing(loaded.layout)
    if not found:
        raise WaiaasError("no-backups", "there are no backups", "waiaas backup create")
    return found[0]


def restore(args: argparse.Namespace, context: Context, loaded: Loaded) -> Result:
    """Verified before anything changes; what is replaced is backed up first, where it can be."""
    found = backups.find(loaded.layout, args.id)
    with while_reading(context.out, "verify", VERIFYING * found.bytes):
        backups.check_restorable(found)
    if not args.keep_config:
        alone_it = context.again(f"backup restore {found.id} --keep-config")
        environ = context.host.environ
        require_same_database(loaded.layout, found, environ, f"{alone_it} restores the database alone")
    confirm(context, f"Replace the database by the one of {iso(found.created_at)}, {found.id}?", args.yes)
    host, layout = context.host, loaded.layout
    with alone(context, loaded):
        require_replaceable(host.clock, layout)
        kept = _present(context, loaded)
        with while_reading(context.out, "restore", RESTORING * found.bytes):
            backups.restore(host.files, host.clock, layout, found, with_config=not args.keep_config)
    document = {"restored": found.id, "schemaVersion": found.schema_version, "before": kept and kept.id}
    said = f"; what was there before is kept as {kept.id}" if kept else ""
    return Result(document, f"restored {found.id}{said}")


def _present(context: Context, loaded: Loaded) -> Backup | None:
    host = context.host
    try:
        with while_reading(context.out, "backup", CREATING * _live_bytes(loaded)):
            return backups.create(
                host.files, host.clock, loaded.layout, "manual", __version__, None, label="pre-restore"
            )
    except WaiaasError as problem:
        context.out.warn(f"the present state could not be backed up: {problem.message}")
        return None


def prune(args: argparse.Namespace, context: Context, loaded: Loaded) -> Result:
    keep = args.keep or loaded.settings.upgrade.keep_backups
    forget_unfinished(loaded.layout)
    needed = _needed(context, loaded)
    kept = [Kept(item.created_at, item.id) for item in backups.listing(loaded.layout)]
    doomed = removable(kept, keep, needed)
    if not doomed:
        return Result([], f"nothing to remove: {len(kept)} of at most {keep} backups")
    confirm(context, f"Remove {len(doomed)} of {len(kept)} backups for good?", args.yes)
    removed = backups.prune(context.host.files, loaded.layout, keep, needed)
    return Result([item.to_json() for item in removed], "\n".join(f"removed {item.id}" for item in removed))


def _needed(context: Context, loaded: Loaded) -> set[str]:
    """What an open run needs is never removed (BKUP-2), nor what `upgrade --rollback` would restore."""
    if context.program is None:
        return set()
    from waiaas.core.journal import to_roll_back
    from waiaas.upgrade.book import history, open_run

    state = open_run(context.program)
    needed = {str(step.facts["backup"]) for step in state.steps if "backup" in step.facts} if state else set()
    last = to_roll_back(history(context.program), str(loaded.layout.data_dir))
    return needed | {str(last["backup"])} if last else needed
