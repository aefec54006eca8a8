"""Where systemd runs the daemon: what `start`, `stop`, `restart`, `status` and `upgrade` do then (UPGR-10).

Root goes through systemd. Nobody else may, so they are told the command; a daemon can always be stopped
by its own user, and run in the foreground.
"""

import os

from waiaas.cli import rights
from waiaas.cli.context import Context, Loaded
from waiaas.cli.output import SAID, Result
from waiaas.cli.running import known, running
from waiaas.cli.unit import of
from waiaas.core.errors import Busy, Exit, WaiaasError
from waiaas.host import systemd
from waiaas.host.systemd import Unit

STOPPED = "was started inside {} and would be stopped with it"
LEFT = "was started inside {}, which would end the daemon that it starts as soon as it ends itself"
ELSEWHERE = "start it from a shell or from a timer of its own (docs/operate.md, “systemd”)"
OTHERWISE = "give {} KillMode=process, or let a unit run the daemon (docs/operate.md, “systemd”)"


def start(context: Context) -> Result | None:
    """In the background, through its unit; None where there is none. Raises `Busy`, "belongs-to-unit"."""
    loaded = rights.load(context)
    unit = of(context, loaded)
    if unit is None:
        return None
    if unit.wanted:
        raise Busy(
            "locked", f"{unit.name} is {unit.state} (pid {unit.main_pid})", f"systemctl status {unit.name}"
        )
    return _start(context, loaded, unit, "start")


def restart(context: Context, loaded: Loaded) -> Result | None:
    """Through its unit, whether it runs or not; None where there is none. Raises "belongs-to-unit"."""
    unit = of(context, loaded)
    if unit is None:
        return None
    return _start(context, loaded, unit, "restart" if unit.wanted else "start")


def stop(context: Context, unit: Unit | None) -> Result | None:
    """Through its unit; None where that is not at hand, or not ours to ask."""
    if unit is None or not unit.wanted or os.geteuid() != 0:
        return None
    context.out.say(f"stopping {unit.name}")
    systemd.stop(context.host.processes, unit.name)
    return Result({"stopped": True, "pid": unit.main_pid or None}, f"stopped ({unit.name})")


def _start(context: Context, loaded: Loaded, unit: Unit, verb: str) -> Result:
    if os.geteuid() != 0:
        raise WaiaasError(
            "belongs-to-unit", f"{unit.name} runs this daemon", f"sudo systemctl {verb} {unit.name}"
        )
    stop(context, unit)
    systemd.start(context.host.processes, unit.name, loaded.settings.upgrade.health_timeout)
    with rights.reading(context):
        about = known(loaded.layout)
    found = systemd.look(context.host.processes, unit.name) or unit
    where = f"{about.get('hostname')}:{about.get('port')}"
    text = f"waiaas {about.get('version')} is running (pid {found.main_pid}, {unit.name}) on {where}"
    return Result({"pid": found.main_pid, "version": about.get("version"), "port": about.get("port")}, text)


def step_aside(context: Context, loaded: Loaded, *, starts: bool) -> Result | None:
    """An upgrade that was started inside the service's own cgroup would be stopped with the service: it
    goes on in a scope of its own, and so does one that would leave a daemon in another service, which ends
    it when it ends itself. None: neither is so, or we may not restart the service anyway.

    `starts`: a daemon that does not run will be started. Raises "inside-the-service" where the service is
    only starting or ending, or there is no way out.
    """
    surrounding = systemd.service_of()
    unit = of(context, loaded) if surrounding else None
    if unit is not None and unit.name == surrounding and os.geteuid() == 0:
        if unit.state in ("active", "reloading"):
            return _in_a_scope(context, STOPPED.format(unit.name), ELSEWHERE)
        raise _inside(STOPPED.format(unit.name), ELSEWHERE)
    if surrounding and unit is None and (left := _left_in(context, loaded, starts)):
        return _in_a_scope(context, LEFT.format(left.name), OTHERWISE.format(left.name))
    return None


def _left_in(context: Context, loaded: Loaded, starts: bool) -> Unit | None:
    """The service that the daemon would be left in, if it is not there already."""
    with rights.reading(context):
        pid = running(loaded.layout)
    unit = systemd.ending_service(context.host.processes) if pid or starts else None
    there = systemd.service_of(f"/proc/{pid}/cgroup") if pid and unit else None
    return unit if unit is not None and there != unit.name else None


def _in_a_scope(context: Context, why: str, hint: str) -> Result:
    from shutil import which

    tool = which("systemd-run", path=context.host.environ.get("PATH"))
    if tool is None or os.geteuid() != 0:
        raise _inside(why, hint)
    scope = [tool, "--quiet", "--scope", "--collect", f"--unit=waiaas-upgrade-{os.getpid()}", "--"]
    argv, descriptors = context.host.program.same_version(*context.words)
    code = context.host.processes.relay([*scope, *argv], descriptors)
    return Result(SAID, "", Exit(code) if code in tuple(Exit) else Exit.FAILED)


def _inside(why: str, hint: str) -> WaiaasError:
    return WaiaasError("inside-the-service", f"this upgrade {why}; nothing was changed", hint)
