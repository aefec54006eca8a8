"""Somebody's installation: what was downloaded once, and nothing else. It knows its own feed."""

import json
import os
import subprocess
import sys
from pathlib import Path


class Client:
    """A program, its data, its daemon."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = folder / "bin" / "waiaas"
        self.environ = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "WAIAAS_DATA_DIR": str(folder / "data"),
            "WAIAAS_DAEMON_PORT": "0",
            "WAIAAS_UPGRADE_PROBATION": "1",
            "WAIAAS_UPGRADE_MODE": "self",
        }

    def install(self, artefact: Path) -> None:
        """Copy one file, and start."""
        self.program.parent.mkdir(parents=True)
        self.program.write_bytes(artefact.read_bytes())
        self.program.chmod(0o755)
        self._ok("init")
        self._ok("start", "--detach")

    def upgrade(self, tag: str) -> str:
        """`waiaas upgrade`, until the daemon of that version answers; what it said."""
        said = self._ok("upgrade")
        version = json.loads(self._ok("health"))["version"]
        if f"v{version}" != tag:
            sys.exit(f"rehearsal failed: the client is at {version}, not at {tag}")
        return _indented("$ waiaas upgrade", said)

    def told(self, bad: str, good: str, reason: str) -> str:
        """`waiaas upgrade --check` names the reason and the version to go to; what it said."""
        check = json.loads(self._ok("upgrade", "--check", "--json"))
        withdrawn = check["withdrawn"] or {}
        if (f"v{check['current']}", withdrawn.get("reason"), f"v{withdrawn.get('to')}") != (
            bad,
            reason,
            good,
        ):
            sys.exit(f"rehearsal failed: the client was not told: {check}")
        return _indented("$ waiaas upgrade --check", self._ok("upgrade", "--check"))

    def close(self) -> None:
        if self.program.exists():
            self._run("stop")

    def _ok(self, *arguments: str) -> str:
        done = self._run(*arguments)
        if done.returncode:
            sys.exit(f"rehearsal failed: waiaas {' '.join(arguments)}\n{done.stdout}{done.stderr}")
        return done.stdout

    def _run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(self.program), *arguments], env=self.environ, capture_output=True, text=True, check=False
        )


def _indented(command: str, said: str) -> str:
    return "\n".join(f"  {line}" for line in (command, *said.strip().splitlines()))
