"""The daemon: does it run, is it well, is its port free, and who looks after it."""

import socket
from collections.abc import Iterator, Mapping

from waiaas.cli.checks.finding import OK, PROBLEM, WARNING, Finding, Installation
from waiaas.cli.legacy import legacy_daemon_running
from waiaas.cli.unit import of as unit_of
from waiaas.core.errors import WaiaasError
from waiaas.core.health import parse
from waiaas.host import systemd
from waiaas.host.http import local_health
from waiaas.host.systemd import Unit

ASKED = "NeedDaemonReload,UnitFileState"
ANSWER = 5.0  # seconds for systemctl
TIMEOUT = 3.0  # seconds for the daemon to answer
KNOCK = 1.0  # seconds for whoever has the port


def legacy(here: Installation) -> Iterator[Finding]:
    """The previous implementation: still at work, or not yet adopted (DIR-4)."""
    context, loaded = here.context, here.loaded
    if legacy_daemon_running(context.host, loaded.layout, loaded.settings):
        hint = "stop it with its own `waiaas stop`, or with its service manager"
        yield Finding("legacy", PROBLEM, "the previous implementation still runs here", hint)
    elif loaded.legacy:
        message = "this directory of the previous implementation is not adopted yet"
        yield Finding("legacy", WARNING, message, here.again("init"))
    else:
        yield Finding("legacy", OK, "nothing of the previous implementation runs here")


def daemon(here: Installation) -> Iterator[Finding]:
    start = here.again("start --detach")
    if here.pid is not None:
        yield _health(here)
    elif here.known:
        message = f"the daemon (pid {here.known.get('pid')}) was killed, or the machine lost its power"
        yield Finding("daemon", WARNING, message, start)
    else:
        yield Finding("daemon", OK, f"not running ({start})")


def _health(here: Installation) -> Finding:
    port, private = here.known.get("port"), here.known.get("socket")
    hint = f"{here.again('restart')}  # its log is {here.loaded.layout.log}"
    if not isinstance(port, int):
        return Finding("daemon", WARNING, f"starting, or hanging (pid {here.pid})", hint)
    host = str(here.known.get("hostname") or here.loaded.settings.daemon.hostname)
    try:
        _, body = local_health(host, port, TIMEOUT, private=str(private) if private else None)
        report = parse(body)
    except WaiaasError as problem:
        return Finding("daemon", PROBLEM, f"running (pid {here.pid}), but {problem.message}", hint)
    if report.serves:
        return Finding("daemon", OK, f"running (pid {here.pid}) and healthy, version {report.version}")
    return Finding("daemon", PROBLEM, f"running (pid {here.pid}), but {report.status}", hint)


def manager(here: Installation) -> Iterator[Finding]:
    """Where systemd looks after the daemon: is its unit well, and will it start after a boot."""
    if not systemd.BOOTED.is_dir():
        yield Finding("service", OK, "no systemd looks after this machine")
        return
    unit = unit_of(here.context, here.loaded)
    if unit is None:
        yield Finding("service", OK, "no unit runs this daemon, so nothing starts it after a boot")
        return
    program = here.context.host.program.path
    done = here.context.host.processes.run(["systemctl", "show", f"--property={ASKED}", unit.name], ANSWER)
    found = list(judged(unit, dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)))
    if program is not None and not unit.runs(program):
        message = f"{unit.name} starts another program than {program}"
        found.append(Finding("service", WARNING, message, f"systemctl cat {unit.name}"))
    yield from found or [Finding("service", OK, f"{unit.name} is {unit.state}")]


def judged(unit: Unit, told: Mapping[str, str]) -> Iterator[Finding]:
    """What is wrong with a unit; `told` are the properties of `ASKED`."""
    name = unit.name
    if unit.state == "failed":
        hint = f"journalctl -u {name} -n 50  # then: sudo systemctl restart {name}"
        yield Finding("service", PROBLEM, f"{name} has failed (exit code {unit.exit_status})", hint)
    if told.get("NeedDaemonReload") == "yes":
        message = f"the file of {name} was changed, and systemd goes by the old one"
        yield Finding("service", WARNING, message, "sudo systemctl daemon-reload")
    if told.get("UnitFileState") in ("disabled", "masked", "masked-runtime"):
        verb = "unmask" if "masked" in told["UnitFileState"] else "enable"
        message = f"{name} is {told['UnitFileState']}, so it does not start after a boot"
        yield Finding("service", WARNING, message, f"sudo systemctl {verb} {name}")


def port(here: Installation) -> Iterator[Finding]:
    """Somebody else on our port: the daemon could not start."""
    settings = here.loaded.settings.daemon
    name = f"{settings.hostname}:{settings.port}"
    if here.pid is not None or not settings.port or not _answers(settings.hostname, settings.port):
        yield Finding("port", OK, f"{name} is ours" if here.pid else f"{name} is free")
        return
    hint = (
        f"{here.again('config set daemon.port 3101')}; ss -ltnp 'sport = :{settings.port}' names who has it"
    )
    yield Finding("port", PROBLEM, f"another program listens on {name}", hint)


def _answers(host: str, number: int) -> bool:
    try:
        with socket.create_connection((host, number), KNOCK):
            return True
    except OSError:
        return False
