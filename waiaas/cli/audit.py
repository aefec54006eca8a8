"""`waiaas audit`: who did what, newest first."""

import argparse

from waiaas.cli.context import Context
from waiaas.cli.output import Result
from waiaas.cli.parser import positive
from waiaas.cli.table import camel_case, table
from waiaas.host.clock import shown

LIMIT = 50  # rows


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--limit", type=positive, default=LIMIT, metavar="N", help=f"rows (default {LIMIT})")
    parser.add_argument("--before", type=positive, metavar="ID", help="only rows older than this one")
    parser.add_argument("--type", metavar="EVENT", help="only this type of event")


def run(args: argparse.Namespace, context: Context) -> Result:
    from waiaas.host.sqlite import reading
    from waiaas.store import audit
    from waiaas.store.inspect import inspect

    loaded = context.load(broken_ok=True)
    gate = context.gate(loaded.layout)
    inspect(loaded.layout.database, gate).require()
    with reading(loaded.layout.database, gate) as connection:
        found = audit.page(connection, args.before, args.limit, args.type)
    import json

    rows = [
        (
            e.id,
            shown(e.timestamp),
            e.severity,
            e.event_type,
            e.actor,
            json.dumps(e.details, ensure_ascii=False),
        )
        for e in found
    ]
    header = ("id", "time", "severity", "event", "actor", "details")
    return Result([camel_case(e) for e in found], table(header, rows) or "nothing recorded")
