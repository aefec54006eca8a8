"""systemd, asked from outside: which service runs a process, and starting and stopping that service.

Believed is what the kernel says (the cgroup of a process) and what the manager says of its own units.
Nothing is taken from what a daemon wrote down (UPGR-14). Only the system's manager is asked, never a
user's own (`systemctl --user`).
"""

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from waiaas.core.errors import TimedOut, WaiaasError
from waiaas.core.value import frozen
from waiaas.host.holder import lock_holder
from waiaas.host.processes import Processes

BOOTED = Path("/run/systemd/system")  # sd_booted(3)
UNITS = ("waiaas.service", "waiaas@*.service")  # where a daemon that does not run is looked for
ASKED = "Id,LoadState,ActiveState,MainPID,InvocationID,ExecMainStatus,KillMode,Environment,ExecStart"
FLAG, VARIABLE = "--data-dir", "WAIAAS_DATA_DIR"  # how ExecStart= and Environment= name the data directory
ANSWER = 10.0  # seconds for a question
STOPPING = 3600.0  # seconds; the unit's own TimeoutStopSec= ends it long before
HIERARCHIES = ("", "name=systemd")  # proc_pid_cgroup(5): version 2, and systemd's own of version 1
WORDS = re.compile(r"argv\[\]=(.*?) ; ")  # of ExecStart=, as `systemctl show` writes it
LINES = "20"  # of the journal, that an error looks at


@frozen
class Unit:
    """A service as its manager describes it. `state` is active, activating, failed, inactive, …; `words`
    are those of its ExecStart= and its Environment=."""

    name: str
    state: str
    main_pid: int
    invocation: str
    exit_status: int
    kill_mode: str
    words: tuple[str, ...]

    @property
    def ends_all(self) -> bool:
        """Whatever was started in it ends with it (systemd.kill(5))."""
        return self.kill_mode in ("control-group", "mixed")

    @property
    def wanted(self) -> bool:
        """It runs, or is about to: an automatic restart counts."""
        return self.state not in ("inactive", "failed")

    @property
    def data_dir(self) -> str | None:
        """All links resolved; None where neither ExecStart= nor Environment= names one."""
        for word, after in zip(self.words, (*self.words[1:], ""), strict=True):
            name, _, value = word.partition("=")
            path = after if word == FLAG else value if name in (FLAG, VARIABLE) else ""
            if path:
                return os.path.realpath(path)
        return None

    def runs(self, program: Path) -> bool:
        return any(os.path.realpath(word) == str(program) for word in self.words if word.startswith("/"))


def daemon_unit(processes: Processes, lock: Path, data_dir: Path, uid: int | None = None) -> Unit | None:
    """The service that runs the daemon which holds `lock`, else the one that would run it; None where it
    runs, or would run, by itself. Never call it in the process that holds the lock.
    `uid`: see `lock_holder`."""
    found = lock_holder(lock, uid)
    if found is None:
        return find(processes, data_dir)
    found.close()
    return unit_of(processes, found.pid)


def unit_of(processes: Processes, pid: int) -> Unit | None:
    """The service whose main process is `pid`; None for anybody else's child, whatever cgroup it is in."""
    name = service_of(f"/proc/{pid}/cgroup")
    unit = look(processes, name) if name else None
    return unit if unit is not None and unit.main_pid == pid else None


def service_of(told: str = "/proc/self/cgroup") -> str | None:
    """The innermost service in whose cgroup a process is: our own, unless told otherwise."""
    try:
        return service_in(Path(told).read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None


def ending_service(processes: Processes) -> Unit | None:
    """The service that we run in, where it ends all that is started there; None in a scope, a login session
    say, and where only the main process is ended, as `cron.service` does."""
    name = service_of()
    unit = look(processes, name) if name else None
    return unit if unit is not None and unit.ends_all else None


def find(processes: Processes, data_dir: Path) -> Unit | None:
    """The service that would run the daemon of this data directory; by name, so that one of another name
    is known only while it runs."""
    return next((unit for unit in _ask(processes, *UNITS) if unit.data_dir == str(data_dir)), None)


def service_data_dir(processes: Processes) -> str | None:
    """The data directory that the installed service names; None where there is no such service."""
    return next((unit.data_dir for unit in _ask(processes, UNITS[0])), None)


def look(processes: Processes, name: str) -> Unit | None:
    """What the manager says of one unit; None where there is no such unit or no manager."""
    return next(_ask(processes, name), None)


def start(processes: Processes, name: str, seconds: float) -> None:
    """Start it and wait until it has said that it is ready. Raises "daemon-ended" in the daemon's own
    words, or TimedOut; it may be starting again by itself then."""
    processes.run(["systemctl", "reset-failed", name], ANSWER)  # or its start limit would refuse
    done = processes.run(["systemctl", "start", name], seconds)
    if done.code == -9:
        raise TimedOut("not-ready", f"{name} was not ready within {seconds:g} s", f"journalctl -u {name}")
    if done.code != 0:
        raise _ended(processes, name)


def stop(processes: Processes, name: str) -> None:
    """Stop it and call off its automatic restart; it may be started again at once. Raises "unit-stays"."""
    done = processes.run(["systemctl", "stop", name], STOPPING)
    if done.code != 0:
        said = (done.stderr.strip().splitlines() or ["systemctl gave up"])[0]
        raise WaiaasError("unit-stays", f"{name} did not stop: {said}", f"systemctl status {name}")
    processes.run(["systemctl", "reset-failed", name], ANSWER)


def _ended(processes: Processes, name: str) -> WaiaasError:
    unit = look(processes, name)
    if unit is None:
        return WaiaasError("no-unit", f"there is no unit {name} any more", "systemctl daemon-reload")
    match = f"_SYSTEMD_INVOCATION_ID={unit.invocation}"
    words = ["journalctl", "--quiet", "--no-pager", "--output=cat", f"--lines={LINES}", match]
    from waiaas.host.launch import ended

    said = processes.run(words, ANSWER).stdout if unit.invocation else ""
    return ended(unit.exit_status, said.strip().splitlines())


def _ask(processes: Processes, *names: str) -> Iterator[Unit]:
    if not BOOTED.is_dir():
        return
    try:
        done = processes.run(["systemctl", "show", f"--property={ASKED}", *names], ANSWER)
    except OSError:
        return
    yield from described(done.stdout)


def described(text: str) -> Iterator[Unit]:
    """The units in the answer of `systemctl show`, but those that do not exist."""
    for block in text.split("\n\n"):
        told = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if told.get("LoadState") == "loaded":
            yield _unit(told)


def _unit(told: dict[str, str]) -> Unit:
    try:
        environment = shlex.split(told.get("Environment", ""))
    except ValueError:
        environment = []
    words = [word for argv in WORDS.findall(told.get("ExecStart", "")) for word in argv.split()]
    return Unit(
        told.get("Id", ""),
        told.get("ActiveState", ""),
        int(told.get("MainPID") or 0),
        told.get("InvocationID", ""),
        int(told.get("ExecMainStatus") or 0),
        told.get("KillMode", ""),
        (*words, *environment),
    )


def service_in(text: str) -> str | None:
    """The innermost service in a proc_pid_cgroup(5), unless a scope lies in it: of a user's manager, say."""
    for line in text.splitlines():
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        names = path.split("/")
        units = [name for name in names if name.endswith((".service", ".scope"))]
        if controllers in HIERARCHIES and units and ".." not in names:  # "..": outside of our namespace
            return units[-1] if units[-1].endswith(".service") else None
    return None
