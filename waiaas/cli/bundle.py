"""`waiaas bundle create|show|verify`: carry a release to where there is no network (BNDL-1)."""

from waiaas.cli.output import Result

TYPE_CHECKING = False  # importing `typing` is one of the things that every command saves (PRF-3)
if TYPE_CHECKING:
    import argparse

    from waiaas.cli.context import Context


def run(args: "argparse.Namespace", context: "Context") -> Result:
    from waiaas.cli import bundle_work as work

    loaded = context.load()
    match args.action:
        case "create":
            return work.create(args, context, loaded)
        case "show":
            return work.show(context, args.file)
    return work.verify(context, loaded, args.file)
