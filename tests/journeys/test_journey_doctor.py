"""`waiaas doctor` on the built artefact: nothing on a healthy installation; on a broken one every fault
at once, each with the command that mends it, and the commands do mend it (SPEC §4, CLI-2)."""

import json
import os
import shutil
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.journeys import mounts
from tests.journeys.api import eventually, health
from tests.journeys.test_journey_owners import USER, _anybodys_python
from tests.journeys.test_journey_withdrawn import withdraw
from tests.journeys.workshop import Done, Feed, Site, Workshop, site


def wrong(found: list[dict[str, str]]) -> dict[str, list[dict[str, str]]]:
    """The findings that are none, by their check."""
    told: dict[str, list[dict[str, str]]] = {}
    for finding in found:
        assert set(finding) == {"check", "verdict", "message", "hint"}
        if finding["verdict"] != "ok":
            told.setdefault(finding["check"], []).append(finding)
    return told


def nothing_wrong(installed: Site) -> None:
    told = installed.ok("doctor")
    assert told.out.startswith("Nothing is wrong ("), told
    assert told.out.count("\n") == 1


def test_a_healthy_installation_is_one_line__CLI_2(installed: Site) -> None:
    """New, serving, with backups, upgraded, rolled back, stopped: never a false alarm."""
    nothing_wrong(installed)
    installed.ok("start", "--detach")
    eventually(lambda: health(installed)["latestVersion"])
    assert wrong(installed.json("doctor")) == {}
    installed.ok("backup", "create")
    installed.ok("upgrade")
    nothing_wrong(installed)
    installed.ok("upgrade", "--rollback")
    nothing_wrong(installed)
    installed.ok("stop")
    nothing_wrong(installed)


def test_what_is_looked_at_is_not_changed__CLI_2(installed: Site) -> None:
    """Verified metadata aside, which `upgrade --check` keeps as well."""
    installed.ok("doctor")

    def everything() -> dict[Path, Any]:
        kept = (p for p in installed.folder.rglob("*") if not {"metadata", "feed"} & set(p.parts))
        return {p: (p.stat().st_mode, p.read_bytes() if p.is_file() else b"") for p in kept}

    before = everything()
    installed.ok("doctor")
    assert everything() == before


def page(installed: Site) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{installed.daemon['port']}/", timeout=10) as answer:
        return bytes(answer.read())


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


def test_a_database_that_is_damaged_missing_or_of_a_newer_version_is_a_problem__CLI_2(
    installed: Site,
) -> None:
    import sqlite3
    from contextlib import closing

    installed.ok("backup", "create")
    good = installed.database.read_bytes()
    installed.database.write_bytes(good[: len(good) // 2])
    (damaged,) = wrong(installed.run("--json", "doctor").json())["database"]
    assert damaged["verdict"] == "problem"
    assert "waiaas backup list" in damaged["hint"]
    installed.database.unlink()
    (missing,) = wrong(installed.run("--json", "doctor").json())["database"]
    assert "there is no database" in missing["message"]
    installed.database.write_bytes(good)
    with closing(sqlite3.connect(installed.database)) as connection:
        connection.execute("INSERT INTO schema_version VALUES (62, 1, 'far ahead')")
        connection.commit()
    (newer,) = wrong(installed.run("--json", "doctor").json())["database"]
    assert "waiaas upgrade" in newer["hint"]
    installed.database.write_bytes(good)


def test_a_config_that_nobody_can_read_hides_nothing_else__CLI_2(installed: Site) -> None:
    (installed.data / "config.toml").write_bytes(b"[daemon]\nport = \xff\n")
    (installed.data / "admin.token").chmod(0o644)
    found = wrong(installed.run("--json", "doctor").json())
    assert set(found) == {"settings", "rights"}
    assert "line 2" in found["settings"][0]["message"]
    assert installed.run("status").code == 3


def test_a_daemon_that_hangs_is_a_problem_with_the_way_out__CLI_2(installed: Site) -> None:
    installed.ok("start", "--detach")
    pid = installed.daemon["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        (told,) = wrong(installed.run("--json", "doctor", "--offline").json())["daemon"]
    finally:
        os.kill(pid, signal.SIGCONT)
    assert f"running (pid {pid}), but" in told["message"]
    assert "waiaas restart" in told["hint"]
    nothing_wrong(installed)


def test_a_program_replaced_by_hand_serves_only_after_a_restart__CLI_2(
    workshop: Workshop, installed: Site
) -> None:
    installed.ok("start", "--detach")
    new = installed.program.with_name("new")
    shutil.copyfile(workshop.patch, new)
    new.chmod(0o755)
    new.rename(installed.program)
    assert b"WAIaaS <small>1.8.0" in page(installed)  # imported from the old file, which has no name now
    (told,) = wrong(installed.json("doctor"))["version"]
    assert told["message"] == "the daemon is 1.8.0, the program 1.8.1"
    installed.ok("restart")
    nothing_wrong(installed)


def test_what_a_roll_back_would_need_is_missed__CLI_2(installed: Site) -> None:
    installed.ok("upgrade", "--no-start")
    (kept,) = installed.json("backup", "list")
    shutil.rmtree(kept["path"])
    (told,) = wrong(installed.json("doctor"))["rollback"]
    assert kept["id"] in told["message"]


def test_a_disk_that_is_nearly_full_or_read_only_is_told__CLI_2(installed: Site) -> None:
    with mounts.private():
        mounts.over(installed.data, 40 << 20)
        (full,) = wrong(installed.json("doctor", "--offline"))["disk"]
        assert (full["verdict"], "waiaas backup prune" in full["hint"]) == ("warning", True)
        balloon = mounts.Balloon(installed.data, 1 << 20)
        (full,) = wrong(installed.run("--json", "doctor", "--offline").json())["disk"]
        assert (full["verdict"], f"for {installed.data};" in full["message"]) == ("problem", True)
        balloon.burst()
        mounts.read_only(installed.data)
        (closed,) = wrong(installed.run("--json", "doctor", "--offline").json())["rights"]
        assert f"findmnt -T {installed.data}" in closed["hint"]


def test_without_the_network_the_feed_is_not_asked__CLI_6(installed: Site, feed: Feed) -> None:
    feed.requests.clear()
    nothing = installed.ok("doctor", "--offline")
    assert nothing.out.startswith("Nothing is wrong")
    assert feed.requests == []
    assert "was not asked (--offline)" in installed.ok("doctor", "-v", "--offline").out


def test_the_old_daemon_that_still_runs_is_a_problem__DIR_4(installed: Site) -> None:
    lock = installed.data / "daemon.lock.lock"
    lock.mkdir()
    (told,) = wrong(installed.run("--json", "doctor").json())["legacy"]
    assert (told["verdict"], "still runs" in told["message"]) == ("problem", True)
    os.utime(lock, (1, 1))
    found = wrong(installed.json("doctor"))
    assert set(found) == {"leftovers"}
    assert found["leftovers"][0]["hint"] == f"rm -r {lock}"
