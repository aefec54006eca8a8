"""The box that tells of a newer version (scenarios 4, 5, 6): where it shows, how often, what mutes it."""

import fcntl
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.journeys.api import eventually
from tests.journeys.observe import NOTIFIED_AT, checked, put, stored, told_ago
from tests.journeys.workshop import Done, Feed, Site, Workshop, site

DAY = 24 * 3600
PATIENCE = 3  # seconds; the program's own, where it does wait, is five
TOLD = "Update available: 1.8.0 → 1.8.1"


@pytest.fixture
def told(installed: Site, feed: Feed) -> Site:
    """An installation whose daemon, now stopped, has found 1.8.1; its feed has fallen silent."""
    checked(installed)
    put(installed, NOTIFIED_AT, "0")
    feed.requests.clear()
    return installed


def shows(done: Done) -> bool:
    """The box on stderr; never a byte of it on stdout."""
    assert not set(done.out) & set("╭│╰╮╯")
    assert TOLD not in done.out
    assert ("╭" in done.err) == (TOLD in done.err)
    return TOLD in done.err


def test_the_notice_is_on_stderr_once_a_day_and_stdout_is_clean__VCHK_05(told: Site, feed: Feed) -> None:
    """Scenarios 4 and 5, the daemon down: from the database alone, without a single request."""
    first = told.ok("wallets", "list")
    assert shows(first)
    assert "Run: waiaas upgrade" in first.err
    assert "WAIAAS_NO_UPDATE_NOTIFY=1" in first.err
    again = told.ok("wallets", "list")
    assert not shows(again)
    assert again.err == ""
    assert again.out == first.out
    told_ago(told, DAY - 60)
    assert not shows(told.ok("wallets", "list"))
    told_ago(told, DAY + 1)
    assert shows(told.ok("wallets", "list"))
    told_ago(told, -DAY)  # a clock that was ahead does not silence it for ever
    assert shows(told.ok("wallets", "list"))
    assert feed.requests == []


def test_the_notice_shows_beside_a_running_daemon_and_after_a_failure__VCHK_05(
    told: Site, feed: Feed
) -> None:
    """Scenario 4 with the daemon up; `status` of a stopped daemon exits 3 and tells it too."""
    assert shows(down := told.run("status"))
    assert down.code == 3
    feed.mode = "503"
    told.ok("start", "--detach")
    assert not shows(told.ok("status"))
    told_ago(told, DAY + 1)
    assert shows(told.ok("status"))
    told_ago(told, DAY + 1)
    failed = told.run("wallets", "show", "nobody")
    assert failed.code == 1
    assert shows(failed)
    told_ago(told, DAY + 1)
    assert shows(told.ok("stop"))


@contextmanager
def gate(installed: Site, kind: int) -> Iterator[None]:
    """Hold the database gate as another process would (DIR-5)."""
    with installed.database.with_name("waiaas.db.gate").open("rb") as stream:
        fcntl.flock(stream, kind)
        yield


def elapsed(installed: Site, **environ: str) -> float:
    """The seconds of a command that shows no notice and is none the worse for it."""
    begun = time.monotonic()
    assert not shows(installed.ok("config", "path", **environ))
    return time.monotonic() - begun


MUTED = [
    ("--quiet", "wallets", "list"),
    ("wallets", "list", "-q"),
    ("--json", "wallets", "list"),
    ("--offline", "wallets", "list"),
    ("health",),
    ("completion", "bash"),
    ("upgrade", "--check"),
    ("update", "--check"),
    ("upgrade", "--history"),
    ("upgrade", "--dry-run"),
    ("--version",),
    ("wallets", "--version"),
    ("--help",),
    ("wallets", "--help"),
]


def test_what_mutes_the_notice_and_that_nothing_else_does__VCHK_07(told: Site) -> None:
    """Scenario 6; and whoever does not see it has not been told: it still shows afterwards."""
    for words in MUTED:
        assert not shows(told.run(*words)), words
    for name, value in (("WAIAAS_NO_UPDATE_NOTIFY", "1"), ("WAIAAS_DAEMON_UPDATE_CHECK", "false")):
        assert not shows(told.ok("wallets", "list", **{name: value})), name
    assert stored(told, NOTIFIED_AT) == "0"
    told.ok("config", "set", "daemon.update_check", "false", "--quiet")
    assert not shows(told.ok("wallets", "list"))
    told.ok("config", "set", "daemon.update_check", "true", "--quiet")
    for environ in ({"CI": "1"}, {"TERM": "dumb"}, {"NO_COLOR": "1"}, {"WAIAAS_NO_UPDATE_NOTIFY": "0"}):
        told_ago(told, DAY + 1)
        assert shows(told.ok("wallets", "list", **environ)), environ


def test_the_notice_waits_for_nobody_and_is_never_worth_a_failure__VCHK_05(told: Site) -> None:
    """Where it cannot be recorded that it was shown, it is not shown; the command is unharmed."""
    muted = elapsed(told, WAIAAS_NO_UPDATE_NOTIFY="1")
    with gate(told, fcntl.LOCK_SH), closing(sqlite3.connect(told.database, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert elapsed(told) < muted + PATIENCE
        writer.execute("ROLLBACK")
    with gate(told, fcntl.LOCK_EX):
        assert elapsed(told) < muted + PATIENCE
    assert shows(told.ok("config", "path"))
    for nonsense in ("", "not a version", "9" * 400, "1.9.0\x1b[2J", "0.0.1"):
        put(told, "version_check_latest", nonsense)
        put(told, NOTIFIED_AT, "yesterday")
        done = told.ok("config", "path")
        assert "╭" not in done.err
        assert "Traceback" not in done.err
    told.database.rename(told.database.with_name("elsewhere.db"))
    assert told.ok("config", "path").err == ""


@pytest.fixture
def withdrawn(workshop: Workshop, tmp_path: Path) -> Iterator[tuple[Site, Feed]]:
    """1.8.1 is installed and was withdrawn after the daily notice; 1.9.0-rc.1 is no way out of it."""
    feed = workshop.feed(tmp_path / "feed-w", workshop.current, workshop.patch)
    with site(tmp_path / "w", workshop.patch, feed.url) as made:
        made.ok("init")
        made.ok("start", "--detach")
        eventually(lambda: stored(made, "version_check_latest"))
        told_ago(made, 60)
        words = ("--keys", str(workshop.keys), "--feed", str(feed.folder), "1.8.1")
        workshop.maker(
            "withdraw", *words, "--reason", "loses the audit log", "--severity", "critical", "--yes"
        )
        made.ok("restart")
        eventually(lambda: stored(made, "version_check_withdrawn"))
        yield made, feed
    feed.close()


def test_a_withdrawal_of_the_installed_version_is_told_at_once__VCHK_06(withdrawn: tuple[Site, Feed]) -> None:
    installed, _ = withdrawn
    first = installed.ok("wallets", "list")
    assert "Version 1.8.1 was withdrawn: 1.8.0 replaces it" in first.err
    assert "loses the audit log" in first.err
    assert "╭" not in installed.ok("wallets", "list").err
    told_ago(installed, DAY + 1)
    assert "was withdrawn" in installed.ok("wallets", "list").err
