"""One writer at a time around the swap, while everybody wants the database (DIR-5, UPGR-12)."""

import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import cycle, islice
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.journeys.api import contents, eventually, health, request, stray
from tests.journeys.sabotage import appended
from tests.journeys.test_journey_broken import WALLET
from tests.journeys.workshop import Site, Workshop, migration_17, site

ROUNDS = int(os.environ.get("WAIAAS_GATE_ROUNDS", "20"))  # runs, every second one a roll-back
EAGER = appended("waiaas/upgrade/notice.py", "\n\nEVERY = 0\n")  # a notice is due at every command


COMMANDS = {  # what everybody runs, and how it may end: running, stopped, busy
    ("--json", "status"): {0, 3},
    ("wallets", "list"): {0, 75},
    ("--quiet", "backup", "create"): {0, 75},
}


class Crowd:
    """Two who run the same commands in an endless round, each beginning with another one."""

    def __init__(self, place: Site) -> None:
        self.place = place
        self.codes: Counter[tuple[tuple[str, ...], int]] = Counter()
        self.wrong: list[str] = []
        self.notices = 0
        self._enough = Event()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        threads = [Thread(target=self._round, args=(start,)) for start in (0, 1)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._enough.set()
            for thread in threads:
                thread.join()

    def _round(self, start: int) -> None:
        for words in islice(cycle(COMMANDS), start, None):
            if self._enough.is_set():
                return
            done = self.place.run(*words)
            self.codes[words, done.code] += 1
            self.notices += "Update available" in done.err
            if done.code not in COMMANDS[words] or "Traceback" in done.err:
                self.wrong.append(f"{words}: {done}")


@pytest.mark.timeout(60 + 12 * ROUNDS)
def test_everybody_wants_the_database_during_twenty_runs__DIR_5(workshop: Workshop, tmp_path: Path) -> None:
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
        crowd = Crowd(place)
        with crowd.at_work():
            for number in range(ROUNDS):
                words = ("--rollback",) if number % 2 else ("--to", "1.9.0")
                place.ok("upgrade", *words)
        assert crowd.wrong == []
        healthy_afterwards(place, before)
        assert all(crowd.codes[words, 0] for words in COMMANDS), crowd.codes
        assert crowd.notices, crowd.codes
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
