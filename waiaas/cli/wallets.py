"""`waiaas wallets list|show`, read from the database, with the daemon up or down."""

from waiaas.cli.output import Result
from waiaas.cli.table import camel_case, table
from waiaas.core.errors import WaiaasError
from waiaas.host.clock import shown

TYPE_CHECKING = False  # importing `typing` is one of the things that every command saves (PRF-3)
if TYPE_CHECKING:
    import argparse

    from waiaas.cli.context import Context


def run(args: "argparse.Namespace", context: "Context") -> Result:
    from waiaas.host.sqlite import reading
    from waiaas.store import wallets
    from waiaas.store.inspect import inspect

    loaded = context.load(broken_ok=True)
    gate = context.gate(loaded.layout)
    inspect(loaded.layout.database, gate).require()
    with reading(loaded.layout.database, gate) as connection:
        if args.action == "list":
            found = wallets.listing(connection)
        else:
            one = wallets.find(connection, args.id)
            found = [one] if one else []
    if args.action == "list":
        rows = [(w.id, w.name, w.chain, w.environment, w.status, w.public_key) for w in found]
        text = table(("id", "name", "chain", "environment", "status", "public key"), rows) or "no wallets"
        return Result([camel_case(w) for w in found], text)
    if not found:
        raise WaiaasError("wallet-not-found", f"there is no wallet {args.id}", "waiaas wallets list")
    document = camel_case(found[0])
    lines = [(name, shown(v) if name.endswith("At") and v is not None else v) for name, v in document.items()]
    return Result(document, table(("wallet", args.id), lines))
