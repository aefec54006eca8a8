"""`waiaas doctor` where every fault is there at once: each is found, and each hint mends it (CLI-2)."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.journeys.api import eventually, health
from tests.journeys.observe import wrong
from tests.journeys.test_journey_owners import USER, _anybodys_python
from tests.journeys.test_journey_withdrawn import withdraw
from tests.journeys.workshop import Done, Feed, Site, Workshop, site


@dataclass
class Patient:
    """An installation whose commands run as a plain user: root may do everything, and misses faults."""

    site: Site
    feed: Feed
    environ: dict[str, str]

    def run(self, *arguments: str) -> Done:
        return self.shell([self.site.python, "-I", str(self.site.program), *self._where(), *arguments])

    def mend(self, hint: str) -> Done:
        """Type what the hint says; `waiaas` is this program, and there is no sudo."""
        words = f'waiaas() {{ "{self.site.python}" -I "{self.site.program}" "$@"; }}\n{hint}'
        return self.shell(["sh", "-ec", words])

    def shell(self, argv: list[str]) -> Done:
        owner = {"user": USER, "group": USER, "extra_groups": []} if os.geteuid() == 0 else {}
        environ = {**self.site.environ, **self.environ}
        done = subprocess.run(
            argv, cwd=self.site.folder, env=environ, capture_output=True, text=True, timeout=60, **owner
        )  # type: ignore[call-overload]
        return Done(done.returncode, done.stdout, done.stderr)

    def doctor(self) -> dict[str, list[dict[str, str]]]:
        return wrong(self.run("doctor", "--json").json())

    def _where(self) -> list[str]:
        return ["--data-dir", str(self.site.data)]


@pytest.fixture
def patient(workshop: Workshop, tmp_path: Path) -> Iterator[Patient]:
    """1.8.1, serving, with two backups, in a folder of that user."""
    feed = workshop.feed(tmp_path / "feed", workshop.current, workshop.patch)
    with site(tmp_path / "site", workshop.patch, feed.url) as made:
        if os.geteuid() == 0:
            made.python = _anybodys_python()
            if not made.python:
                pytest.skip("no Python >= 3.11 that another user may run")
            tmp_path.chmod(0o755)
            for path in (made.folder, *made.folder.rglob("*")):
                os.chown(path, USER, USER)
        found = Patient(made, feed, {})
        for words in (("init",), ("backup", "create"), ("backup", "create"), ("start", "--detach")):
            assert found.run(*words).code == 0
        eventually(lambda: health(made)["latestVersion"])
        yield found
    feed.close()


def _as_before(patient: Patient, path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(path, USER, USER)


def plant_settings(patient: Patient) -> None:
    config = patient.site.data / "config.toml"
    config.write_text(config.read_text() + "\n[upgrade]\nchanel = 'rc'\n")


def plant_rights(patient: Patient) -> None:
    (patient.site.data / "admin.token").chmod(0o644)


def plant_closed_program(patient: Patient) -> None:
    patient.site.program.parent.chmod(0o555)


def plant_open_program(patient: Patient) -> None:
    patient.site.program.chmod(0o777)


def plant_leftovers(patient: Patient) -> None:
    for name in (".config.toml.4194303.tmp", "data/.waiaas.db.migrating"):
        path = patient.site.data / name
        path.write_text("half")
        _as_before(patient, path)
    folder = patient.site.data / "backups/.tmp-manual-1.8.1-x"
    folder.mkdir()
    _as_before(patient, folder)


def plant_damaged_backup(patient: Patient) -> None:
    oldest = min((patient.site.data / "backups").iterdir())
    database = oldest / "waiaas.db"
    content = bytearray(database.read_bytes())
    content[-1] ^= 1
    database.write_bytes(content)


def plant_withdrawal(patient: Patient) -> None:
    """The daemon learns of it, and then nobody can ask any more."""
    withdraw(patient.feed, "1.8.1", "1.8.0")
    assert patient.run("restart").code == 0
    eventually(lambda: health(patient.site)["withdrawn"] is not None)


def plant_unreachable_feed(patient: Patient) -> None:
    patient.feed.close()


def plant_lost_root(patient: Patient) -> None:
    patient.environ["WAIAAS_UPGRADE_TRUSTED_ROOT"] = str(patient.site.folder / "no/root.json")


def plant_certificates(patient: Patient) -> None:
    patient.environ["SSL_CERT_FILE"] = str(patient.site.folder / "no.pem")


def plant_clock(patient: Patient) -> None:
    """A list of releases that was signed in a year's time: then it is our clock that is behind."""
    floors = patient.site.data / "feed/floors.json"
    known = json.loads(floors.read_text())
    floors.write_text(json.dumps({**known, "signedTime": known["signedTime"] + 365 * 86400}))


def plant_interrupted_upgrade(patient: Patient) -> None:
    argv = [
        patient.site.python,
        "-I",
        str(patient.site.program),
        *patient._where(),
        "upgrade",
        "--to",
        "1.8.0",
    ]
    owner = {"user": USER, "group": USER, "extra_groups": []} if os.geteuid() == 0 else {}
    child = subprocess.Popen(
        [*argv, "--yes"],
        env=patient.site.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **owner,
    )  # type: ignore[call-overload]
    journal = patient.site.program.parent / ".waiaas/journal"
    eventually(lambda: journal.exists() and b'"intent"' in journal.read_bytes())
    child.kill()
    child.wait()


def plant_killed_daemon(patient: Patient) -> None:
    """With rows in its write-ahead log, which lies there with its `daemon.json`."""
    pid = patient.site.daemon["pid"]
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not Path(f"/proc/{pid}/fd").exists() or not os.listdir(f"/proc/{pid}/fd"))
    assert patient.site.database.with_name("waiaas.db-wal").stat().st_size > 0


# in this order; the daemon is killed last, and the feed is away before the upgrade would look
FAULTS: dict[str, Callable[[Patient], None]] = {
    "withdrawal": plant_withdrawal,
    "upgrade": plant_interrupted_upgrade,
    "daemon": plant_killed_daemon,
    "wal": lambda _: None,  # came with the daemon's end
    "feed": plant_unreachable_feed,
    "trust": plant_lost_root,
    "tls": plant_certificates,
    "clock": plant_clock,
    "settings": plant_settings,
    "rights": plant_rights,
    "backups": plant_damaged_backup,
    "leftovers": plant_leftovers,
    "program": plant_closed_program,
}


def test_many_faults_are_all_found_in_one_run_each_with_its_hint__CLI_2(patient: Patient) -> None:
    assert patient.doctor() == {}
    for plant in FAULTS.values():
        plant(patient)
    plant_open_program(patient)
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        patient.environ["WAIAAS_DAEMON_PORT"] = str(stranger.getsockname()[1])
        found = patient.doctor()
        told = patient.run("doctor")
    assert set(found) == {*FAULTS, "port"}
    assert len(found["program"]) == 2
    assert told.code == 1
    for name, findings in found.items():
        for finding in findings:
            assert finding["hint"], finding
            assert finding["message"] in told.out or name == "clock"  # that one has the time in it
            assert f"hint: {finding['hint']}" in told.out
    count = sum(map(len, found.values()))
    assert count >= 15
    problems = sum(f["verdict"] == "problem" for findings in found.values() for f in findings)
    assert f"{problems} problems, {count - problems} warnings; " in told.out.splitlines()[-1]


def test_the_hints_mend_what_they_stand_by__CLI_2(patient: Patient) -> None:
    """Typed as they are, in the order of the findings, until nothing is wrong."""
    mendable = ("rights", "program", "leftovers", "backups", "upgrade", "daemon", "wal")
    for name in ("upgrade", "daemon", "rights", "backups", "leftovers", "program"):
        FAULTS[name](patient)
    plant_open_program(patient)
    (patient.site.data / "admin.token").unlink()
    typed = []
    while found := patient.doctor():
        name, finding = next((name, told[0]) for name, told in found.items())
        assert name in (*mendable, "token"), finding
        assert finding["hint"] not in typed, f"it did not mend anything: {finding}"
        typed.append(finding["hint"])
        done = patient.mend(finding["hint"])
        assert done.code == 0, (finding, done)
    assert len(typed) >= 6
    assert patient.run("doctor").out.startswith("Nothing is wrong (")
