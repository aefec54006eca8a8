"""What a daemon that serves has written down about itself, in daemon.json: a description, never a proof.

A run reads there how it was started, so that the next one is started alike, whatever shell, timer or
recovery the run comes from. It belongs to the daemon's user, as the next daemon does (UPGR-14).
"""

import json
import os
from collections.abc import Iterator

from waiaas.core.errors import WaiaasError
from waiaas.core.journal import Facts
from waiaas.core.settings import DaemonSettings, parse, variables
from waiaas.core.value import fields, replace
from waiaas.core.words import PORT_TAKEN
from waiaas.host.owner import acting_as
from waiaas.host.port import taken
from waiaas.upgrade.transaction import Run

MAX_DESCRIPTION = 65536  # bytes of daemon.json
OFFLINE, ENVIRONMENT = "offline", "environment"  # there, and in the facts of the step that stops it
BACKGROUND, FOREGROUND = "background", "foreground"
OF_THE_RUN = "WAIAAS_UPGRADE_"  # settings of this section are those of the run, where it has any
FILES = {
    "program": ("its program is {there}, and not {here}", "{there} upgrade"),
    "config": ("its settings are in {there}, and not in {here}", "waiaas --config {there} upgrade"),
    "database": (
        "its database is {there}, and not {here}",
        "give this command the same [database] path; or `waiaas restart`, if it was changed on purpose",
    ),
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
    for name, (message, hint) in FILES.items():
        ours = run.program.program if name == "program" else getattr(run.layout, name)
        there, here = str(known.get(name) or ""), str(ours)
        if there and os.path.realpath(there) != os.path.realpath(here):
            paths = {"there": there, "here": here}
            told = message.format(**paths)
            yield f"the daemon that runs was started otherwise: {told}", hint.format(**paths)
    wanted = daemon_settings(run, _environment(known))
    if known and wanted.port not in (0, known.get("port")) and taken(wanted.hostname, wanted.port):
        yield (
            f"{PORT_TAKEN} {wanted.hostname}:{wanted.port}, where the daemon would come back",
            "stop it, or choose another port: waiaas config set daemon.port PORT",
        )


def _known(run: Run) -> Facts:
    try:
        return described(run)
    except (OSError, WaiaasError):
        return {}


def _environment(known: Facts) -> dict[str, str]:
    told = known.get(ENVIRONMENT)
    return variables(told) if isinstance(told, dict) else {}
