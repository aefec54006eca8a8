"""`waiaas audit`: who did what, newest first."""

from waiaas.cli.output import Result
from waiaas.cli.table import camel_case, table
from waiaas.host.clock import shown

TYPE_CHECKING = False  # importing `typing` is one of the things that every command saves (PRF-3)
if TYPE_CHECKING:
    import argparse

    from waiaas.cli.context import Context


def run(args: "argparse.Namespace", context: "Context") -> Result:
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
