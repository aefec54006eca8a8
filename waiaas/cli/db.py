"""`waiaas db status|migrate|check`."""

from waiaas.cli.output import Result
from waiaas.core.errors import Exit

TYPE_CHECKING = False  # importing `typing` is one of the things that every command saves (PRF-3)
if TYPE_CHECKING:
    import argparse

    from waiaas.cli.context import Context, Loaded
    from waiaas.store.inspect import DatabaseState


def run(args: "argparse.Namespace", context: "Context") -> Result:
    loaded = context.load(broken_ok=args.action == "status")
    match args.action:
        case "status":
            return _status(context, loaded)
        case "migrate":
            return _migrate(context, loaded)
    return _check(context, loaded, args.full)


def _status(context: "Context", loaded: "Loaded") -> Result:
    """Looks without waiting: where the gate is held right now, exit 75 (DIR-5)."""
    from waiaas.core.compat import LATEST_SCHEMA_VERSION, MIN_COMPATIBLE_SCHEMA_VERSION
    from waiaas.store.inspect import inspect

    state = inspect(loaded.layout.database, context.gate(loaded.layout), patience=0)
    document = {
        "schemaVersion": state.schema,
        "latestSchemaVersion": LATEST_SCHEMA_VERSION,
        "minCompatibleSchemaVersion": MIN_COMPATIBLE_SCHEMA_VERSION,
        "pending": list(state.pending),
        "action": state.action,
        "reason": state.reason,
    }
    text = (
        f"schema    {state.schema}  (this version: {LATEST_SCHEMA_VERSION}, "
        f"migrates from {MIN_COMPATIBLE_SCHEMA_VERSION})\n"
        f"action    {state.action}\nreason    {state.reason}"
    )
    return Result(document, text, _verdict(state))


def _verdict(state: "DatabaseState") -> Exit:
    if state.action != "reject":
        return Exit.OK
    return Exit.FAILED if state.damage else Exit.SCHEMA


def _migrate(context: "Context", loaded: "Loaded") -> Result:
    """The function that a starting daemon uses too (MIG-04)."""
    from waiaas.cli.alone import alone
    from waiaas.core.compat import LATEST_SCHEMA_VERSION
    from waiaas.store.inspect import inspect
    from waiaas.store.migrate import bring_up_to_date

    host, layout = context.host, loaded.layout
    before = inspect(layout.database, context.gate(layout))
    before.require()
    with alone(context, loaded), context.out.activity("migrate"):
        made = bring_up_to_date(
            host.files, host.clock, layout, loaded.settings.upgrade.keep_backups, context.out.say
        )
    document = {"from": before.schema, "to": LATEST_SCHEMA_VERSION, "backup": made.id if made else None}
    if made is None:
        return Result(document, f"nothing to migrate: {before.reason}")
    text = f"migrated from schema {before.schema} to {LATEST_SCHEMA_VERSION}; the old file is {made.path}"
    return Result(document, text)


def _check(context: "Context", loaded: "Loaded", full: bool) -> Result:
    from waiaas.cli.progress import while_reading
    from waiaas.host.sqlite_copies import problems
    from waiaas.store.inspect import inspect
    from waiaas.store.unreadable import missing

    layout = loaded.layout
    if not layout.database.exists():
        raise missing(layout.database)
    with (
        context.gate(layout).shared(),
        while_reading(context.out, "check", layout.database.stat().st_size),
    ):
        found = problems(layout.database, full=full)
    if not found:
        state = inspect(layout.database, context.gate(layout))
        found = [state.reason] if state.damage and state.action == "reject" else []
    document = {"ok": not found, "problems": found, "path": str(layout.database)}
    if not found:
        return Result(document, f"{layout.database} is whole")
    text = "\n".join((f"{layout.database} is damaged:", *(f"  {line}" for line in found)))
    return Result(document, f"{text}\nhint: `waiaas backup list` shows what can be restored", Exit.FAILED)
