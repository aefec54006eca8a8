"""Probation: the new version serves, accepts no writes but the kill switch, and may still be undone."""

import http.client
import json
import os
import re
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.journeys.api import contents, eventually, health, request, schema
from tests.journeys.test_journey_broken import WALLET
from tests.journeys.witness import audited, last_run, told
from tests.journeys.workshop import Done, Site, Workshop, site

LONG = "60"  # seconds of probation; no test waits for its end


@contextmanager
def on_probation(
    workshop: Workshop, folder: Path, artefact: Path, seconds: str = LONG
) -> Iterator[tuple[Site, Future[Done]]]:
    """A real upgrade at work in the background, its new daemon healthy but not yet trusted."""
    feed = workshop.feed(folder / "feed", workshop.current, artefact)
    with site(folder / "site", workshop.current, feed.url) as made, ThreadPoolExecutor() as background:
        made.ok("init")
        made.ok("start", "--detach")
        assert request(made, "POST", "/v1/wallets", WALLET)[0] == 201
        made.environ.update(WAIAAS_UPGRADE_PROBATION=seconds, WAIAAS_DAEMON_SHUTDOWN_TIMEOUT="1")
        upgrade = background.submit(made.run, "upgrade")
        try:
            eventually(lambda: upgrade.done() or health(made).get("probation"))
            assert not upgrade.done(), upgrade.result()
            yield made, upgrade
        finally:
            fall_ill(made)
    feed.close()


def fall_ill(new: Site) -> None:
    """The daemon that serves now dies at once, whatever it is doing."""
    try:
        os.kill(new.daemon["pid"], signal.SIGKILL)
    except (OSError, ValueError):
        return


def refused_for_now(new: Site, method: str, path: str, body: object) -> None:
    """503, and how many seconds to wait."""
    connection = http.client.HTTPConnection("127.0.0.1", new.daemon["port"], timeout=10)
    headers = {"Authorization": f"Bearer {new.token}", "Content-Type": "application/json"}
    with closing(connection):
        connection.request(method, path, json.dumps(body), headers)
        answer = connection.getresponse()
        problem = json.loads(answer.read())
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert problem["status"] == 503
    assert "upgrade" in problem["detail"]


@pytest.mark.parametrize(
    ("by", "next_version"), [("api", "minor"), ("cli", "minor"), ("cli", "patch")], ids=str
)
def test_a_kill_switch_thrown_in_probation_survives_the_roll_back__UPGR_07(
    workshop: Workshop, tmp_path: Path, by: str, next_version: str
) -> None:
    """Also where the roll-back brings another database file back, which never saw the switch."""
    with on_probation(workshop, tmp_path, getattr(workshop, next_version)) as (new, upgrade):
        before = contents(new.database)["wallets"] if next_version == "patch" else None
        if by == "api":
            assert request(new, "POST", "/v1/admin/kill-switch", {"on": True})[0] == 200
        else:
            new.ok("kill-switch", "on")
        fall_ill(new)
        assert "it has ended" in told(upgrade.result(), 7)["error"]
        assert last_run(new)["outcome"] == "rolled-back"
        audited(new, last_run(new), "UPGRADE_ROLLED_BACK")
        assert (health(new)["version"], schema(new.database)) == ("1.8.0", 16)
        assert new.json("kill-switch", "status") == {"on": True, "state": "SUSPENDED"}
        assert request(new, "GET", "/v1/admin/status")[1]["killSwitch"] == "SUSPENDED"
        if before is not None:
            assert contents(new.database)["wallets"] == before
        assert [wallet["name"] for wallet in new.json("wallets", "list")] == ["treasury"]


def test_writes_in_probation_are_refused_and_reads_are_not__UPGR_07(
    workshop: Workshop, tmp_path: Path
) -> None:
    """What were written now, a roll-back would lose; so it is said at once, with when to come back."""
    with on_probation(workshop, tmp_path, workshop.minor) as (new, upgrade):
        assert (health(new)["version"], health(new)["status"]) == ("1.9.0", "ok")
        [wallet] = new.json("wallets", "list")
        refused_for_now(new, "POST", "/v1/wallets", {**WALLET, "name": "second"})
        refused_for_now(new, "PATCH", f"/v1/wallets/{wallet['id']}", {"name": "renamed"})
        refused_for_now(new, "POST", "/v1/admin/kill-switch", {"on": False})
        told(new.run("kill-switch", "off"), 75)
        assert request(new, "GET", "/v1/wallets")[0] == 200
        assert new.json("status")["openRun"]["to"] == "1.9.0"
        told(new.run("upgrade"), 75)
        assert [w["name"] for w in new.json("wallets", "list")] == ["treasury"]
        fall_ill(new)
        assert upgrade.result().code == 7
        status, _ = request(new, "POST", "/v1/wallets", {**WALLET, "name": "second"})
        assert status in (201, 409)


def test_an_upgrade_that_gets_sigterm_brings_the_old_version_back_first__UPGR_07(
    workshop: Workshop, tmp_path: Path
) -> None:
    """As from a session that ends, or a container that is stopped: not a daemon that stays down."""
    with on_probation(workshop, tmp_path, workshop.minor) as (new, upgrade):
        found = re.search(r"an upgrade is running \(pid (\d+)", told(new.run("stop"), 75)["error"])
        assert found
        os.kill(int(found[1]), signal.SIGTERM)
        assert upgrade.result().code == 130, upgrade.result()
        assert last_run(new)["outcome"] == "rolled-back"
        assert (health(new)["version"], schema(new.database)) == ("1.8.0", 16)
        assert [wallet["name"] for wallet in new.json("wallets", "list")] == ["treasury"]
        new.ok("stop")


def test_stop_and_restart_beside_a_run_at_work_touch_nothing__UPGR_08(
    workshop: Workshop, tmp_path: Path
) -> None:
    """They would end the daemon that is on probation, and so undo a good upgrade."""
    with on_probation(workshop, tmp_path, workshop.patch, "10") as (new, upgrade):
        for command in ("stop", "restart"):
            said = told(new.run(command), 75)
            assert "an upgrade is running (pid" in said["error"]
            assert "1.8.0 → 1.8.1, step start); nothing was changed" in said["error"]
            assert "upgrade --rollback" in said["hint"]
        assert upgrade.result().code == 0, upgrade.result()
        assert (health(new)["version"], last_run(new)["outcome"]) == ("1.8.1", "committed")
        new.ok("stop")
