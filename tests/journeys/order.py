"""Whether a run kept to the order that a power cut cannot break (UPGR-06, 12).

`violations` replays the acts of a trace and says, in sentences, where one came too early:

1  a name is only given to bytes that were fsynced after their last write
2  a name that matters is durable (its folder fsynced) before the journal goes on
3  an event of the journal is durable before anything else is done, and a step acts under its own; “done”
   announces nothing and may wait for the next event
4  the program's name always leads to a program: never removed, moved away, or opened for writing
5  what the program's or the database's name led to has a durable slot or backup before it is replaced
   (on the way back the new version may go)
6  the database file of the beginning is never opened for writing while the run is open
7  the history has the run before the journal goes
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.journeys.trace import Act, Tree

EVENT = re.compile(r'"event": "(\w+)"')
STEP = re.compile(r'"step": "(\w+)"')
FREELY = {"committed", "closed", "failed", "attempt", "undone"}  # decided, or on the way back


@dataclass(frozen=True)
class Where:
    """The names of a site that the rules speak of."""

    program: str
    data: str

    @property
    def base(self) -> str:
        return f"{Path(self.program).parent}/.waiaas"

    @property
    def journal(self) -> str:
        return f"{self.base}/journal"

    @property
    def history(self) -> str:
        return f"{self.base}/history"

    @property
    def database(self) -> str:
        return f"{self.data}/data/waiaas.db"

    def step_of(self, name: str) -> str:
        """The step that alone may give, take or replace this name while a run goes forward."""
        folder, _, last = name.rpartition("/")
        if name == self.program or (folder == self.base and (last.endswith(".pyz") or ".previous" in last)):
            return "swap"
        if name.startswith(f"{self.data}/backups/"):
            return "backup"
        if ".rehearsal" in last or (folder == self.base and "staged" in last):
            return "check"
        if name == f"{self.data}/config.toml" or ".restoring" in last:
            return "restore"
        return {f"{self.data}/daemon.lock": "stop", self.database: "migrate|restore"}.get(
            name, "migrate" if ".migrating" in last else ""
        )

    def matters(self, name: str) -> bool:
        """Names to be durable: not those of temporary files, nor TUF's cache, which `floors.json` and
        the root of trust in the program make harmless to lose."""
        inside = name.startswith((self.data + "/backups/", self.base + "/")) or name in (
            self.program,
            self.database,
            f"{self.data}/config.toml",
        )
        doomed = name.endswith((".gone", "/lock")) or "/metadata/" in name
        return inside and not doomed and not Path(name).name.startswith(".")


def violations(acts: Iterable[Act], where: Where, existing: Iterable[str]) -> list[str]:
    """What broke the order; empty for a run that kept it. `existing`: every file before the run."""
    replay = _Replay(where, Tree(existing))
    return [sentence for act in acts for sentence in replay.step(act)] + list(replay.end())


@dataclass
class _Replay:
    where: Where
    tree: Tree
    event: tuple[str, str] = ("", "")  # the newest durable event of the journal, and its step
    announced: tuple[str, str] | None = None  # written, not yet durable
    free: bool = False  # the run is decided or on its way back
    over: bool = False
    _reported: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._old_database = self.tree.file(self.where.database)

    def step(self, act: Act) -> Iterator[str]:
        yield from self._given(act)
        yield from self._journal_first(act)
        yield from self._program_stays(act)
        yield from self._replaced(act)
        yield from self._old_data(act)
        if act.path == self.where.journal:
            yield from self._journal(act)
        self.tree.apply(act)

    def end(self) -> Iterator[str]:
        yield from self._unsynced("the end")

    def _given(self, act: Act) -> Iterator[str]:
        if act.kind != "link" and not (act.kind == "rename" and self.where.matters(act.target)):
            return
        inside = self.tree.below(act.path)
        for name in inside or [act.path]:
            if self.tree.file(name).dirty:
                yield f"{act}: {name} was not fsynced after its last write"
        for name in inside:
            if name in self.tree.unsynced and self.where.matters(name):
                yield f"{act}: the name {name} inside is not durable"

    def _journal_first(self, act: Act) -> Iterator[str]:
        if act.kind in ("sync", "mkdir") or self.where.journal in (act.path, act.target):
            return
        if act.kind == "write" and not act.path.startswith((self.where.data, self.where.base)):
            return
        if self.announced is not None and self.announced[0] != "done":
            yield f"{act}: the journal's “{self.announced[0]} {self.announced[1]}” is not durable yet"
        yield from self._own_step(act)

    def _own_step(self, act: Act) -> Iterator[str]:
        changed = act.target or act.path
        used = changed == self.where.database and act.kind in ("open", "create")  # by SQLite, not replaced
        owner = "" if used or act.kind == "write" else self.where.step_of(changed)
        name, step = self.event
        if not owner or not name or self.free or (name == "intent" and step in owner.split("|")):
            return
        yield f"{act}: belongs to the step {owner}, the journal is at “{name} {step}”"

    def _program_stays(self, act: Act) -> Iterator[str]:
        if act.path == self.where.program and act.kind in ("unlink", "rename", "open", "truncate", "write"):
            yield f"{act}: the program's name must never be absent, nor its file written"

    def _replaced(self, act: Act) -> Iterator[str]:
        kept_in = {self.where.program: self.where.base, self.where.database: f"{self.where.data}/backups"}
        folder = kept_in.get(act.target)
        if act.kind != "rename" or folder is None or self.free:
            return
        names = [n for n in self.tree.file(act.target).names if n.startswith(folder + "/")]
        if not any(n not in self.tree.unsynced and not Path(n).name.startswith(".") for n in names):
            yield f"{act}: the file that has this name now has no other durable name in {folder}"

    def _old_data(self, act: Act) -> Iterator[str]:
        opened = act.kind in ("open", "truncate", "write") and not self.over
        if opened and self.tree.files.get(act.path) is self._old_database:
            yield f"{act}: the old database is opened for writing"

    def _journal(self, act: Act) -> Iterator[str]:
        if act.kind == "write":
            yield from self._unsynced(str(act))
            event, step = EVENT.search(act.text), STEP.findall(act.text)
            self.announced = (event[1] if event else "?", step[-1] if step else "")
        elif act.kind == "sync" and self.announced is not None:
            self.event, self.announced = self.announced, None
            self.free, self.over = self.free or self.event[0] in FREELY, self.event[0] == "closed"
        elif act.kind == "unlink":
            self.event, self.free, self.over = ("", ""), False, True
            if self.where.history not in self.tree.files or self.tree.files[self.where.history].dirty:
                yield f"{act}: the history does not have the run yet"

    def _unsynced(self, before: str) -> Iterator[str]:
        """Names that are not durable although the journal goes on; each is told once."""
        own = {self.where.journal}  # its folder is fsynced right after its first event
        for name in sorted(self.tree.unsynced - own - self._reported):
            if self.where.matters(name):
                self._reported.add(name)
                yield f"{before}: the name {name} is not durable"
