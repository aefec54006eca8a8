"""`waiaas status`: the contract for machines, and what a person reads (SPEC §4)."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Waiaas
from waiaas.cli import running
from waiaas.core.check import CheckOutcome
from waiaas.core.version import newer
from waiaas.host.clock import Clock
from waiaas.store.keyvalue import store_check

CONTRACT = ["running", "pid", "version", "port", "dataDir", "schemaVersion", "uptime", "openRun"]


def lines(text: str) -> dict[str, str]:
    return {line[:16].strip(): line[16:] for line in text.splitlines()}


@pytest.fixture
def checked(data_dir: Path) -> Iterator[Callable[[CheckOutcome], None]]:
    """Stores the outcome of a version check, as the daemon does."""

    def store(outcome: CheckOutcome) -> None:
        with closing(sqlite3.connect(data_dir / "data/waiaas.db")) as connection:
            connection.isolation_level = None
            store_check(connection, outcome, Clock().seconds() - 7200)

    yield store


def test_the_document_begins_with_the_contract(ready: Waiaas) -> None:
    document = ready("status", "--json").document
    assert list(document)[: len(CONTRACT)] == CONTRACT
    assert {"health", "versionCheck", "killSwitch", "backups", "withdrawn", "unit"} <= set(document)


def test_a_new_directory_is_told_with_what_comes_next(ready: Waiaas, data_dir: Path) -> None:
    told = lines(ready("status").out)
    assert told["state"] == "not running: `waiaas start --detach`"
    assert told["data directory"] == str(data_dir)
    assert told["database"].startswith("schema 16, 2")
    assert told["update"] == "the daemon has not looked yet; `waiaas upgrade --check` asks"
    assert "settings" not in told
    assert told["kill switch"] == "off"
    assert told["backups"] == "none: `waiaas backup create`"
    assert "open run" not in told


def test_update_and_withdrawal_are_told_with_the_command(
    ready: Waiaas, checked: Callable[[CheckOutcome], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("waiaas.upgrade.elsewhere.in_image", lambda _: False)
    checked(CheckOutcome("1.8.0", None, None))
    assert lines(ready("status").out)["update"] == "none; checked 2 h ago"
    checked(CheckOutcome("99.0.0", None, None))
    assert lines(ready("status").out)["update"] == "99.0.0 is available. Run: waiaas upgrade"
    checked(CheckOutcome("1.7.0", {"reason": "it loses mail", "to": "1.7.0", "severity": "high"}, None))
    assert "was WITHDRAWN: it loses mail, 1.7.0 replaces it. Run: waiaas upgrade" in ready("status").out
    checked(CheckOutcome(None, None, "the feed is away"))
    assert "the last check failed: the feed is away" in ready("status").out


def test_a_first_check_that_failed_is_told_as_that__VCHK_03(
    ready: Waiaas, checked: Callable[[CheckOutcome], None]
) -> None:
    checked(CheckOutcome(None, None, "no answer within 5 s"))
    told = lines(ready("status").out)
    assert told["update"] == "the last check failed: no answer within 5 s (`waiaas upgrade --check`)"


def test_settings_that_the_daemon_would_not_start_on_are_told_first__DMN_1(
    ready: Waiaas, data_dir: Path
) -> None:
    (data_dir / "config.toml").write_text("[daemon]\nport = 'x'\nprot = 1\n")
    told = lines(ready("status").out)
    assert told["settings"] == "2 problems: `waiaas config validate`"
    assert told["state"] == "not running: mend the settings first, `waiaas config validate`"
    assert ready("status", "--json").document["settingsProblems"] == 2
    assert "next: `waiaas config validate`" in ready().out


@pytest.mark.parametrize(("schema", "command"), [(99, "upgrade"), (9, "db status")])
def test_no_start_is_advised_on_data_that_it_would_refuse__CMPT_02(
    ready: Waiaas, data_dir: Path, schema: int, command: str
) -> None:
    with closing(sqlite3.connect(data_dir / "data/waiaas.db")) as connection, connection:
        connection.execute("DELETE FROM schema_version WHERE version > ?", (schema,))
        connection.execute("INSERT OR REPLACE INTO schema_version VALUES (?, 1, '')", (schema,))
    told = lines(ready("status").out)
    assert "start" not in told["state"]
    assert told["state"].endswith(f"`waiaas {command}`")
    assert told["database"].startswith("CANNOT BE SERVED, ")


def test_kill_switch_and_backups_are_told(ready: Waiaas) -> None:
    document = ready("status", "--json").document
    assert (document["killSwitch"], document["killSwitchOn"]) == ("ACTIVE", False)
    assert ready("kill-switch", "status").out == "the kill switch is off\n"
    ready("backup", "create")
    assert ready("kill-switch", "on").out == "the kill switch is ON (SUSPENDED)\n"
    assert ready("status", "--json").document["killSwitchOn"] is True
    told = lines(ready("status").out)
    assert told["kill switch"] == "ON, nothing acts on wallets (SUSPENDED): `waiaas kill-switch off`"
    assert told["backups"].startswith("1, the newest made ")


def test_an_address_is_one_that_a_browser_can_open(ready: Waiaas) -> None:
    for hostname, shown in (
        ("0.0.0.0", "127.0.0.1"),
        ("::", "[::1]"),
        ("::1", "[::1]"),
        ("a.example", "a.example"),
    ):
        told = lines(ready("status", environ={"WAIAAS_DAEMON_HOSTNAME": hostname}).out)
        assert told["address"] == f"http://{shown}:3100/"
    assert "address" not in lines(ready("status", environ={"WAIAAS_DAEMON_PORT": "0"}).out)


@pytest.mark.parametrize(
    ("known", "health", "said"),
    [
        ({}, "starting", "starting (pid 7): `waiaas doctor`"),
        (
            {"port": 1, "hostname": "127.0.0.1"},
            "silent",
            "running, but it does not answer (pid 7): `waiaas doctor`",
        ),
    ],
)
def test_a_daemon_that_does_not_answer_is_told_as_such(
    ready: Waiaas, monkeypatch: pytest.MonkeyPatch, known: dict[str, object], health: str, said: str
) -> None:
    monkeypatch.setattr(running, "running", lambda _: 7)
    monkeypatch.setattr(running, "known", lambda _: known)
    assert ready("status", "--json").document["health"] == health
    assert lines(ready("status").out)["state"] == said


@pytest.mark.parametrize(
    ("candidate", "installed", "said"),
    [("1.9.0", "1.8.0", True), ("1.8.0", "1.8.0", False), ("1.7.0", "1.8.0", False),
     ("1.8.0", "1.8.0-rc.1", True), (None, "1.8.0", False), ("x", "1.8.0", False), ("2.0.0", "?", False)],
)  # fmt: skip
def test_newer_is_what_the_numbers_say_and_nonsense_is_not(
    candidate: str | None, installed: str, said: bool
) -> None:
    assert newer(candidate, installed) is said
