"""The daemon's version check, and what `/health` makes of it (scenarios 1, 2, 3, 12, 16)."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.api import eventually, health, request
from tests.journeys.observe import CHECK_KEYS, CHECKED_AT, ERROR, LATEST, checked, raw_get, stored, warnings
from tests.journeys.workshop import Feed, Site, Workshop, site

SEVEN = ["status", "version", "latestVersion", "updateAvailable", "schemaVersion", "uptime", "timestamp"]


def failed_checks(installed: Site) -> list[str]:
    return [line for line in warnings(installed) if "version check failed" in line]


def test_the_start_asks_at_once_and_stores_the_newest_version__VCHK_02(installed: Site, feed: Feed) -> None:
    """Scenario 1; the check tells the feed nothing but our version (FEED-7) and loads no artefact."""
    before = int(time.time())
    installed.ok("start", "--detach")
    assert eventually(lambda: stored(installed, LATEST)) == "1.8.1"
    assert before <= int(stored(installed, CHECKED_AT) or 0) <= time.time()
    assert stored(installed, ERROR) is None
    assert feed.agents == {"waiaas/1.8.0"}
    assert feed.downloads() == []
    report = health(installed)
    assert (report["status"], report["latestVersion"], report["updateAvailable"]) == ("ok", "1.8.1", True)
    assert request(installed, "GET", "/v1/admin/status")[1]["versionCheck"]["latest"] == "1.8.1"
    assert warnings(installed) == []


def test_the_second_start_costs_at_most_two_requests__FEED_6(installed: Site, feed: Feed) -> None:
    checked(installed)
    first, asked = stored(installed, CHECKED_AT), len(feed.requests)
    eventually(lambda: int(time.time()) > int(first or 0))  # the stored time is whole seconds
    installed.ok("start", "--detach")
    eventually(lambda: stored(installed, CHECKED_AT) != first)
    assert 1 <= len(feed.requests) - asked <= 2


def test_stopping_does_not_wait_for_a_check_that_hangs__DMN_2(installed: Site, feed: Feed) -> None:
    """The daemon ends its own child: neither a failed check nor a late worker is on record."""
    feed.mode = "hang"
    installed.ok("start", "--detach")
    eventually(lambda: feed.requests)
    installed.ok("stop")
    assert stored(installed, ERROR) is None
    assert warnings(installed) == []


def test_latest_is_stored_also_when_it_is_the_installed_one__VCHK_04(
    workshop: Workshop, tmp_path: Path
) -> None:
    feed = workshop.feed(tmp_path / "feed-alone", workshop.current)
    with site(tmp_path / "newest", workshop.current, feed.url) as newest:
        newest.ok("init")
        newest.ok("start", "--detach")
        assert eventually(lambda: stored(newest, LATEST)) == "1.8.0"
        assert health(newest)["updateAvailable"] is False
        assert "╭" not in newest.ok("status").err
    feed.close()


@pytest.mark.parametrize("mode", ["503", "hang", "lie"])
def test_a_bad_feed_is_one_warning_and_nothing_else__VCHK_03(installed: Site, feed: Feed, mode: str) -> None:
    """Scenarios 2 and 16: the daemon serves while the check still waits, or has failed."""
    feed.mode = mode
    installed.ok("start", "--detach")
    report = health(installed)
    assert (report["status"], report["latestVersion"], report["updateAvailable"]) == ("ok", None, False)
    assert mode != "hang" or stored(installed, ERROR) is None, "the start waited for the check"
    error = eventually(lambda: stored(installed, ERROR))
    assert [stored(installed, key) for key in CHECK_KEYS] == [None, None, None, error]
    [line] = eventually(lambda: failed_checks(installed))
    assert error in line
    assert warnings(installed) == [line]
    report = health(installed)
    assert (report["status"], report["latestVersion"], report["updateAvailable"]) == ("ok", None, False)
    assert request(installed, "GET", "/v1/wallets")[0] == 200


def test_a_failed_check_keeps_what_the_last_good_one_found__VCHK_03(installed: Site, feed: Feed) -> None:
    checked(installed)
    before = stored(installed, CHECKED_AT)
    feed.mode = "503"
    installed.ok("restart")
    eventually(lambda: stored(installed, ERROR))
    assert (stored(installed, LATEST), stored(installed, CHECKED_AT)) == ("1.8.1", before)
    assert health(installed)["latestVersion"] == "1.8.1"
    feed.mode = "ok"
    installed.ok("restart")
    eventually(lambda: stored(installed, ERROR) is None)
    assert stored(installed, LATEST) == "1.8.1"


@pytest.fixture(params=["update_check = false", "--offline", "WAIAAS_OFFLINE"])
def silenced(installed: Site, request: pytest.FixtureRequest) -> Iterator[tuple[Site, list[str]]]:
    """An installation that must not ask, and the flags its commands then carry."""
    flags: list[str] = []
    if request.param == "--offline":
        flags = ["--offline"]
    elif request.param == "WAIAAS_OFFLINE":
        installed.environ["WAIAAS_OFFLINE"] = "1"
    else:
        installed.ok("config", "set", "daemon.update_check", "false")
    yield installed, flags


def test_a_silenced_daemon_asks_nobody__VCHK_04(silenced: tuple[Site, list[str]], feed: Feed) -> None:
    """Scenario 3: zero requests at the server, from start, restart, a life, status and doctor on."""
    installed, flags = silenced
    installed.ok("start", "--detach", *flags)
    workers = [w["name"] for w in request(installed, "GET", "/v1/admin/status")[1]["workers"]]
    assert "version-check" not in workers
    installed.ok("restart", *flags)
    installed.ok("status", *flags)
    report = health(installed)
    assert (report["latestVersion"], report["updateAvailable"]) == (None, False)
    installed.ok("stop", *flags)
    assert feed.requests == []
    assert [stored(installed, key) for key in CHECK_KEYS] == [None] * 4


def test_an_explicit_question_is_asked_but_never_offline__VCHK_04(installed: Site, feed: Feed) -> None:
    """Scenario 3, the other half."""
    for words, environ in ((["--offline"], {}), ([], {"WAIAAS_OFFLINE": "1"})):
        refused = installed.run("upgrade", "--check", *words, **environ)
        assert refused.code == 1
        assert "offline" in refused.err
    assert feed.requests == []
    installed.ok("config", "set", "daemon.update_check", "false")
    assert "Upgrade available: 1.8.0 → 1.8.1" in installed.ok("upgrade", "--check").out
    assert feed.requests != []


def test_health_has_seven_fields_in_order_and_says_python__HLTH_01(installed: Site, feed: Feed) -> None:
    """Scenario 12; `waiaas health` prints the same document (HLTH-03)."""
    feed.mode = "hang"
    started = int(time.time())
    installed.ok("start", "--detach")
    answer, body = raw_get(installed, "/health")
    assert answer.status == 200
    assert (answer.getheader("Content-Type") or "").split(";")[0] == "application/json"
    report = json.loads(body)
    assert list(report)[:7] == SEVEN
    assert {name: report[name] for name in SEVEN[:5]} == {
        "status": "ok",
        "version": "1.8.0",
        "latestVersion": None,
        "updateAvailable": False,
        "schemaVersion": 16,
    }
    assert type(report["uptime"]) is int
    assert type(report["timestamp"]) is int
    assert started <= report["timestamp"] <= time.time()
    assert list(report)[7:] == ["implementation", "withdrawn", "probation"]
    assert report["implementation"] == "python"
    said = installed.json("health")
    assert list(said) == list(report)
    assert {**said, "uptime": 0, "timestamp": 0} == {**report, "uptime": 0, "timestamp": 0}
    assert installed.run("health", "--url", f"http://127.0.0.1:{installed.daemon['port']}").code == 0
    feed.released.set()  # so that stopping need not wait for the check
