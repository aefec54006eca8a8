"""`waiaas restart`: stop, then start in the background."""

import argparse

from waiaas.cli import rights, running, service, stopping
from waiaas.cli.output import Result
from waiaas.cli.underway import refuse_beside_a_run
from waiaas.core.errors import WaiaasError
from waiaas.core.words import PORT_TAKEN
from waiaas.host.port import taken

TYPE_CHECKING = False  # see `commands.py`
if TYPE_CHECKING:
    from waiaas.cli.context import Context, Loaded


def _refuse_taken_address(loaded: "Loaded") -> None:
    """Raises "port-in-use" where another program has the address that the daemon would move to."""
    daemon = loaded.settings.daemon
    moves = daemon.port not in (0, running.known(loaded.layout).get("port"))
    if moves and taken(daemon.hostname, daemon.port):
        raise WaiaasError(
            "port-in-use",
            f"{PORT_TAKEN} {daemon.hostname}:{daemon.port}; the daemon was not stopped",
            "stop it, or choose another port: waiaas config set daemon.port PORT",
        )


def _by_others(context: "Context", loaded: "Loaded") -> Result | None:
    """Who kept it in the foreground (runit, launchd, a loop) starts it again himself: how that one is, once
    it is ready. None: nobody does."""
    from waiaas.cli.start import told
    from waiaas.upgrade.daemon import GLANCE, OTHERS

    clock, layout = context.host.clock, loaded.layout

    def ready() -> bool:
        pid = running.running(layout)
        return pid is not None and running.known(layout).get("pid") == pid

    begun = clock.until(lambda: running.running(layout), OTHERS, GLANCE)
    if begun and clock.until(ready, loaded.settings.upgrade.health_timeout, GLANCE):
        return told(running.known(layout))
    return None


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
        _refuse_taken_address(loaded)
        kept = running.known(loaded.layout).get("background") is False
        stopping.stop(context, loaded)
        if kept and (theirs := _by_others(context, loaded)):
            return theirs
    return start.run(argparse.Namespace(detach=True, init=False, background=False), context)
