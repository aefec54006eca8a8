"""Upgrade and roll back, over and over, under writes and random kills: no acknowledged write is lost.

Writers register wallets over HTTP and note each one that was answered with 201. The driver takes the
site up and down between its versions, kills the supervising process or the daemon at random moments
(seeded), and recovers with `start --detach`. A roll-back of program and data may undo writes, but
only those made since its upgrade, and only into the backup that it makes of the present state first.
"""

import http.client
import json
import os
import random
import signal
import subprocess
import time
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.journeys.api import eventually, reader, request, stray
from tests.journeys.chaos import processes_of
from tests.journeys.observe import unaudited
from tests.journeys.workshop import PYTHON, Feed, Site, Workshop
from tests.journeys.writers import Writers, wallets

OLD, PATCH, MINOR = "1.8.0", "1.8.1", "1.9.0"
KEEP_BACKUPS = 5
FULL_EVERY = 3  # so many cycles: one that migrates and is rolled back with its data
KILL = {"supervisor": 0.3, "daemon": 0.3}  # how often a command is disturbed
WORST = 3.0  # seconds into a command at which it may still be disturbed
PATIENCE = 60.0  # seconds for the site to settle
EXPECTED = {0, 7, 75, -signal.SIGKILL}  # done; rolled back; somebody else is at it; killed by us


@dataclass
class Report:
    """What happened; `bad` is empty when every promise was kept."""

    seed: int
    cycles: int = 0
    acknowledged: int = 0
    undone: int = 0
    lost: int = 0
    runs: int = 0
    committed: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    backups: int = 0
    slots: int = 0
    seconds: float = 0.0
    bad: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        told = [
            f"seed {self.seed}",
            f"{self.cycles} cycles in {self.seconds:.0f} s",
            f"{self.runs} runs ({self.committed} committed)",
            f"{self.kills['supervisor']} supervisors and {self.kills['daemon']} daemons killed",
            f"{self.acknowledged} acknowledged writes",
            f"{self.undone} undone by roll-backs of the data",
            f"{self.lost} lost",
            f"{self.backups} backups and {self.slots} kept programs at the end",
            f"{len(self.bad)} bad outcomes",
        ]
        return ", ".join(told)


class Soak:
    """A site between its versions."""

    def __init__(self, workshop: Workshop, folder: Path, seed: int) -> None:
        self.report = Report(seed)
        self._random = random.Random(seed)
        self.feed = Feed(workshop, folder / "feed")
        self.feed.publish(workshop.current, workshop.patch, workshop.minor)
        self.site = Site(folder / "site", workshop.current, self.feed.url)
        self.site.environ["WAIAAS_UPGRADE_KEEP_BACKUPS"] = str(KEEP_BACKUPS)
        self.site.ok("init")
        self.site.ok("start", "--detach")
        self._opened: set[str] = set()
        self._undone: set[str] = set()

    def run(self, cycles: int, seconds: float = float("inf")) -> Report:
        """So many cycles there and back, or as many as fit into `seconds`; then look at everything."""
        began = time.monotonic()
        self.writers = Writers(self.site)
        try:
            while self.report.cycles < cycles and time.monotonic() - began < seconds:
                self.report.cycles += 1
                full = self.report.cycles % FULL_EVERY == 0
                for _ in range(4):  # a killed one is tried again
                    self._command("upgrade", "--to", MINOR if full else PATCH)
                    if self._version() != OLD:
                        break
                self._there_and_back()
        finally:
            self.writers.stop()
        self.report.seconds = time.monotonic() - began
        self._look()
        return self.report

    def close(self) -> None:
        self.site.close()
        self.feed.close()

    def _there_and_back(self) -> None:
        for _ in range(4):
            version = self._version()
            if version == OLD:
                return
            if version == PATCH:
                self._command("upgrade", "--rollback", "--keep-data")
            else:
                self._command("upgrade", "--rollback")
                self._account()

    def _command(self, *words: str) -> None:
        """Run it, perhaps disturb it, and let everything settle."""
        probation = self._random.choice(("0", "0", "1"))
        argv = [PYTHON, "-I", str(self.site.program), "--data-dir", str(self.site.data), *words]
        with subprocess.Popen(
            argv,
            cwd=self.site.folder,
            env={**self.site.environ, "WAIAAS_UPGRADE_PROBATION": probation},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as running:
            self._disturb(running)
            output, _ = running.communicate(timeout=PATIENCE * 2)
        self._note_open_run()
        if running.returncode not in EXPECTED:
            self.report.bad.append(f"{' '.join(words)}: exit {running.returncode}: {output}")
        self._settle()

    def _disturb(self, running: "subprocess.Popen[str]") -> None:
        for victim, often in KILL.items():
            if self._random.random() >= often:
                continue
            try:
                running.wait(self._random.uniform(0.0, WORST))
            except subprocess.TimeoutExpired:
                self.report.kills[victim] += self._kill(victim, running)

    def _kill(self, victim: str, running: "subprocess.Popen[str]") -> int:
        self._note_open_run()
        if victim == "supervisor":
            running.kill()
            return 1
        try:
            pid = int(self.site.daemon["pid"])
            if pid in processes_of(self.site.folder):
                os.kill(pid, signal.SIGKILL)
                return 1
        except (OSError, ValueError, KeyError):
            pass
        return 0

    def _settle(self) -> None:
        """No run is open, and a healthy daemon of the installed version serves outside probation."""
        end = time.monotonic() + PATIENCE
        while not self._settled():
            done = self.site.run("start", "--detach")
            if time.monotonic() > end:
                self.report.bad.append(f"not settled: {done}")
                raise AssertionError(self.report.bad)
        self._note_open_run()

    def _settled(self) -> bool:
        if (self.site.program.parent / ".waiaas" / "journal").exists():
            return False
        try:
            status, body = request(self.site, "GET", "/health", token=False)
        except (OSError, ValueError, http.client.HTTPException):
            return False
        return status == 200 and body["version"] == self._version() and not body.get("probation")

    def _version(self) -> str:
        return self.site.ok("--version").out.split()[-1]

    def _note_open_run(self) -> None:
        journal = self.site.program.parent / ".waiaas" / "journal"
        try:
            first = json.loads(journal.read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            return
        self._opened.add(first["facts"]["run"])

    def _account(self) -> None:
        """After a roll-back with data: what left the live database is in the backup made first, and
        was not there when the undone upgrade began."""
        last = self._history()[0]
        if last["kind"] != "rollback" or last["outcome"] != "committed":
            return
        gone = self.writers.acknowledged() - self._undone - wallets(self.site.database)
        present = wallets(self._backup(last["backup"]))
        undone = next(run for run in self._history() if run["run"] == last["undoes"])
        earlier = wallets(self._backup(undone["backup"]))
        if gone - present:
            self._lost(gone - present, "neither live nor in the backup of the present state")
        if gone & earlier:
            self._lost(gone & earlier, "in the restored backup, but not live")
        self._undone |= gone

    def _backup(self, name: str) -> Path:
        return self.site.data / "backups" / name / "waiaas.db"

    def _history(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.site.json("upgrade", "--history")
        return found

    def _lost(self, addresses: set[str], why: str) -> None:
        self.report.lost += len(addresses)
        self.report.bad.append(f"{len(addresses)} acknowledged writes are {why}: {sorted(addresses)[:3]}")

    def _look(self) -> None:
        """Every promise, at the end."""
        report, acknowledged = self.report, self.writers.acknowledged()
        with suppress(AssertionError):  # told below, with all else that is wrong
            eventually(lambda: not unaudited(self.site, self._history()))
        self.site.ok("stop")
        report.acknowledged, report.undone = len(acknowledged), len(self._undone)
        if missing := acknowledged - self._undone - wallets(self.site.database):
            self._lost(missing, "not in the live database")
        with closing(reader(self.site.database)) as connection:
            sound = connection.execute("PRAGMA integrity_check").fetchall()
        if sound != [("ok",)]:
            report.bad.append(f"integrity_check: {sound[:3]}")
        self._look_at_the_books()
        self._look_around()

    def _look_at_the_books(self) -> None:
        history = self._history()
        ids = [run["run"] for run in history]
        self.report.runs = len(ids)
        self.report.committed = sum(run["outcome"] == "committed" for run in history)
        if len(ids) != len(set(ids)):
            self.report.bad.append("a run is twice in the history")
        if missing := self._opened - set(ids):
            self.report.bad.append(f"runs that the history does not have: {sorted(missing)}")
        if wrong := unaudited(self.site, history):
            self.report.bad.append(f"runs that are not in the audit log once: {wrong[:3]} of {len(wrong)}")

    def _look_around(self) -> None:
        report = self.report
        report.backups = len(self.site.json("backup", "list"))
        report.slots = len(list((self.site.program.parent / ".waiaas").glob("*.pyz")))
        hidden = [str(p.relative_to(self.site.data)) for p in self.site.data.rglob(".*")]
        if report.backups > KEEP_BACKUPS:
            report.bad.append(f"{report.backups} backups")
        if report.slots > 3:
            report.bad.append(f"{report.slots} kept programs for three versions")
        if left := stray(self.site) + hidden:
            report.bad.append(f"left behind: {left}")
        eventually(lambda: not processes_of(self.site.folder))
