"""The books beside the program: the journal of the open run and the history of the closed ones."""

import json
from collections.abc import Mapping
from pathlib import Path

from waiaas.core.errors import RollbackFailed, WaiaasError
from waiaas.core.layout import FOLDER, ProgramLayout

TYPE_CHECKING = False  # importing `typing` is one of the things that every command saves (PRF-3)
if TYPE_CHECKING:
    from typing import Any

    from waiaas.core.journal import Facts, OpenRun
    from waiaas.host.clock import Clock
    from waiaas.host.files import Files

BOOK_MODE = 0o644  # nothing secret is in it; the daemon's user may read it (UPGR-15)


class Book:
    """Reads and writes journal and history; the caller holds the program's lock to write."""

    def __init__(self, layout: ProgramLayout, files: "Files", clock: "Clock") -> None:
        self.layout = layout
        self._files = files
        self._clock = clock

    def open_run(self) -> "OpenRun | None":
        return open_run(self.layout)

    def write(self, name: str, step: str = "", facts: "Mapping[str, Any] | None" = None) -> None:
        """Append one event, fsynced, before the act it announces. One that only tells that a step has acted
        becomes durable with the next: without it the step is undone, true whether it acted or not."""
        from waiaas.core.journal import Event

        event = Event(name, self._clock.now(), step, facts or {})
        self._mend_torn_line()
        self._files.append(
            f"journal.{name}", self.layout.journal, event.encode(), BOOK_MODE, durable=name != "done"
        )

    def close(self, state: "OpenRun") -> "Facts":
        """Move the run from the journal into the history; true however often it is repeated."""
        from waiaas.core.journal import record

        closed = record(state)
        if closed["run"] not in {r.get("run") for r in _runs(self.layout)}:
            line = json.dumps(closed, sort_keys=True, ensure_ascii=False).encode() + b"\n"
            kept = _content(self.layout.history)
            torn = b"\n" if kept and not kept.endswith(b"\n") else b""  # else it would swallow ours
            self._files.append("history", self.layout.history, torn + line, BOOK_MODE)
        self._files.remove("journal.close", self.layout.journal)
        return closed

    def history(self) -> "list[Facts]":
        """Closed runs of this program, oldest first; a line that cannot be read is passed over."""
        return history(self.layout)

    def recent(self, number: int) -> "list[Facts]":
        """The newest closed runs of each program in this folder."""
        newest: dict[str, list[Facts]] = {}
        for run in _runs(self.layout):
            newest.setdefault(str(run.get("program")), []).append(run)
        return [run for runs in newest.values() for run in runs[-number:]]

    def _mend_torn_line(self) -> None:
        """A torn last line would swallow the next event: cut it off first."""
        content = _content(self.layout.journal)
        if content and not content.endswith(b"\n"):
            whole = content[: content.rfind(b"\n") + 1]
            self._files.write("journal.mend", self.layout.journal, whole, BOOK_MODE)


def open_run(layout: ProgramLayout) -> "OpenRun | None":
    """The run that a kill left open, or that runs right now. Raises `RollbackFailed` where the
    journal cannot be understood, or somebody else could have written it (UPGR-14). Needs no lock."""
    try:
        layout.journal.lstat()
    except FileNotFoundError:
        return None
    from waiaas.core.journal import decode, fold
    from waiaas.upgrade import guard

    guard.require(layout, RollbackFailed)
    content = _content(layout.journal)
    return fold(decode(content))


def history(layout: ProgramLayout) -> "list[Facts]":
    """Closed runs of this program: others in its folder write into the same book. Only the name tells
    them apart, so that the folder may be moved."""
    name = layout.program.name
    return [run for run in _runs(layout) if Path(str(run.get("program") or name)).name == name]


def _runs(layout: ProgramLayout) -> "list[Facts]":
    found = []
    for line in _content(layout.history).splitlines():
        try:
            document = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(document, dict):
            found.append(document)
    return found


def installed_program(path: Path) -> Path:
    """The installed program that `path` belongs to: itself, or, for a kept one (`waiaas.previous`),
    the one that the open run or the last closed one was about (UPGR-13). Raises `no-program`."""
    if path.parent.name != FOLDER:
        return path
    layout = ProgramLayout(path.parents[1] / path.name)
    state, past = open_run(layout), _runs(layout)
    told = (state.plan if state else past[-1] if past else {}).get("program")
    if not told or Path(told).parent != path.parents[1]:
        raise WaiaasError(
            "no-program",
            f"{path} is a kept program, and nothing beside it says which program it was kept for",
            "run the installed program instead",
        )
    return Path(told)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
