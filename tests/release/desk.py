"""The maker's tool at the desk of a page: in this process, with a clock that can be set."""

from datetime import datetime, timezone, tzinfo
from pathlib import Path
from types import SimpleNamespace

import pytest
from bench import artefact
from pages import Said, Step, World, steps

from tests.fakes import FakeClock
from waiaas.release import __main__ as tool

REPOSITORY = Path(__file__).parents[2]
KEYS = REPOSITORY / "docs" / "keys.md"
VERSIONS = ("1.8.0", "1.9.0", "1.9.1")
MACHINES = ("maker", "solo", "half")  # those that have artefacts
STORY = ("Setting up with three holders", "A release in parts", "A withdrawal within minutes", "Every day")


class Desk:
    """Runs the tool as somebody. `clock` is that of the tool, and of the library's client in it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = self.clock = FakeClock()

        class Now(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
                return datetime.fromtimestamp(clock.time, tz)

        theirs = SimpleNamespace(datetime=Now, timezone=timezone)
        monkeypatch.setattr("tuf.ngclient._internal.trusted_metadata_set.datetime", theirs)
        self._monkeypatch = monkeypatch
        self._lines: list[str] = []
        monkeypatch.setattr(tool, "Clock", lambda: self.clock)
        monkeypatch.setattr(tool, "_say", self._lines.append)
        monkeypatch.setattr(tool, "_remark", self._lines.append)

    def __call__(self, argv: list[str], folder: Path, passphrase: str) -> Said:
        tool._passphrase.cache_clear()
        self._lines.clear()
        self._monkeypatch.setenv(tool.PASSPHRASE, passphrase)
        self._monkeypatch.chdir(folder)
        try:
            code = int(tool.main(argv))
        finally:
            self._monkeypatch.chdir(REPOSITORY)
        return Said(code, [part for line in self._lines for part in line.splitlines()])


def after_the_story(folder: Path, desk: Desk) -> World:
    """Three holders, 1.8.0 public, 1.9.0 withdrawn; `public/` holds the public halves."""
    made = world(folder, desk)
    for heading in STORY:
        made.follow(KEYS, page()[heading])
    return made


def world(folder: Path, desk: Desk) -> World:
    """The machines of docs/keys.md before anybody has typed anything; artefacts are built."""
    made = World(folder, desk)
    for who in MACHINES:
        (made.machine(who) / "dist").mkdir()
        for version in VERSIONS:
            artefact(made.machine(who) / "dist", version)
    return made


def page() -> dict[str, list[Step]]:
    return steps(KEYS)
