"""`waiaas backup create|list|verify|restore|prune` (SPEC §9): its words, and the list."""

import argparse
from typing import TYPE_CHECKING

from waiaas.cli.context import Context, Loaded
from waiaas.cli.output import Result
from waiaas.cli.parser import actions, positive
from waiaas.cli.table import size, table
from waiaas.core.errors import Exit
from waiaas.host.clock import iso

if TYPE_CHECKING:
    from waiaas.store.manifest import Backup


def arguments(parser: argparse.ArgumentParser) -> None:
    verbs = actions(parser)
    verbs.add_parser("create", help="back up database, settings and program, also while the daemon serves")
    listed = verbs.add_parser("list", help="list the backups, newest first")
    listed.add_argument("--verify", action="store_true", help="verify each of them")
    verified = verbs.add_parser("verify", help="check sizes, digests and the database of a backup")
    verified.add_argument("id", nargs="?", help="backup (default: the newest)")
    verified.add_argument("--full", action="store_true", help="SQLite's complete integrity check")
    restored = verbs.add_parser("restore", help="replace database and settings by those of a backup")
    restored.add_argument("id", help="backup, as `waiaas backup list` names it")
    restored.add_argument("--keep-config", action="store_true", help="leave config.toml as it is")
    restored.add_argument("--yes", action="store_true", help="do not ask")
    pruned = verbs.add_parser("prune", help="remove old backups")
    pruned.add_argument("--keep", type=positive, metavar="N", help="how many stay (default: keep_backups)")
    pruned.add_argument("--yes", action="store_true", help="do not ask")


def run(args: argparse.Namespace, context: Context) -> Result:
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


def _list(context: Context, loaded: Loaded, verify: bool) -> Result:
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


def _verdicts(context: Context, found: "list[Backup]") -> dict[str, bool | None]:
    from waiaas.cli.backup_work import VERIFYING, is_whole
    from waiaas.cli.progress import while_reading

    with while_reading(context.out, "verify", VERIFYING * sum(item.bytes for item in found)):
        return {item.id: is_whole(item) for item in found}
