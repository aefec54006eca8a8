"""daemon.json tells people and monitors where the daemon is, and an upgrade how it was started; nobody is
signalled by it (DIR-2)."""

import json
import os

from waiaas import __version__
from waiaas.core.settings import variables
from waiaas.host.clock import iso

TYPE_CHECKING = False  # see `commands.py`
if TYPE_CHECKING:
    from waiaas.cli.context import Context, Loaded
    from waiaas.daemon.serve import Service


def announce(context: "Context", loaded: "Loaded", service: "Service", background: bool) -> None:
    """Once it is ready; the caller holds the daemon's lock, and removes it at its end."""
    layout, program = loaded.layout, context.program
    known = {
        "pid": os.getpid(),
        "startedAt": iso(context.host.clock.now()),
        "version": __version__,
        "hostname": loaded.settings.daemon.hostname,
        "port": service.port,
        "socket": str(service.socket_path) if service.socket_path else None,
        "offline": context.offline,
        "background": background,
        "program": str(program.program) if program else None,
        "config": str(layout.config),
        "database": str(layout.database),
        "environment": variables(context.host.environ),
    }
    context.host.files.sweep("leftover", layout.data_dir, layout.daemon_json.name)
    context.host.files.write("daemon.json", layout.daemon_json, json.dumps(known).encode())
