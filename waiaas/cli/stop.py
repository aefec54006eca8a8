"""`waiaas stop`."""

from waiaas.cli import rights, service, stopping, unit
from waiaas.cli.output import Result
from waiaas.cli.underway import refuse_beside_a_run

TYPE_CHECKING = False  # see `commands.py`
if TYPE_CHECKING:
    from waiaas.cli.context import Context


def run(_args: object, context: "Context") -> Result:
    """Works whatever is wrong with the settings. Not running: exit 3; beside an upgrade: exit 75."""
    with rights.reading(context):
        loaded = context.load(broken_ok=True, unreadable_ok=True)
        refuse_beside_a_run(context, loaded)
    by = unit.of(context, loaded)
    if through := service.stop(context, by):
        return through
    rights.become_owner(context)
    pid = stopping.stop(context, loaded)
    again = f"; `sudo systemctl start {by.name}` starts it again" if by else ""
    return Result({"stopped": True, "pid": pid}, f"stopped (pid {pid}){again}")
