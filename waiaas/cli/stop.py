"""`waiaas stop`."""

import argparse

from waiaas.cli import running
from waiaas.cli.context import Context
from waiaas.cli.output import Result

HELP = "stop the daemon and wait until it has ended"


def arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments but the global ones."""


def run(args: argparse.Namespace, context: Context) -> Result:
    """Works whatever is wrong with the settings. Not running: exit 3."""
    loaded = context.load(broken_ok=True)
    pid = running.stop(context, loaded)
    return Result({"stopped": True, "pid": pid}, f"stopped (pid {pid})")
