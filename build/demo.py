"""`make demo`: the main job on the embedded defaults, with real parts, in a temporary folder.

Builds two signed versions, publishes both to a local feed, starts the daemon, upgrades it, shows
its health before and after, rolls back, and leaves nothing running.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
NEXT = "1.8.1"


class Demo:
    """The bench: a folder that goes away, and an environment without a HOME."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = folder / "bin" / "waiaas"
        self.environ = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "WAIAAS_DATA_DIR": str(folder / "data"),
            "WAIAAS_DAEMON_PORT": "0",
            "WAIAAS_UPGRADE_PROBATION": "2",
            "WAIAAS_UPGRADE_MODE": "self",
        }

    def run(self) -> None:
        """The whole story, in order."""
        self._title("1. keys, two signed versions, a feed")
        self._maker("keys", "--dir", "keys", "--plain")
        self._build()
        self._build("--version", NEXT)
        self._maker("publish", "--feed", "feed", "--keys", "keys", *self._artefacts())
        self._title("2. install: copy one file")
        self.program.parent.mkdir()
        self.program.write_bytes(Path(self._artefacts()[0]).read_bytes())
        self.program.chmod(0o755)
        self._waiaas("init")
        self._title("3. run")
        self._waiaas("start", "--detach")
        try:
            self._waiaas("health")
            self._title("4. upgrade")
            self._waiaas("upgrade", "--check")
            self._waiaas("upgrade")
            self._waiaas("health")
            self._title("5. roll back")
            self._waiaas("upgrade", "--rollback")
            self._waiaas("health")
            self._waiaas("upgrade", "--history")
        finally:
            self._title("6. stop")
            self._waiaas("stop")

    def _build(self, *more: str) -> None:
        feed = (self.folder / "feed").as_uri()
        self._maker("build", "--root", "keys/root.json", "--feed-url", feed, "-o", "dist", *more)

    def _artefacts(self) -> list[str]:
        return [str(path) for path in sorted((self.folder / "dist").glob("*.pyz"))]

    def _maker(self, *arguments: str) -> None:
        self._show("python -m waiaas.release", arguments)
        argv = [sys.executable, "-m", "waiaas.release", *arguments]
        subprocess.run(argv, cwd=self.folder, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, check=True)

    def _waiaas(self, *arguments: str) -> None:
        self._show("waiaas", arguments)
        subprocess.run([str(self.program), *arguments], cwd=self.folder, env=self.environ, check=True)

    def _show(self, program: str, arguments: tuple[str, ...]) -> None:
        words = " ".join(arguments).replace(f"{self.folder}/", "")
        print(f"\n$ {program} {words}", flush=True)

    def _title(self, text: str) -> None:
        print(f"\n\x1b[1m{text}\x1b[0m" if sys.stdout.isatty() else f"\n=== {text}", flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="waiaas-demo-") as name:
        Demo(Path(name)).run()
    print("\nThe demo is over; nothing is left running.")
