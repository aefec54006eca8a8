"""`waiaas kill-switch on|off|status`: stops everything that acts, with the daemon up or down."""

from waiaas.cli.output import Result
from waiaas.core.errors import Busy

TYPE_CHECKING = False  # importing `typing` is one of the things that every command saves (PRF-3)
if TYPE_CHECKING:
    import argparse

    from waiaas.cli.context import Context, Loaded

ACTOR = "cli"


def run(args: "argparse.Namespace", context: "Context") -> Result:
    loaded = context.load(broken_ok=True)
    state = (
        _look(context, loaded) if args.action == "status" else _switch(context, loaded, args.action == "on")
    )
    on = state != "ACTIVE"
    return Result({"on": on, "state": state}, f"the kill switch is {f'ON ({state})' if on else 'off'}")


def _look(context: "Context", loaded: "Loaded") -> str:
    from waiaas.host.sqlite import reading
    from waiaas.store import killswitch
    from waiaas.store.inspect import inspect

    inspect(loaded.layout.database, context.gate(loaded.layout)).require()
    with reading(loaded.layout.database, context.gate(loaded.layout)) as connection:
        return killswitch.state(connection)


def _switch(context: "Context", loaded: "Loaded", on: bool) -> str:
    """Straight into the database, audited: it must work when nothing else does. Only throwing the
    switch is carried over a roll-back, so allowing waits for the end of a run (UPGR-07)."""
    from waiaas.host.records import holder
    from waiaas.host.sqlite import writing
    from waiaas.store import switching
    from waiaas.store.inspect import inspect

    layout = loaded.layout
    inspect(layout.database, context.gate(layout)).require()
    with writing(layout.database, context.gate(layout)) as connection:
        moving = layout.database.stat().st_nlink > 1
        if holder(layout.run_lock) is not None and (moving or not on):
            raise Busy(
                "upgrade-running",
                "an upgrade is at work, and what is written now could be lost with it",
                "try again in a moment; `waiaas status` shows the upgrade",
            )
        return switching.switch(connection, on, ACTOR, context.host.clock.seconds())
