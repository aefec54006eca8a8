"""The words of `waiaas start`; what it does is `start.py`."""

import argparse

from waiaas.cli.context import Context
from waiaas.cli.output import Result


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--detach", action="store_true", help="return when the daemon is healthy")
    parser.add_argument("--init", action="store_true", help="create the data directory where there is none")
    parser.add_argument("--background", action="store_true", help=argparse.SUPPRESS)


def run(args: argparse.Namespace, context: Context) -> Result:
    from waiaas.cli import start

    return start.run(args, context)
