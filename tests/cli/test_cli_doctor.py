"""What single checks of `waiaas doctor` find, and when they stay silent (SPEC §4)."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Waiaas
from tests.fakes import FakeClock
from waiaas.cli.checks import data, feed, machine, service
from waiaas.cli.checks.finding import Check, Finding, Installation
from waiaas.cli.context import Context
from waiaas.cli.doctor import CHECKS
from waiaas.cli.flags import Flags
from waiaas.cli.output import Output
from waiaas.core.value import replace
from waiaas.host.clock import Clock
from waiaas.host.files import Files
from waiaas.host.host import Host
from waiaas.host.http import Network
from waiaas.host.processes import Processes
from waiaas.host.program import Program
from waiaas.host.systemd import Unit
from waiaas.upgrade.feed import Catalogue

DAY = 86400.0


@pytest.fixture
def here(ready: Waiaas, data_dir: Path) -> Installation:
    """The initialised directory, with a clock that stands still until it is moved."""
    return installation(data_dir, FakeClock(Clock().now()))


def installation(data_dir: Path, clock: Clock, **environ: str) -> Installation:
    values = {"WAIAAS_DATA_DIR": str(data_dir), **environ}
    host = Host(clock, Files(), Network(values, clock), Processes(values), Program(None), values)
    context = Context(host, Output(None, None, Flags()), Flags())
    return Installation(context, context.load(), None, {})


def found(check: Check, here: Installation) -> Iterator[Finding]:
    return (finding for finding in check(here) if finding.verdict != "ok")


def test_every_check_says_something_and_under_its_own_name(ready: Waiaas) -> None:
    told = ready("doctor", "--json", "--offline").document
    named = {finding["check"] for finding in told}
    assert set(CHECKS) <= named
    assert named - set(CHECKS) <= {"metadata", "withdrawal"}
    assert all(finding["hint"] for finding in told if finding["verdict"] != "ok")


def test_verbose_shows_what_is_well_too(ready: Waiaas) -> None:
    short, long = ready("doctor"), ready("doctor", "-v")
    assert "ok       clock" not in short.out
    assert "ok       clock" in long.out
    assert short.out.splitlines()[-1] == long.out.splitlines()[-1]


def test_a_check_with_a_bug_hides_no_other_finding(
    ready: Waiaas, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Installation) -> Iterator[Finding]:
        raise ZeroDivisionError("oops")
        yield

    monkeypatch.setitem(CHECKS, "clock", broken)
    (data_dir / "admin.token").chmod(0o644)
    ran = ready("doctor", "--json")
    told = {finding["check"]: finding for finding in ran.document if finding["verdict"] != "ok"}
    assert told["clock"]["message"] == "this check failed: ZeroDivisionError: oops"
    assert told["rights"]["hint"] == f"chmod go= {data_dir}/admin.token"
    assert ran.code == 1


# --- clock, backups, dates: everything that is about time -------------------------------------------


def test_a_clock_behind_the_newest_backup_is_a_problem(ready: Waiaas, data_dir: Path) -> None:
    ready("backup", "create")
    now = Clock().now()
    assert not list(found(machine.clock, installation(data_dir, FakeClock(now))))
    assert not list(found(machine.clock, installation(data_dir, FakeClock(now - 200))))
    (told,) = found(machine.clock, installation(data_dir, FakeClock(now - 3 * DAY)))
    assert "the backup pre-upgrade" in told.message or "the backup manual" in told.message
    assert "timedatectl" in told.hint


@pytest.mark.parametrize(("days", "silent"), [(0, True), (6, True), (8, False)])
def test_a_young_installation_needs_no_backup(ready: Waiaas, data_dir: Path, days: int, silent: bool) -> None:
    here = installation(data_dir, FakeClock(Clock().now() + days * DAY))
    told = list(found(data.backups, here))
    assert (not told) is silent
    assert silent or (told[0].message, told[0].hint) == (
        f"there is no backup, after {days} d",
        "waiaas backup create",
    )


def test_an_old_backup_is_a_warning(ready: Waiaas, data_dir: Path) -> None:
    ready("backup", "create")
    now = Clock().now()
    assert not list(found(data.backups, installation(data_dir, FakeClock(now + 29 * DAY))))
    (told,) = found(data.backups, installation(data_dir, FakeClock(now + 31 * DAY)))
    assert "the newest backup is 31 d old" in told.message


def test_a_backup_that_no_list_shows_any_more_is_found(ready: Waiaas, here: Installation) -> None:
    made = Path(ready("backup", "create", "--json").document["path"])
    manifest = made / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "files": {}}))
    foreign = made.with_name("of-somebody-else")
    foreign.mkdir()
    (told,) = found(data.backups, here)
    assert made.name in told.message
    assert told.hint == f"waiaas backup create && rm -r {made}"


def test_backups_that_cannot_all_be_read_in_time_are_still_judged_by_their_sizes(
    ready: Waiaas, here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [Path(ready("backup", "create", "--json").document["path"]) for _ in range(2)]
    monkeypatch.setattr(data, "PATIENCE", 0.0)
    database = made[0] / "waiaas.db"
    content = database.read_bytes()
    database.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert not list(found(data.backups, here))
    database.write_bytes(content + b"more")
    (told,) = found(data.backups, here)
    assert made[0].name in told.message


@pytest.mark.parametrize(
    ("role", "days", "silent"),
    [("timestamp", 2.9, False), ("timestamp", 3.1, True), ("snapshot", 4, False), ("snapshot", 6, True),
     ("targets", 13, False), ("targets", 15, True), ("root", 29, False), ("root", 31, True)],
)  # fmt: skip
def test_metadata_about_to_expire_are_a_warning(
    here: Installation, role: str, days: float, silent: bool
) -> None:
    """Before nothing is offered any more; whoever keeps the feed signs anew long before."""
    now = here.context.host.clock.now()
    expires = {name: int(now + 60 * DAY) for name in feed.SOON} | {role: int(now + days * DAY)}
    told = list(found(lambda h: feed._dates(h, Catalogue((), 1, expires)), here))
    assert (not told) is silent
    assert silent or f"the {role} metadata of the feed" in told[0].message


# --- files ------------------------------------------------------------------------------------------


def test_a_long_write_ahead_log_beside_a_daemon_is_a_warning(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = here.loaded.layout
    serving = replace(here, pid=1)
    layout.database.with_name("waiaas.db-wal").write_bytes(b"x" * 4096)
    assert not list(found(data.log, serving))
    monkeypatch.setattr(data, "LONG_LOG", 1000)
    (told,) = found(data.log, serving)
    assert "has grown to 4.0 KiB" in told.message
    assert "waiaas restart" in told.hint


def test_files_of_a_process_that_lives_are_no_leftovers(ready: Waiaas, data_dir: Path) -> None:
    (data_dir / f".daemon.json.{os.getpid()}.tmp").touch()
    (data_dir / ".hidden").touch()
    told = {f["check"]: f for f in ready("doctor", "--json").document}
    assert told["leftovers"]["verdict"] == "ok"
    gone = data_dir / ".daemon.json.4194303.tmp"
    gone.touch()
    told = {f["check"]: f for f in ready("doctor", "--json").document}
    assert (told["leftovers"]["verdict"], told["leftovers"]["hint"]) == ("warning", f"rm -r {gone}")


def test_a_backup_in_the_making_is_no_leftover(ready: Waiaas, here: Installation) -> None:
    from waiaas.cli.checks import directory
    from waiaas.store.unfinished import making

    folder = here.loaded.layout.backups / ".tmp-manual-1.8.0-x"
    with making(Files(), folder):
        assert not list(found(directory.leftovers, here))
    assert folder.exists()
    (told,) = found(directory.leftovers, here)
    assert told.hint == f"rm -r {folder}"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: another user's file")
def test_what_sudo_left_in_the_directory_is_a_problem(ready: Waiaas, data_dir: Path) -> None:
    os.chown(data_dir / "config.toml", 4321, 4321)
    told = [f for f in ready("doctor", "--json").document if f["verdict"] == "problem"]
    assert [f["check"] for f in told] == ["rights"]
    assert "belongs to user 4321" in told[0]["message"]
    assert told[0]["hint"] == f"sudo chown -R 0:0 {data_dir}"


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [("SSL_CERT_FILE", "/nowhere.pem", "a PEM file"), ("SSL_CERT_FILE", "/", "a PEM file"),
     ("SSL_CERT_DIR", "/etc/passwd", "a folder")],
)  # fmt: skip
def test_certificates_that_cannot_be_read_are_a_problem(
    ready: Waiaas, data_dir: Path, name: str, value: str, kind: str
) -> None:
    (told,) = found(machine.tls, installation(data_dir, Clock(), **{name: value}))
    assert told.hint == f"unset {name}  # or let it name {kind} that can be read"


def test_a_machine_without_certificates_cannot_ask_an_https_feed(
    ready: Waiaas, data_dir: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    environ = {"WAIAAS_UPGRADE_FEED_URL": "https://feed.example/", "SSL_CERT_DIR": str(empty)}
    assert not list(found(machine.tls, installation(data_dir, Clock())))
    (told,) = found(machine.tls, installation(data_dir, Clock(), **environ))
    assert told.hint.startswith("sudo apt install ca-certificates")


# --- service manager; with a real one see tests/systemd -----------------------------------------------


@pytest.mark.parametrize(
    ("state", "told", "hints"),
    [
        ("active", {"UnitFileState": "enabled", "NeedDaemonReload": "no"}, []),
        ("active", {}, []),
        ("failed", {}, ["journalctl -u waiaas.service -n 50  # then: sudo systemctl restart waiaas.service"]),
        ("active", {"NeedDaemonReload": "yes"}, ["sudo systemctl daemon-reload"]),
        ("active", {"UnitFileState": "disabled"}, ["sudo systemctl enable waiaas.service"]),
        ("inactive", {"UnitFileState": "masked"}, ["sudo systemctl unmask waiaas.service"]),
    ],
)
def test_a_unit_that_is_not_well_is_told_with_the_command(
    state: str, told: dict[str, str], hints: list[str]
) -> None:
    unit = Unit("waiaas.service", state, 0, "", 1, "control-group", ())
    assert [finding.hint for finding in service.judged(unit, told)] == hints


# --- init mends the token ---------------------------------------------------------------------------


@pytest.mark.parametrize("empty", [True, False])
def test_init_makes_a_lost_token_anew_and_nothing_else(ready: Waiaas, data_dir: Path, empty: bool) -> None:
    token = data_dir / "admin.token"
    before, mark = token.read_bytes(), (data_dir / "installation.json").read_bytes()
    assert "nothing was changed" in ready("init").out
    assert token.read_bytes() == before
    token.write_bytes(b"") if empty else token.unlink()
    assert {f["check"] for f in ready("doctor", "--json").document if f["verdict"] == "problem"} == {"token"}
    assert "its administration token was lost, and there is a new one" in ready("init").out
    assert token.stat().st_mode & 0o777 == 0o600
    assert len(token.read_bytes()) > 40
    assert token.read_bytes() != before
    assert (data_dir / "installation.json").read_bytes() == mark


def test_init_ends_with_the_three_next_commands_in_one_column(waiaas: Waiaas) -> None:
    lines = waiaas("init").out.splitlines()[-3:]
    assert [line.split()[:2] for line in lines] == [
        ["waiaas", "start"],
        ["waiaas", "status"],
        ["waiaas", "upgrade"],
    ]
    starts = {line.index(why) for line, why in zip(lines, ("run the", "how it", "what is"), strict=True)}
    assert len(starts) == 1
