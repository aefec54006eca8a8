"""`waiaas stop`."""

import argparse

from waiaas.cli import rights, running, service
from waiaas.cli.context import Context
from waiaas.cli.output import Result


def arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments but the global ones."""


def run(args: argparse.Namespace, context: Context) -> Result:
    """Works whatever is wrong with the settings. Not running: exit 3."""
    with rights.reading(context):
        loaded = context.load(broken_ok=True, unreadable_ok=True)
    unit = service.of(context, loaded)
    if through := service.stop(context, unit):
        return through
    rights.become_owner(context)
    pid = running.stop(context, loaded)
    again = f"; `sudo systemctl start {unit.name}` starts it again" if unit else ""
    return Result({"stopped": True, "pid": pid}, f"stopped (pid {pid}){again}")
