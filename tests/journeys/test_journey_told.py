"""What `upgrade` tells machines, and people who interrupt it (UPGR-11, CLI-1, CLI-2)."""

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.api import eventually, health
from tests.journeys.witness import last_run, told
from tests.journeys.workshop import Done, Feed, Site, Workshop, site

FULL = {"run", "from", "to", "outcome", "steps", "backup", "downtimeSeconds", "error"}
ENDS = {"INSTALLED", "ROLLED_BACK", "UP_TO_DATE", "FAILED"}
LISTED = {"committed", "rolled-back", "up-to-date", "refused", "failed"}


def events(done: Done) -> list[dict[str, Any]]:
    """stdout, every line of which is one event."""
    return [json.loads(line) for line in done.out.splitlines()]


def test_events_are_all_of_stdout_and_the_last_one_tells_the_end__UPGR_11(
    installed: Site, feed: Feed
) -> None:
    for words, code, last in (
        (("--no-start",), 0, "INSTALLED"),
        (("--no-start",), 0, "UP_TO_DATE"),
        (("--recover",), 0, "UP_TO_DATE"),
        (("--rollback", "--no-start"), 0, "ROLLED_BACK"),
        (("--rollback", "--no-start"), 1, "FAILED"),
        (("--to", "7.7.7"), 1, "FAILED"),
    ):
        done = installed.run("upgrade", "--events", *words)
        assert done.code == code, done
        ends = [e["event"] for e in events(done) if e["event"] in ENDS]
        assert (ends, events(done)[-1]["event"]) == ([last], last)
        if last == "FAILED":
            assert set(events(done)[-1]["error"]) == {"code", "message", "hint"}
            assert told(done, code)["error"] == events(done)[-1]["error"]["message"]
        if last == "INSTALLED":
            assert (events(done)[-1]["from"], events(done)[-1]["to"]) == ("1.8.0", "1.8.1")
            assert {"STEP_STARTED", "DOWNLOAD_FINISHED"} <= {e["event"] for e in events(done)}
            assert "Upgraded: 1.8.0 → 1.8.1" in done.err


def test_each_document_of_upgrade_has_every_field_and_a_listed_outcome__CLI_1(installed: Site) -> None:
    for words in (("--recover",), ("--recover", "--no-start"), ("--no-start",), ("--no-start",)):
        document = installed.json("upgrade", *words)
        assert document.keys() >= FULL
        assert document["outcome"] in LISTED
        assert document["error"] is None


def test_a_roll_back_tells_machines_what_is_lost_and_counts_no_row_of_its_own__UPGR_04(
    installed: Site,
) -> None:
    installed.ok("upgrade")
    back = installed.json("upgrade", "--rollback", "--no-start")
    assert back["rowsLost"] == 0
    audited = [row["eventType"] for row in installed.json("audit") if "UPGRADE" in row["eventType"]]
    assert audited[0] == "UPGRADE_UNDONE"
    assert back["dataFrom"] == installed.json("backup", "list")[-1]["createdAt"]


def test_the_program_alone_does_not_go_back_over_a_migration__UPGR_04(
    workshop: Workshop, tmp_path: Path
) -> None:
    feed = workshop.feed(tmp_path / "feed", workshop.minor)
    with site(tmp_path / "site", workshop.current, feed.url) as made:
        made.ok("init")
        made.ok("upgrade", "--no-start")
        refused = told(made.run("upgrade", "--rollback", "--keep-data"), 6)
        assert refused["error"] == "1.8.0 cannot open schema 17; nothing was changed"
        assert "leave out --keep-data" in refused["hint"]
        made.ok("upgrade", "--rollback", "--no-start")
    feed.close()


@pytest.mark.parametrize("words", [(), ("--json",), ("--events",)], ids=str)
def test_who_interrupts_a_run_is_told_what_it_left__CLI_2(installed: Site, words: tuple[str, ...]) -> None:
    installed.ok("start", "--detach")
    argv = [installed.python, "-I", str(installed.program), "--data-dir", str(installed.data)]
    environ = {**installed.environ, "WAIAAS_UPGRADE_PROBATION": "60"}
    with subprocess.Popen(
        [*argv, "upgrade", *words], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        eventually(lambda: health(installed).get("probation"))
        run.send_signal(signal.SIGINT)
        out, err = run.communicate()
    done = Done(run.returncode, out, err)
    assert done.code == 130, done
    sentence = "interrupted; the upgrade was undone, 1.8.0 is back with its data"
    assert (health(installed)["version"], last_run(installed)["outcome"]) == ("1.8.0", "rolled-back")
    if words == ("--json",):
        assert done.json()["error"]["message"] == sentence
        assert done.json()["error"]["hint"]
        assert (done.json()["outcome"], done.json()["to"]) == ("rolled-back", "1.8.1")
    else:
        assert told(done, 130)["error"] == sentence
    if words == ("--events",):
        assert events(done)[-1]["event"] == "ROLLED_BACK"
        assert events(done)[-1]["error"]["code"] == "interrupted"


def test_check_names_the_command_that_does_what_was_asked__UPGR_02(installed: Site, feed: Feed) -> None:
    """`latest` and `updateAvailable` are about what is newer, whatever was asked for (UPGR-03)."""
    offered = installed.json("upgrade", "--check")
    assert offered["reason"] is None
    [target] = (feed.folder / "targets").glob("*waiaas-1.8.1.pyz")
    assert offered["size"] == target.stat().st_size
    assert installed.run("upgrade", "--check", "--to", "1.8.1", "--exit-code").code == 10
    up = installed.ok("upgrade", "--check", "--to", "1.8.1").out
    assert f"Run: waiaas upgrade --to 1.8.1 --data-dir {installed.data}" in up
    installed.ok("upgrade", "--no-start")
    down = installed.ok("upgrade", "--dry-run", "--to", "1.8.0").out
    assert "Would go down: 1.8.1 → 1.8.0" in down
    refused = told(installed.run("upgrade", "--to", "1.8.0"), 2)
    assert f"`waiaas --data-dir {installed.data} upgrade --to 1.8.0 --yes`" in refused["hint"]
    assert f"Run: waiaas upgrade --to 1.8.0 --yes --data-dir {installed.data}" in down
    document = installed.json("upgrade", "--check", "--to", "1.8.0")
    assert (document["latest"], document["path"]) == ("1.8.1", ["1.8.0"])
    assert document["updateAvailable"] is False
    assert installed.run("upgrade", "--check", "--to", "1.8.0", "--exit-code").code == 0
    nothing = installed.json("upgrade", "--check")
    assert (nothing["size"], nothing["notes"], nothing["failedHere"]) == (None, None, None)
    assert nothing["reason"]


def test_a_bundle_that_is_not_whole_is_refused_also_where_it_is_not_needed__BNDL_1(
    installed: Site,
) -> None:
    """It carries the installed version: that is no reason to call the damaged file up to date."""
    bundle = installed.folder / "same.tgz"
    installed.ok("bundle", "create", "--version", "1.8.0", "-o", str(bundle))
    assert "Already up to date" in installed.ok("upgrade", "--from", str(bundle)).out
    whole = bundle.read_bytes()
    middle = len(whole) // 2
    for damaged in (whole[:-2000], whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]):
        bundle.write_bytes(damaged)
        told(installed.run("upgrade", "--from", str(bundle)), 9)
        told(installed.run("upgrade", "--check", "--from", str(bundle)), 9)


def test_a_carried_release_candidate_is_asked_for_by_name__BNDL_1(
    workshop: Workshop, installed: Site, feed: Feed
) -> None:
    feed.publish(workshop.build("1.9.0-rc.1"), channel="rc")
    bundle = installed.folder / "rc.tgz"
    made = installed.ok("bundle", "create", "--version", "1.9.0-rc.1", "-o", str(bundle)).out
    assert "waiaas upgrade --from rc.tgz --to 1.9.0-rc.1" in made
    refused = told(installed.run("upgrade", "--from", str(bundle)), 1)
    assert f"`waiaas upgrade --from {bundle} --to 1.9.0-rc.1 --data-dir" in refused["hint"]
    installed.ok("upgrade", "--from", str(bundle), "--to", "1.9.0-rc.1", "--no-start")
