"""`waiaas restart`: stop, then start in the background."""

import argparse

from waiaas.cli import rights, running, service, stopping
from waiaas.cli.output import Result
from waiaas.cli.underway import refuse_beside_a_run

TYPE_CHECKING = False  # see `commands.py`
if TYPE_CHECKING:
    from waiaas.cli.context import Context


def run(_args: object, context: "Context") -> Result:
    """Settings are read before anything is stopped: a daemon that could not start again stays up."""
    from waiaas.cli import start

    loaded = rights.load(context)
    with rights.reading(context):
        refuse_beside_a_run(context, loaded)
    if through := service.restart(context, loaded):
        return through
    rights.become_owner(context)
    if running.running(loaded.layout) is not None:
        stopping.stop(context, loaded)
    return start.run(argparse.Namespace(detach=True, init=False, background=False), context)
