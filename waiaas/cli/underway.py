"""A run at work in this very moment: who stopped the daemon beside it would undo a good upgrade (UPGR-08).
And one that is open, at work or interrupted: only what recovers may touch anything then (UPGR-06)."""

import os
from contextlib import suppress

from waiaas.cli.context import Context, Loaded
from waiaas.cli.running import running
from waiaas.core.errors import Busy, WaiaasError
from waiaas.host.locks import holder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

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


def refuse_open_run(context: Context, loaded: Loaded) -> None:
    """Raises `Busy` where a run of this data directory is open. For commands that do not recover."""
    if told := open_here(context, str(loaded.layout.data_dir)):
        raise Busy("run-open", f"{told[0]}; nothing was changed", told[1])


def open_here(context: Context, data_dir: str) -> tuple[str, str] | None:
    """The open run of this data directory, and what to do about it."""
    program = context.program
    if program is None or not os.path.lexists(program.journal):
        return None
    run = open_run(context)
    if run is None or run.get("dataDir", data_dir) != data_dir:
        return None
    status, recover = context.again("status"), context.again("upgrade --recover")
    what = f"{_article(run.get('kind'))} {run.get('from')} → {run.get('to')}"
    pid = None
    with suppress(OSError):
        pid = holder(program.lock)
    if pid is not None:
        return f"{what} is at work (pid {pid})", f"wait for it; {status} shows it"
    why = run.get("error") or f"{what} was interrupted in step {run.get('step')}"
    return str(why), f"{recover} finishes or undoes it"


def open_run(context: Context) -> "dict[str, Any] | None":
    """The run that is at work or was interrupted, as `status` and `doctor` tell it (UPGR-06)."""
    if context.program is None:
        return None
    from waiaas.upgrade.book import open_run as find

    try:
        state = find(context.program)
    except WaiaasError as problem:
        return {"run": None, "error": problem.message}
    if state is None:
        return None
    return {
        "run": state.run,
        "kind": state.plan.get("kind"),
        "from": state.plan.get("from"),
        "to": state.plan.get("to"),
        "dataDir": state.plan.get("dataDir"),
        "step": state.steps[-1].name if state.steps else None,
        "committed": state.committed,
    }


def _article(kind: object) -> str:
    return "a roll-back" if kind == "rollback" else "an upgrade"


def _open_run(context: Context) -> "OpenRun | None":
    if context.program is None:
        return None
    from waiaas.upgrade.book import open_run

    with suppress(OSError, WaiaasError):
        return open_run(context.program)
    return None
