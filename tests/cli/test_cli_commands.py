"""The plain commands, with no daemon at work."""

import json
import os
import tomllib
from pathlib import Path

import pytest

from tests.cli.conftest import Waiaas
from waiaas import __version__
from waiaas.cli.commands import PLAIN
from waiaas.cli.parser import build
from waiaas.core.compat import LATEST_SCHEMA_VERSION, MIN_COMPATIBLE_SCHEMA_VERSION
from waiaas.core.errors import Exit
from waiaas.core.layout import Layout
from waiaas.host.locks import Lock


def _layout(data_dir: Path) -> Layout:
    return Layout(data_dir, data_dir / "data/waiaas.db", data_dir / "config.toml")


def test_bad_settings_stop_a_command_with_every_finding__exit_2(ready: Waiaas, data_dir: Path) -> None:
    (data_dir / "config.toml").write_text(
        '[daemon]\nprot = 1\nport = "x"\nlog_level = "loud"\n[upgrade]\nprobation = -1\nfeed_url = "ftp://x"\n'
    )
    ran = ready("db", "migrate")
    assert ran.code == Exit.USAGE
    assert "5 problems" in ran.err
    for line in (2, 3, 4, 6, 7):
        assert f"line {line}: " in ran.err
    validated = ready("config", "validate", "--json")
    assert validated.code == Exit.USAGE
    assert [p["line"] for p in validated.document["problems"]] == [2, 3, 4, 6, 7]
    assert all(p["hint"] for p in validated.document["problems"])


@pytest.mark.parametrize(
    "argv", [("status",), ("doctor",), ("backup", "list"), ("config", "path"), ("stop",)]
)
def test_looking_and_stopping_work_whatever_the_settings_say(
    ready: Waiaas, data_dir: Path, argv: tuple[str, ...]
) -> None:
    (data_dir / "config.toml").write_text("[nonsense]\nx = 1\n")
    assert ready(*argv).code != Exit.USAGE


def test_status_document_is_the_contract(ready: Waiaas, data_dir: Path) -> None:
    ran = ready("status", "--json")
    assert ran.code == Exit.NOT_READY
    fields = ["running", "pid", "version", "port", "dataDir", "schemaVersion", "uptime", "openRun"]
    assert list(ran.document)[: len(fields)] == fields
    assert ran.document["running"] is False
    assert ran.document["dataDir"] == str(data_dir)


def test_stop_without_a_daemon_is_exit_3(ready: Waiaas) -> None:
    assert ready("stop", "--json").error["code"] == "not-running"
    assert ready("stop").code == Exit.NOT_READY


def test_backup_goes_round__BKUP_1(ready: Waiaas, data_dir: Path) -> None:
    made = ready("backup", "create", "--json").document
    (listed,) = ready("backup", "list", "--json").document
    fields = ["id", "kind", "version", "schemaVersion", "createdAt", "bytes", "path", "verified"]
    assert list(listed) == fields
    assert listed["id"] == made["id"]
    assert listed["kind"] == "manual"
    ready("kill-switch", "on")
    assert ready("backup", "verify").code == 0
    assert ready("backup", "restore", made["id"], "--yes").code == 0
    assert ready("kill-switch", "status", "--json").document["on"] is False
    kinds = [b["id"].split(f"-{__version__}-")[0] for b in ready("backup", "list", "--json").document]
    assert kinds == ["pre-restore", "manual"]


def test_damaged_backup_is_told_and_not_restored__BKUP_3(ready: Waiaas, data_dir: Path) -> None:
    made = ready("backup", "create", "--json").document
    database = Path(made["path"]) / "waiaas.db"
    database.write_bytes(database.read_bytes()[:-1] + b"x")
    live = (data_dir / "data/waiaas.db").read_bytes()
    assert ready("backup", "verify", "--json").error["code"] == "backup-damaged"
    listed = ready("backup", "list", "--verify", "--json")
    assert (listed.code, listed.document[0]["verified"]) == (Exit.FAILED, False)
    assert ready("backup", "restore", made["id"], "--yes").code == Exit.FAILED
    assert (data_dir / "data/waiaas.db").read_bytes() == live


@pytest.mark.parametrize("argv", [("restore",), ("prune", "--keep", "1")])
def test_what_cannot_be_undone_asks_first__CLI_5(ready: Waiaas, argv: tuple[str, ...]) -> None:
    ids = [ready("backup", "create", "--json").document["id"] for _ in range(3)]
    words = (*argv, ids[0]) if argv == ("restore",) else argv
    ran = ready("backup", *words, "--json")
    assert ran.code == Exit.USAGE
    assert ran.error["code"] == "needs-yes"
    assert len(ready("backup", "list", "--json").document) == 3


def test_prune_keeps_the_newest__BKUP_2(ready: Waiaas) -> None:
    ids = [ready("backup", "create", "--json").document["id"] for _ in range(4)]
    ready("backup", "prune", "--keep", "2", "--yes")
    left = [b["id"] for b in ready("backup", "list", "--json").document]
    assert left == [ids[3], ids[2]]
    assert "nothing to remove" in ready("backup", "prune").out


def test_restore_under_a_running_daemon_is_refused__BKUP_3(ready: Waiaas, data_dir: Path) -> None:
    made = ready("backup", "create", "--json").document
    child = os.fork()
    if not child:
        Lock.acquire(_layout(data_dir).daemon_lock, "daemon")
        os.write(1, b"")
        os.kill(os.getpid(), 19)  # SIGSTOP: the lock is held, the parent goes on
        os._exit(0)
    os.waitpid(child, os.WUNTRACED)
    try:
        ran = ready("backup", "restore", made["id"], "--yes", "--json")
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert ran.code == Exit.BUSY
    assert ran.error["code"] == "daemon-running"
    assert str(child) in ran.error["message"]


def test_database_of_another_schema_is_told_with_exit_6__CMPT_02(ready: Waiaas, data_dir: Path) -> None:
    import sqlite3
    from contextlib import closing

    database = data_dir / "data/waiaas.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("INSERT INTO schema_version VALUES (62, 1, 'far ahead')")
        connection.commit()
    content = database.read_bytes()
    ran = ready("db", "status", "--json")
    assert (ran.code, ran.document["action"]) == (Exit.SCHEMA, "reject")
    for argv in (("db", "migrate"), ("wallets", "list"), ("kill-switch", "on"), ("audit",)):
        told = ready(*argv, "--json")
        assert told.code == Exit.SCHEMA
        assert "upgrade your WAIaaS" in told.error["message"]
    assert database.read_bytes() == content


def test_database_that_is_none_is_told_plainly(ready: Waiaas, data_dir: Path) -> None:
    (data_dir / "data/waiaas.db").write_bytes(b"not a database at all" * 100)
    assert ready("db", "status", "--json").error["code"] == "database-damaged"
    checked = ready("db", "check", "--json")
    assert (checked.code, checked.document["ok"]) == (Exit.FAILED, False)
    assert any(f["verdict"] == "problem" for f in ready("doctor", "--json").document)


def test_db_status_document_is_the_contract(ready: Waiaas) -> None:
    document = ready("db", "status", "--json").document
    assert document == {
        "schemaVersion": LATEST_SCHEMA_VERSION,
        "latestSchemaVersion": LATEST_SCHEMA_VERSION,
        "minCompatibleSchemaVersion": MIN_COMPATIBLE_SCHEMA_VERSION,
        "pending": [],
        "action": "ok",
        "reason": document["reason"],
    }


def test_looking_gives_up_at_once_when_the_database_is_moved__DIR_5(ready: Waiaas, data_dir: Path) -> None:
    from waiaas.host.clock import Clock
    from waiaas.host.locks import Gate

    with Gate(_layout(data_dir).gate, Clock()).exclusive():
        assert ready("db", "status").code == Exit.BUSY
        assert ready("status", "--json").document["schemaVersion"] is None


def test_config_set_keeps_a_copy_and_refuses_nonsense(ready: Waiaas, data_dir: Path) -> None:
    before = (data_dir / "config.toml").read_text()
    assert ready("config", "set", "daemon.port", "4000").code == 0
    assert tomllib.loads((data_dir / "config.toml").read_text())["daemon"]["port"] == 4000
    assert (data_dir / "config.toml.before-set").read_text() == before
    assert ready("config", "get", "daemon.port").out == "4000\n"
    after = (data_dir / "config.toml").read_text()
    for key, value in (("daemon.port", "70000"), ("daemon.prot", "1"), ("upgrade.channel", "beta")):
        assert ready("config", "set", key, value).code == Exit.USAGE
    assert (data_dir / "config.toml").read_text() == after


def test_config_show_says_where_each_value_comes_from(ready: Waiaas) -> None:
    assert ready("config", "set", "daemon.port", "3100").code == 0
    shown = ready("config", "show", "--json", environ={"WAIAAS_DAEMON_THREADS": "4"}).document
    assert shown["daemon.threads"] == {"value": 4, "origin": "environment", "default": 16}
    assert shown["daemon.port"]["origin"] == "file"
    assert shown["upgrade.pin"]["origin"] == "default"
    warned = ready("config", "set", "daemon.threads", "8", environ={"WAIAAS_DAEMON_THREADS": "4"})
    assert "warning: WAIAAS_DAEMON_THREADS=4 in the environment is stronger; unset it\n" in warned.err


def test_broken_settings_are_no_success_of_showing_them__CLI_3(ready: Waiaas, data_dir: Path) -> None:
    (data_dir / "config.toml").write_text("[daemon]\nport = 'x'\nthreads = 8\n")
    for words, said in (
        (("get", "daemon.threads"), "8\n"),
        (("get", "daemon.port"), "3100\n"),
        (("show",), ""),
    ):
        ran = ready("config", *words)
        assert ran.code == Exit.USAGE
        assert said in ran.out
        assert "warning: 1 problem in the settings" in ran.err
        assert ready("config", *words, "--json").document


def test_what_people_wrote_into_the_file_survives_many_changes__CLI_2(ready: Waiaas, data_dir: Path) -> None:
    """tomli-w writes no comments; the first copy has them, and stays."""
    path = data_dir / "config.toml"
    path.write_text("# mine\n[daemon]\nport = 3100\n")
    ran = ready("config", "set", "daemon.port", "4000")
    assert f"comments and all, is in {path}.before-set\n" in ran.out
    for number in range(9):
        ready("config", "set", "daemon.port", str(4001 + number))
    assert Path(f"{path}.before-set").read_text().startswith("# mine\n")
    assert "4008" in Path(f"{path}.before-set.5").read_text()
    assert len(list(data_dir.glob("config.toml.before-set*"))) == 5
    assert ready("--json", "config", "set", "daemon.port", "1").document["kept"] == f"{path}.before-set.5"


def test_the_comments_of_a_new_file_stay_in_it__CLI_2(ready: Waiaas, data_dir: Path) -> None:
    path = data_dir / "config.toml"
    before = path.read_text()
    assert ready("config", "set", "daemon.port", "4000").code == 0
    assert path.read_text() == before + "[daemon]\nport = 4000\n"
    path.write_text("# no end of line")
    assert ready("config", "set", "daemon.port", "4000").code == 0
    assert path.read_text() == "# no end of line\n\n[daemon]\nport = 4000\n"


def test_a_setting_of_the_upgrade_counts_at_once__CLI_2(ready: Waiaas) -> None:
    assert 'upgrade.pin = "1"; it counts at once\n' in ready("config", "set", "upgrade.pin", "1").out
    assert (
        "it counts from the next start of the daemon on\n"
        in ready("config", "set", "daemon.threads", "8").out
    )


def test_explicit_config_file_must_exist(ready: Waiaas, tmp_path: Path) -> None:
    assert ready("status", "--config", str(tmp_path / "none.toml"), "--json").error["code"] == "no-config"


def test_config_that_is_no_text_is_told_with_its_line(ready: Waiaas, data_dir: Path) -> None:
    (data_dir / "config.toml").write_bytes(b"[daemon]\nport = \xff\n")
    assert "line 2" in ready("config", "show", "--json").error["message"]


def test_kill_switch_is_audited(ready: Waiaas) -> None:
    assert ready("kill-switch", "on", "--json").document == {"on": True, "state": "SUSPENDED"}
    assert ready("kill-switch", "off", "--json").document == {"on": False, "state": "ACTIVE"}
    events = [(e["eventType"], e["actor"]) for e in ready("audit", "--json").document]
    assert events == [("KILL_SWITCH_RECOVERED", "cli"), ("KILL_SWITCH_ACTIVATED", "cli")]
    (last,) = ready("audit", "--limit", "1", "--type", "KILL_SWITCH_ACTIVATED", "--json").document
    assert last["severity"] == "critical"


def test_unknown_wallet_is_told(ready: Waiaas) -> None:
    assert ready("wallets", "list", "--json").document == []
    assert ready("wallets", "show", "x", "--json").error["code"] == "wallet-not-found"


def test_doctor_document_is_the_contract(ready: Waiaas, data_dir: Path) -> None:
    (data_dir / "admin.token").chmod(0o644)
    found = ready("doctor", "--json").document
    assert all(set(f) == {"check", "verdict", "message", "hint"} for f in found)
    assert {f["verdict"] for f in found} <= {"ok", "warning", "problem"}
    (open_token,) = [f for f in found if "admin.token" in f["message"]]
    assert open_token["hint"] == f"chmod go= {data_dir}/admin.token"


@pytest.mark.parametrize("argv", [("--timeout", "0"), ("--timeout", "x"), ("--url",), ("--url", "x"), ("y",)])
def test_health_refuses_bad_arguments(ready: Waiaas, argv: tuple[str, ...]) -> None:
    assert ready("health", *argv).code == Exit.USAGE


def test_health_of_a_stopped_daemon_is_exit_3(ready: Waiaas, data_dir: Path) -> None:
    assert ready("health").code == Exit.NOT_READY
    (data_dir / "daemon.json").write_text(json.dumps({"pid": 1, "port": 1, "hostname": "127.0.0.1"}))
    assert ready("health", "--json").error["code"] == "not-running"


@pytest.mark.parametrize("words", PLAIN)
def test_words_that_take_no_parser_mean_what_the_parser_says__PRF_3(words: str) -> None:
    command, *others = words.split()
    parsed = vars(build(command).parse_args(others))
    assert {name: value for name, value in parsed.items() if value or name in PLAIN[words]} == PLAIN[words]
