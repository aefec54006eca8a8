"""One writer at a time around the swap, while everybody wants the database (DIR-5, UPGR-12)."""

import json
import os
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import cycle
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.journeys.api import contents, eventually, health, request, stray
from tests.journeys.sabotage import appended
from tests.journeys.test_journey_broken import WALLET
from tests.journeys.workshop import PYTHON, Site, Workshop, migration_17, site

ROUNDS = int(os.environ.get("WAIAAS_GATE_ROUNDS", "8"))  # every second one a roll-back; chaos: 20
EAGER = appended("waiaas/upgrade/box.py", "\n\nEVERY = 0\n")  # a notice is due at every command


COMMANDS = {  # what somebody runs all the time, and how it may end: running, stopped, busy
    ("--json", "status"): {0, 3},
    ("wallets", "list"): {0, 75},
    ("--quiet", "backup", "create"): {0, 75},
}
WRITER = """
import json, sys
from collections import Counter
from pathlib import Path
from select import select

sys.path.insert(0, sys.argv[1])
from waiaas.core.errors import Busy
from waiaas.host.clock import Clock
from waiaas.host.locks import Gate, holder
from waiaas.host.sqlite import transaction, writing
from waiaas.store import audit

database, run_lock = map(Path, sys.argv[2:])
gate, ends = Gate(database.with_name(database.name + ".gate"), Clock()), Counter()
def write():
    with writing(database, gate, 0) as connection:
        if holder(run_lock) and database.stat().st_nlink > 1:
            raise Busy("upgrade-running", "a run is moving the database")
        with transaction(connection):
            audit.write(connection, "CROWD", "tests", {}, 0)

while not select([sys.stdin], [], [], 0.03)[0]:  # in bursts, so that others come to their turn
    for _ in range(30):
        try:
            write()
            ends["written"] += 1
        except Busy:
            ends["busy"] += 1
        except Exception as problem:
            ends[repr(problem)] += 1
print(json.dumps(ends))
"""


class Crowd:
    """Somebody who types one command after the other, and a writer that keeps to the rules as
    `kill-switch on` does, but without the pause that a new process needs."""

    def __init__(self, place: Site, artefact: Path) -> None:
        self.place = place
        self.artefact = artefact
        self.ends: Counter[str] = Counter()
        self.wrong: list[str] = []

    @contextmanager
    def at_work(self) -> Iterator[None]:
        enough = Event()
        thread = Thread(target=self._type, args=(enough,))
        writer = self._writer()
        thread.start()
        try:
            yield
        finally:
            enough.set()
            thread.join()
            out, err = writer.communicate("enough")
        ends = json.loads(out)
        self.ends.update(ends)
        self.wrong += [end for end in ends if end not in ("written", "busy")] + ([err] if err else [])

    def _type(self, enough: Event) -> None:
        for words in cycle(COMMANDS):
            if enough.is_set():
                return
            done = self.place.run(*words)
            self.ends[f"{' '.join(words)} {done.code}"] += 1
            if done.code not in COMMANDS[words] or "Traceback" in done.err:
                self.wrong.append(f"{words}: {done}")

    def _writer(self) -> subprocess.Popen[str]:
        """The built artefact's own code, in a process of its own."""
        words = [str(self.place.database), str(self.place.data / "upgrade.lock")]
        argv = [PYTHON, "-I", "-c", WRITER, str(self.artefact), *words]
        pipe = subprocess.PIPE
        return subprocess.Popen(argv, env=self.place.environ, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


@pytest.mark.timeout(60 + 40 * ROUNDS)
def test_everybody_wants_the_database_while_runs_follow_each_other__DIR_5(
    workshop: Workshop, tmp_path: Path
) -> None:
    """Each upgrade migrates a copy and renames it into place, each roll-back restores the old file."""
    old = workshop.build("1.8.0", EAGER, name="eager-1.8.0")
    new = workshop.build("1.9.0", {**migration_17(), **EAGER}, name="eager-1.9.0")
    feed = workshop.feed(tmp_path / "feed", old, new, workshop.build("1.9.9", migration_17()))
    with site(tmp_path / "site", old, feed.url) as place:
        place.environ.update(WAIAAS_UPGRADE_PROBATION="0")
        place.ok("init")
        place.ok("start", "--detach")
        assert request(place, "POST", "/v1/wallets", WALLET)[0] == 201
        eventually(lambda: health(place)["latestVersion"] == "1.9.9")
        before = contents(place.database)
        crowd = Crowd(place, new)
        with crowd.at_work():
            for number in range(ROUNDS):
                words = ("--rollback",) if number % 2 else ("--to", "1.9.0")
                place.ok("upgrade", *words)
        assert crowd.wrong == []
        assert "Update available" in place.run("wallets", "list").err, "nobody was given a notice to write"
        healthy_afterwards(place, before)
        assert all(crowd.ends[f"{' '.join(words)} 0"] for words in COMMANDS), crowd.ends
        assert crowd.ends["written"] > ROUNDS, crowd.ends
    feed.close()


def healthy_afterwards(place: Site, before: dict[str, list[str]]) -> None:
    assert health(place)["status"] == "ok"
    place.ok("stop")
    assert stray(place) == []
    if ROUNDS % 2 == 0:
        assert contents(place.database) == before
    for database in [place.database, *place.data.glob("backups/*/waiaas.db")]:
        with closing(sqlite3.connect(f"file:{database}?mode=ro&immutable=1", uri=True)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)], database
    assert {run["outcome"] for run in place.json("upgrade", "--history")} == {"committed"}
