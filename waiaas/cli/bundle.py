"""`waiaas bundle create|show|verify`: carry a release to where there is no network (BNDL-1)."""

import argparse
from pathlib import Path

from waiaas.cli.context import Context
from waiaas.cli.output import Result
from waiaas.cli.parser import actions


def arguments(parser: argparse.ArgumentParser) -> None:
    verbs = actions(parser)
    made = verbs.add_parser("create", help="download and verify a release and write it into one file")
    made.add_argument("--version", metavar="V", help="exactly this version (default: the newest)")
    made.add_argument("-o", "--output", metavar="FILE", required=True, help="the bundle, a .tgz file")
    shown = verbs.add_parser("show", help="say what is in a bundle, without believing it")
    shown.add_argument("file", type=Path)
    verified = verbs.add_parser("verify", help="verify a bundle as an upgrade would; changes nothing")
    verified.add_argument("file", type=Path)


def run(args: argparse.Namespace, context: Context) -> Result:
    from waiaas.cli import bundle_work as work

    loaded = context.load()
    match args.action:
        case "create":
            return work.create(args, context, loaded)
        case "show":
            return work.show(context, args.file)
    return work.verify(context, loaded, args.file)
