"""A run at work in this very moment: who stopped the daemon beside it would undo a good upgrade (UPGR-08)."""

from contextlib import suppress

from waiaas.cli.context import Context, Loaded
from waiaas.cli.running import running
from waiaas.core.errors import Busy, WaiaasError
from waiaas.host.locks import holder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from waiaas.core.journal import OpenRun


def refuse_beside_a_run(context: Context, loaded: Loaded) -> None:
    """Raises `Busy` while another process holds the run's lock of this data directory. A run whose
    supervisor is dead is none, nor is one that the daemon itself finishes."""
    pid = None
    with suppress(OSError):
        pid = holder(loaded.layout.run_lock)
    if pid is None or pid == running(loaded.layout):
        return
    words = [f"pid {pid or 'unknown'}"]
    what, undo = "an upgrade", "`waiaas upgrade --rollback`"
    state = _open_run(context)
    if state is not None and state.plan.get("dataDir") == str(loaded.layout.data_dir):
        if state.plan.get("kind") == "rollback":
            what, undo = "a roll-back", "`waiaas upgrade`"
        words.append(f"{state.plan.get('from')} → {state.plan.get('to')}")
        words += [f"step {state.steps[-1].name}"] if state.steps else []
    raise Busy(
        "upgrade-running",
        f"{what} is running ({', '.join(words)}); nothing was changed",
        f"wait for it, {context.again('status')} shows it; {undo} takes it back afterwards",
    )


def _open_run(context: Context) -> "OpenRun | None":
    if context.program is None:
        return None
    from waiaas.upgrade.book import open_run

    with suppress(OSError, WaiaasError):
        return open_run(context.program)
    return None
