"""What a daemon that serves has written down about itself, in daemon.json: a description, never a proof.

A run reads there how it was started, so that the next one is started alike, whatever shell, timer or
recovery the run comes from. It belongs to the daemon's user, as the next daemon does (UPGR-14).
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

from waiaas.core.errors import WaiaasError
from waiaas.core.journal import Facts
from waiaas.core.settings import DaemonSettings, parse, variables
from waiaas.core.value import fields, replace
from waiaas.core.words import PORT_TAKEN
from waiaas.host.owner import acting_as
from waiaas.host.port import taken
from waiaas.host.records import rightful_holder
from waiaas.upgrade.transaction import Run

MAX_DESCRIPTION = 65536  # bytes of daemon.json
OFFLINE, ENVIRONMENT = "offline", "environment"  # there, and in the facts of the step that stops it
BACKGROUND, FOREGROUND = "background", "foreground"
OF_THE_RUN = "WAIAAS_UPGRADE_"  # settings of this section are those of the run, where it has any
FILES = {  # what may be another one, and what to do then: never a command with a path that is told there
    "program": ("its program", "upgrade that program, or stop its daemon first"),
    "config": (
        "the file of its settings",
        "give this command the same --config, or `waiaas restart` first",
    ),
    "database": ("its database", "give this command the same [database] path, or `waiaas restart` first"),
}


def described(run: Run) -> Facts:
    """daemon.json as it is. Raises OSError, `WaiaasError`."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    with acting_as(run.owner):
        descriptor = os.open(run.layout.daemon_json, flags)
    with os.fdopen(descriptor, "rb") as stream:
        content = stream.read(MAX_DESCRIPTION) or b""
    try:
        known = json.loads(content)
    except (ValueError, RecursionError) as problem:
        raise undescribed() from problem
    if not isinstance(known, dict):
        raise undescribed()
    return known


def undescribed() -> WaiaasError:
    return WaiaasError("unhealthy", "its daemon.json is not what a daemon writes")


def how(run: Run) -> Facts:
    """How the daemon that serves was started: offline or not, by somebody who keeps it in the foreground or
    not, and its settings of the environment."""
    known = _known(run)
    kept = {OFFLINE: known.get(OFFLINE) is True, FOREGROUND: known.get(BACKGROUND) is False}
    return {**kept, ENVIRONMENT: _environment(known)}


def alike(run: Run, facts: Facts) -> tuple[list[str], dict[str, str]]:
    """Options and environment with which the next daemon is started as that one was. What this run has in
    its own environment besides, or of the section [upgrade], is left to it."""
    given = run.host.environ
    kept = {
        name: value
        for name, value in facts.get(ENVIRONMENT, {}).items()
        if not (name.startswith(OF_THE_RUN) and name in given)
    }
    return ["--offline"] if facts.get(OFFLINE) else [], kept


def daemon_settings(run: Run, environment: Facts) -> DaemonSettings:
    """Those of this run, but where that environment of the daemon's has its own."""
    told = parse(None, environment, {}, lenient=True)
    own = {key for key, origin in told.origins.items() if origin == "environment"}
    names = [f.name for f in fields(DaemonSettings) if f"daemon.{f.name}" in own]
    return replace(run.settings.daemon, **{name: getattr(told.settings.daemon, name) for name in names})


def findings(run: Run) -> Iterator[tuple[str, str]]:
    """What stands against a restart of the daemon that serves, for the preflight: this command sees other
    files than it does, or somebody has the address that it would come back to."""
    known = _known(run)
    for name, (what, hint) in FILES.items():
        ours = run.program.program if name == "program" else getattr(run.layout, name)
        there = str(known.get(name) or "")
        if there and there.isprintable() and _another(there, str(ours)):
            yield f"the daemon that runs was started otherwise: {what} is {there}, and not {ours}", hint
    wanted, port = daemon_settings(run, _environment(known)), known.get("port")
    moves = isinstance(port, int) and wanted.port not in (0, port)
    if moves and taken(wanted.hostname, wanted.port):
        yield (
            f"{PORT_TAKEN} {wanted.hostname}:{wanted.port}, where the daemon would come back",
            "stop it, or choose another port: waiaas config set daemon.port PORT",
        )


def _another(there: str, here: str) -> bool:
    """False also where it cannot be told: the daemon may live in a view of the file system of its own."""
    try:
        return not Path(there).samefile(here)
    except FileNotFoundError:
        return os.path.exists(there)  # noqa: PTH110 - no error where a folder is closed to us
    except OSError:
        return False


def _known(run: Run) -> Facts:
    """Of the daemon that runs; one that was killed leaves its description behind."""
    uid = run.owner.uid if run.owner else None
    try:
        known = described(run)
        return known if known.get("pid") == rightful_holder(run.layout.daemon_lock, uid) else {}
    except (OSError, WaiaasError):
        return {}


def _environment(known: Facts) -> dict[str, str]:
    """Nothing, where no daemon could have started with it."""
    told = known.get(ENVIRONMENT)
    found = variables(told) if isinstance(told, dict) else {}
    return {} if parse(None, found, {}, lenient=True).problems else found
