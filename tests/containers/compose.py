"""The tree's own compose file, in a project of its own."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.containers.engine import PATIENCE, Engine, good
from tests.journeys.workshop import REPOSITORY, Done

OFTEN = """\
services:
  daemon:
    healthcheck:
      interval: 1s
"""
FILE = REPOSITORY / "docker-compose.yml"
PORT = 3100


class Project:
    """`image` is what WAIAAS_IMAGE says: the way to choose a version or a registry. Health is asked every
    second, but for a project that `waits` as an operator does."""

    def __init__(self, engine: Engine, name: str, folder: Path, *, waits: bool) -> None:
        self.engine, self.name = engine, name
        self.image = ""
        folder.mkdir()
        shutil.copy(FILE, folder)
        self._files = [folder / FILE.name]
        if not waits:
            self._files.append(folder / "often.yml")
            self._files[-1].write_text(OFTEN)

    @property
    def volume(self) -> str:
        return f"{self.name}_waiaas-data"

    def compose(self, *words: str) -> Done:
        return self.engine.call(*self._words(words), **self._environ)

    def piped(self, *words: str, given: bytes = b"") -> bytes:
        """With bytes on stdin and stdout."""
        argv = [self.engine.name, *self._words(words)]
        env = {**self.engine.environ, **self._environ}
        done = subprocess.run(argv, env=env, input=given, capture_output=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    @property
    def _environ(self) -> dict[str, str]:
        return {"WAIAAS_IMAGE": self.image} if self.image else {}

    def _words(self, words: Sequence[str]) -> list[str]:
        files = [word for file in self._files for word in ("-f", str(file))]
        return ["compose", "-p", self.name, *files, *words]

    def ok(self, *words: str) -> str:
        return good(self.compose(*words))

    def up(self, image: str = "") -> None:
        """`up -d`, and wait until it is healthy."""
        self.image = image or self.image
        self.ok("up", "-d", "--wait", "--wait-timeout", str(PATIENCE - 20))

    def waiaas(self, *words: str) -> Done:
        return self.compose("exec", "-T", "daemon", "waiaas", *words)

    def document(self, *words: str) -> Any:
        return json.loads(good(self.waiaas("--json", *words)))

    @property
    def container(self) -> str:
        """Its id; empty where there is none."""
        return self.ok("ps", "-aq", "daemon").strip()

    @property
    def data(self) -> Path:
        """Where this machine sees the volume."""
        return Path(self.engine.ok("volume", "inspect", "-f", "{{.Mountpoint}}", self.volume).strip())


@contextmanager
def project(engine: Engine, name: str, *, waits: bool = False) -> Iterator[Project]:
    made = Project(engine, name, engine.folder / name, waits=waits)
    try:
        yield made
    finally:
        made.compose("down", "-v", "-t", "5")
