"""A machine of its own: Debian with systemd as process 1, in a systemd-nspawn container.

`build/systemd.sh` gives it mount, process and cgroup namespaces and the base. What a machine writes goes
into an overlay, so that its power can be cut (every process of it gets SIGKILL at once) and it can be
booted again from what lies on its disk.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.journeys.api import eventually
from tests.journeys.workshop import Done

BASE = Path(os.environ.get("WAIAAS_BASE", "."))  # an unpacked Debian
RUN = Path(os.environ.get("WAIAAS_RUN", "."))  # the folder of this run
MACHINES = RUN / "machines"
PATIENCE = 100  # seconds for one command
ENVIRON = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LANG": "C.UTF-8"}
CGROUPS = Path("/sys/fs/cgroup")
ENTER = 'echo $$ >"$0/cgroup.procs" && exec "$@"'  # a cgroup, a command
NSPAWN = ["systemd-nspawn", "--register=no", "--keep-unit", "--quiet", "--console=pipe", "--private-network"]


def soon(check: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until that holds; each look is a process in the machine, so not without a pause."""
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, f"not so within {seconds:g} s"
        time.sleep(0.15)


class Machine:
    """`disk` is where it keeps what it wrote; `tree` is its root as we see it, also while it is off."""

    def __init__(self, base: Path, folder: Path, disk: Path | None = None) -> None:
        """`disk`: of another machine that is off; this one begins with a copy of it."""
        self.folder = folder
        self.tree, self.disk, self._work = folder / "tree", folder / "disk", folder / "work"
        self.leader = 0
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._spawned: list[subprocess.Popen[bytes]] = []
        self._cgroup = CGROUPS / folder.name  # of its own, or two machines would manage the same one
        for made in (self.tree, self._work, self._cgroup):
            made.mkdir(parents=True)
        if disk is None:
            self.disk.mkdir()
        else:
            subprocess.run(["cp", "--archive", disk, self.disk], check=True)  # with overlayfs's own xattrs
        options = f"lowerdir={base},upperdir={self.disk},workdir={self._work}"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, self.tree], check=True)

    def boot(self, *, wait: bool = True) -> None:
        """Until systemd has started everything it was told to, well or not; or only until it is at it."""
        nspawn = [*NSPAWN, f"--directory={self.tree}", f"--machine={self.folder.name}", "--boot"]
        argv = ["sh", "-c", ENTER, str(self._cgroup), *nspawn]
        with (self.folder / "console").open("ab") as console:
            self._nspawn = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        self.leader = eventually(self._first)
        eventually(lambda: Path(f"/proc/{self.leader}/root/run/systemd/private").exists())
        if wait:
            self.run("systemctl", "is-system-running", "--wait")

    def cut(self) -> None:
        """The power fails."""
        os.kill(self.leader, signal.SIGKILL)
        self._end()

    def off(self) -> None:
        """As an operator does it; nothing, if it is off."""
        if self._nspawn is not None:
            self.run("systemctl", "poweroff")
            self._end()

    def close(self) -> None:
        if self._nspawn is not None:
            self.cut()
        subprocess.run(["umount", self.tree], check=True)
        for folder, _, _ in os.walk(self._cgroup, topdown=False):
            Path(folder).rmdir()

    def run(self, *argv: str, user: str = "", **environ: str) -> Done:
        """A command in there, as from a shell of root's or of that user's."""
        enter = ["nsenter", f"--target={self.leader}", "--all", "--root", "--wd"]
        become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        words = [f"{name}={value}" for name, value in {**ENVIRON, **environ}.items()]
        done = subprocess.run(
            [*enter, "env", "-i", *words, *become, *argv], capture_output=True, text=True, timeout=PATIENCE
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def ok(self, *argv: str, user: str = "", **environ: str) -> str:
        done = self.run(*argv, user=user, **environ)
        assert done.code == 0, done
        return done.out

    def spawn(self, *argv: str, **environ: str) -> "subprocess.Popen[bytes]":
        """A command that is not waited for, and ends with the machine."""
        enter = ["nsenter", f"--target={self.leader}", "--all", "--root", "--wd"]
        words = [f"{name}={value}" for name, value in {**ENVIRON, **environ}.items()]
        command = [*enter, "env", "-i", *words, *argv]
        nowhere = subprocess.DEVNULL
        self._spawned.append(subprocess.Popen(command, stdin=nowhere, stdout=nowhere, stderr=nowhere))
        return self._spawned[-1]

    def show(self, unit: str, *properties: str) -> dict[str, str]:
        told = self.ok("systemctl", "show", f"--property={','.join(properties)}", unit)
        return dict(line.split("=", 1) for line in told.splitlines())

    def _first(self) -> int:
        """Its process 1, as we see it."""
        assert self._nspawn is not None
        assert self._nspawn.poll() is None, (self.folder / "console").read_text(errors="replace")
        children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children").read_text().split()
        found = [int(pid) for pid in children if Path(f"/proc/{pid}/comm").read_text().strip() == "systemd"]
        return found[0] if found else 0

    def _end(self) -> None:
        assert self._nspawn is not None
        for process in (self._nspawn, *self._spawned):
            process.wait(PATIENCE)
        self._nspawn, self._spawned = None, []
