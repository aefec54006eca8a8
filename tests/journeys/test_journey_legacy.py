"""Data directories of the previous implementation: opened, migrated, refused (scenarios 13, 14, 15)."""

import http.server
import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.api import contents, health, reader, request, schema, without
from tests.journeys.observe import digests
from tests.journeys.workshop import Site, Workshop, site, unpack

ADDED = {"transactions": ("amount_usd", "reserved_amount_usd"), "pending_approvals": ("approval_channel",)}
NEW_TABLES = {"telegram_users", "wc_sessions", "wc_store"}
HISTORY = {"schema_version", "key_value_store"}  # new rows there; the old ones are asked for one by one
OURS_AT_A_REFUSAL = {"daemon.lock", "upgrade.lock", "logs/waiaas.log", "data/waiaas.db.gate"}


class Old:
    """A data directory of an old version, as it was unpacked, and what it held then."""

    def __init__(self, made: Site) -> None:
        self.site = made
        self.files = digests(made.data)
        self.manifest: dict[str, Any] = json.loads((made.data / "manifest.json").read_text())

    def rows(self) -> dict[str, int]:
        """What its own maker counted in each table, the WAL included."""
        return {name: table["rows"] for name, table in self.manifest["tables"].items()}


@contextmanager
def old(workshop: Workshop, tmp_path: Path, legacy: Path, name: str) -> Iterator[Old]:
    with site(tmp_path / name, workshop.current) as made:
        unpack(legacy / f"waiaas-{name}.tar.gz", made.data)
        yield Old(made)


def counts(database: Path) -> dict[str, int]:
    with closing(reader(database)) as db:
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: db.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0] for name in names}


def audit_log(database: Path) -> list[tuple[Any, ...]]:
    with closing(reader(database)) as db:
        return db.execute("SELECT * FROM audit_log ORDER BY id").fetchall()


def test_a_1_5_0_directory_is_adopted_backed_up_and_migrated__MIG_04(
    workshop: Workshop, tmp_path: Path, legacy: Path
) -> None:
    """Scenario 13: every row is there, the old file is the backup, keys and tokens are untouched."""
    with old(workshop, tmp_path, legacy, "1.5.0") as given:
        site = given.site
        before, audited = contents(site.database), audit_log(site.database)
        assert {name: len(rows) for name, rows in before.items()}.items() <= given.rows().items()
        untouched = site.database.stat().st_ino
        site.ok("start", "--detach")
        report = health(site)
        assert (report["status"], report["schemaVersion"]) == ("ok", 16)
        assert len(request(site, "GET", "/v1/wallets")[1]["data"]) == given.rows()["wallets"]
        site.ok("stop")
        after = contents(site.database)
        assert set(after) == set(before) | NEW_TABLES
        for name in set(before) - HISTORY:
            assert without(after[name], *ADDED.get(name, ())) == without(before[name]), name
        assert set(before["schema_version"]) < set(after["schema_version"])
        changed = set(before["key_value_store"]) - set(after["key_value_store"])
        assert [json.loads(row)["key"] for row in changed] == ["kill_switch_state"]  # NORMAL is ACTIVE now
        assert audit_log(site.database)[: len(audited)] == audited
        [backup] = site.json("backup", "list")
        folder = Path(backup["path"])
        assert (backup["kind"], backup["schemaVersion"], backup["version"]) == ("migration", 11, "1.5.0")
        assert (folder / "waiaas.db").stat().st_ino == untouched
        kept = digests(site.data)
        assert kept[str((folder / "waiaas.db").relative_to(site.data))] == given.files["data/waiaas.db"]
        inherited = [
            name for name in given.files if name.startswith(("keystore", "mcp-tokens", "config.toml"))
        ]
        assert {name: kept[name] for name in inherited} == {name: given.files[name] for name in inherited}
        assert json.loads((site.data / "installation.json").read_text())["adoptedFrom"] == "1.5.0"
        assert stat.S_IMODE((site.data / "admin.token").stat().st_mode) == 0o600
        site.ok("start", "--detach")  # nothing more to migrate
        assert len(site.json("backup", "list")) == 1


@pytest.mark.parametrize("name", ["1.5.0", "1.6.0-lived"])
def test_our_migration_equals_the_originals__MIG_07(
    workshop: Workshop, tmp_path: Path, legacy: Path, name: str
) -> None:
    """Compared with what the original 1.8.0 made of the same file, before any daemon has lived on it."""
    oracle = tmp_path / "oracle"
    unpack(legacy / "oracle" / f"waiaas-{name}-to-16.tar.gz", oracle)
    with old(workshop, tmp_path, legacy, name) as given:
        pending = given.site.json("db", "status")
        assert (pending["action"], pending["pending"][-1]) == ("migrate", 16)
        assert given.site.json("db", "migrate")["to"] == 16
        assert given.site.json("db", "status")["action"] == "ok"
        assert given.site.json("db", "check")["ok"] is True
        argv = [sys.executable, str(legacy / "schema_diff.py"), "--preset", "migrated"]
        argv += [str(given.site.database), str(oracle / "waiaas.db")]
        compared = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert compared.returncode == 0, compared.stdout
        assert compared.stdout.startswith("EQUIVALENT")


REFUSED = [
    pytest.param(
        "head", "schema-too-new", ["schema 62", "upgrade your WAIaaS", "`waiaas upgrade "], id="head"
    ),
    pytest.param(
        "1.4.8", "schema-too-old", ["schema 10", "1.4.8", "first upgrade to 1.5.3, then to 1.8.0"], id="1.4.8"
    ),
]


@pytest.mark.parametrize(("name", "code", "words"), REFUSED)
def test_an_incompatible_database_is_refused_and_not_touched__CMPT_02_CMPT_03(
    workshop: Workshop, tmp_path: Path, legacy: Path, name: str, code: str, words: list[str]
) -> None:
    """Scenarios 14 and 15; the directory is not adopted either, and the words need no network."""
    with old(workshop, tmp_path, legacy, name) as given:
        for command in (["start"], ["start", "--detach"], ["init"], ["db", "migrate"]):
            refused = given.site.run("--offline", *command)
            assert refused.code == 6, refused
            assert [word for word in words if word not in refused.err.replace("\n", " ")] == []
        assert given.site.run("--json", "start").json()["error"]["code"] == code
        status = given.site.run("--json", "db", "status")
        assert (status.code, status.json()["action"]) == (6, "reject")
        assert given.site.run("wallets", "list").code == 6
        assert given.site.run("--json", "status").json()["schemaVersion"] == given.manifest["schema_version"]
        after = digests(given.site.data)
        assert {name: after.get(name) for name in given.files} == given.files
        assert set(after) - set(given.files) <= OURS_AT_A_REFUSAL
        assert given.files["data/waiaas.db"] == given.manifest["file_sha256"][""]


def test_a_wal_left_by_a_kill_is_read_with_all_its_rows__MIG_06(
    workshop: Workshop, tmp_path: Path, legacy: Path
) -> None:
    """1.8.0-dirty: stale lock directory, pid file and WAL are no obstacle, and no row of it is lost."""
    with old(workshop, tmp_path, legacy, "1.8.0-dirty") as given:
        site = given.site
        assert given.manifest["file_bytes"]["-wal"] > 0
        assert len(site.json("audit", "--limit", "500")) == given.rows()["audit_log"]
        looked = digests(site.data)
        for name in ("data/waiaas.db", "data/waiaas.db-wal"):
            assert looked[name] == given.files[name], "a look changed the file"
        site.ok("start", "--detach")
        found = counts(site.database)
        found.pop("sqlite_sequence")
        assert found == given.rows()
        assert len(request(site, "GET", "/v1/wallets")[1]["data"]) == given.rows()["wallets"]
        assert site.json("db", "status")["schemaVersion"] == 16
        entries = request(site, "GET", "/v1/admin/audit-log?limit=500")[1]["data"]
        assert len(entries) == given.rows()["audit_log"]
        site.ok("stop")
        assert site.json("db", "check")["ok"] is True
        assert counts(site.database)["transactions"] == given.rows()["transactions"]
        assert [path.name for path in site.database.parent.glob("*-wal")] == []


def test_what_old_rows_hold_can_be_shown__CLI_2(workshop: Workshop, tmp_path: Path, legacy: Path) -> None:
    """Times of any 64-bit number, details that are no JSON, names with escape sequences."""
    with old(workshop, tmp_path, legacy, "1.5.0") as given:
        site = given.site
        site.ok("db", "migrate")
        wallets = site.json("wallets", "list")
        assert len(wallets) == given.rows()["wallets"]
        odd = {pick(wallets, key=lambda w: w["updatedAt"])["id"] for pick in (min, max)}
        said = [site.ok("wallets", "show", found) for found in sorted(odd)]
        said += [site.ok("wallets", "list"), site.ok("audit", "--limit", "500")]
        assert len(said[-1].out.splitlines()) == given.rows()["audit_log"] + 1
        assert [done for done in said if not done.out.replace("\n", "").isprintable()] == []


@pytest.mark.parametrize("path", ["/srv/wallets.db", "elsewhere/../deep/wallets.db"])
def test_a_database_at_a_custom_path_is_found_as_before__DIR_3(
    workshop: Workshop, tmp_path: Path, legacy: Path, path: str
) -> None:
    """The previous implementation joined even an absolute path to the data directory; that is rewritten."""
    with old(workshop, tmp_path, legacy, "1.5.0") as given:
        site = given.site
        there = Path(os.path.normpath(site.data / path.lstrip("/")))
        there.parent.mkdir(parents=True)
        site.database.rename(there)
        config = site.data / "config.toml"
        text = config.read_text().replace('"data/waiaas.db"', f'"{path}"  # ours')
        config.write_text(text)
        assert site.json("db", "status")["schemaVersion"] == 11
        site.ok("start", "--detach")
        site.ok("stop")
        assert schema(there) == 16
        assert site.json("db", "status")["schemaVersion"] == 16
        assert not site.database.exists()
        assert config.read_text() == text.replace('"/srv', '"srv')
        assert site.ok("config", "get", "database.path").out.strip() == path.lstrip("/")
        [backup] = site.json("backup", "list")
        assert (Path(backup["path"]) / "waiaas.db").is_file()


class OldDaemon(http.server.BaseHTTPRequestHandler):
    """Answers as the previous implementation does."""

    def do_GET(self) -> None:
        body = b'{"status":"ok","version":"1.7.0","uptime":3,"timestamp":1795190347}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def old_daemon() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), OldDaemon) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_a_directory_whose_old_daemon_runs_is_refused__DIR_4(
    workshop: Workshop, tmp_path: Path, legacy: Path
) -> None:
    """Recognised by its fresh lock directory or by its port; a stale lock is no obstacle."""
    with old(workshop, tmp_path, legacy, "1.5.0") as given, old_daemon() as port:
        lock = given.site.data / "daemon.lock.lock"
        lock.mkdir()

        def refused(*words: str, **environ: str) -> None:
            done = given.site.run(*words, **environ)
            assert done.code == 75, done
            assert "stop it first" in done.err

        for command in (["start"], ["start", "--detach"], ["init"], ["db", "migrate"]):
            lock.touch()
            refused(*command)
        os.utime(lock, (1, 1))
        refused("start", "--detach", WAIAAS_DAEMON_PORT=str(port))
        refused("db", "migrate", WAIAAS_DAEMON_PORT=str(port))
        after = digests(given.site.data)
        assert {name: after.get(name) for name in given.files} == given.files
        given.site.ok("start", "--detach")
        assert health(given.site)["schemaVersion"] == 16
