"""`waiaas backup create|list|verify|restore|prune` (SPEC §9): its words, and the list."""

from waiaas.cli.output import Result
from waiaas.cli.table import size, table
from waiaas.core.errors import Exit
from waiaas.host.clock import iso

TYPE_CHECKING = False  # importing `typing` is one of the things that every command saves (PRF-3)
if TYPE_CHECKING:
    import argparse

    from waiaas.cli.context import Context, Loaded
    from waiaas.store.manifest import Backup


def run(args: "argparse.Namespace", context: "Context") -> Result:
    loaded = context.load(broken_ok=args.action in ("list", "verify"))
    if args.action == "list":
        return _list(context, loaded, args.verify)
    from waiaas.cli import backup_work as work

    if args.action in ("create", "prune"):
        from waiaas.cli.underway import refuse_open_run

        refuse_open_run(context, loaded)
    match args.action:
        case "create":
            return work.create(context, loaded)
        case "verify":
            return work.verify(context, loaded, args.id, args.full)
        case "restore":
            return work.restore(args, context, loaded)
    return work.prune(args, context, loaded)


def _list(context: "Context", loaded: "Loaded", verify: bool) -> Result:
    from waiaas.store.manifest import listing

    found = listing(loaded.layout)
    verdicts = _verdicts(context, found) if verify else dict.fromkeys((item.id for item in found), None)
    rows = [
        (item.id, item.kind, item.version, item.schema_version, iso(item.created_at), size(item.bytes))
        + (({True: "yes", False: "DAMAGED", None: "-"}[verdicts[item.id]],) if verify else ())
        for item in found
    ]
    header = ("id", "kind", "version", "schema", "created", "size") + (("verified",) if verify else ())
    damaged = Exit.FAILED if False in verdicts.values() else Exit.OK
    text = table(header, rows) or "no backups"
    return Result([item.to_json(verdicts[item.id]) for item in found], text, damaged)


def _verdicts(context: "Context", found: "list[Backup]") -> dict[str, bool | None]:
    from waiaas.cli.backup_work import VERIFYING, is_whole
    from waiaas.cli.progress import while_reading

    with while_reading(context.out, "verify", VERIFYING * sum(item.bytes for item in found)):
        return {item.id: is_whole(item) for item in found}
