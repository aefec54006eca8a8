"""`waiaas doctor` on the built artefact: nothing on a healthy installation; on a broken one the fault
with the command that mends it (SPEC §4, CLI-2)."""

import os
import shutil
import signal
import urllib.request
from pathlib import Path
from typing import Any

from tests.journeys import mounts
from tests.journeys.api import eventually, health
from tests.journeys.observe import wrong
from tests.journeys.workshop import Feed, Site, Workshop


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
