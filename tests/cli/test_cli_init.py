"""A new data directory, and the adoption of an old one (DIR-1, DIR-3, DIR-4)."""

import contextlib
import json
import os
import sqlite3
import stat
import tarfile
import threading
import tomllib
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.conftest import Waiaas
from tests.tars import extract
from waiaas.cli.adopt import with_relative_path
from waiaas.core.errors import Exit

LEGACY_CONFIG = """\
# WAIaaS Configuration
# kept as it is

[daemon]
port = {port}
hostname = "127.0.0.1"

[database]
path = "{path}"  # here it is
"""
NOBODY = 1  # a port where nothing listens


def legacy_directory(folder: Path, path: str = "data/waiaas.db", port: int = NOBODY) -> Path:
    """A directory as the previous implementation leaves it, with a database of schema 16."""
    from waiaas.host.clock import Clock
    from waiaas.host.files import Files
    from waiaas.store import schema

    database = folder / path.lstrip("/")
    database.parent.mkdir(parents=True)
    schema.create(Files(), Clock(), database)
    (folder / "keystore").mkdir()
    (folder / "keystore/wallet.json").write_text("{}")
    (folder / "config.toml").write_text(LEGACY_CONFIG.format(path=path, port=max(port, 1)))
    return database


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_init_creates_everything_private__DIR_1(waiaas: Waiaas, data_dir: Path) -> None:
    umask = os.umask(0)
    try:
        ran = waiaas("init")
    finally:
        os.umask(umask)
    assert ran.code == 0
    assert "waiaas start --detach" in ran.out
    for path in (data_dir, *data_dir.rglob("*")):
        assert _mode(path) == (0o700 if path.is_dir() else 0o600), path
    assert len((data_dir / "admin.token").read_text().strip()) == 43
    mark = json.loads((data_dir / "installation.json").read_text())
    assert len(mark["id"]) == 32
    assert mark["adoptedFrom"] is None
    settings = (data_dir / "config.toml").read_text()
    assert tomllib.loads(settings) == {}
    assert tomllib.loads(settings.replace("# [", "[").replace("# port", "port"))["daemon"] == {"port": 3100}
    assert waiaas("db", "status", "--json").document["schemaVersion"] == 16


def test_init_twice_changes_nothing(ready: Waiaas, data_dir: Path) -> None:
    before = {p: p.read_bytes() for p in data_dir.rglob("*") if p.is_file()}
    ran = ready("init", "--json")
    assert (ran.code, ran.document["created"]) == (0, False)
    assert {p: p.read_bytes() for p in data_dir.rglob("*") if p.is_file()} == before


def test_init_refuses_a_directory_of_something_else(waiaas: Waiaas, data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / "holiday.jpg").write_text("x")
    ran = waiaas("init", "--json")
    assert ran.code == Exit.USAGE
    assert ran.error["code"] == "not-empty"
    assert "holiday.jpg" in ran.error["message"]
    assert [p.name for p in data_dir.iterdir()] == ["holiday.jpg"]


def test_init_takes_an_empty_volume(waiaas: Waiaas, data_dir: Path) -> None:
    (data_dir / "lost+found").mkdir(parents=True)
    data_dir.chmod(0o755)
    ran = waiaas("init")
    assert ran.code == 0
    assert "chmod 700" in ran.err


def test_init_killed_half_way_can_be_repeated(waiaas: Waiaas, data_dir: Path) -> None:
    waiaas("init")
    (data_dir / "installation.json").unlink()
    (data_dir / "data/waiaas.db").unlink()
    assert waiaas("init").code == 0
    assert waiaas("db", "check").code == 0


@pytest.mark.parametrize("path", ["/srv/wallets.db", "//srv//x.db", "custom/place.db"])
def test_old_database_path_is_joined_before_and_after_adoption__DIR_3(
    waiaas: Waiaas, data_dir: Path, path: str
) -> None:
    database = legacy_directory(data_dir, path)
    before = waiaas("db", "status", "--json").document
    digest = database.read_bytes()
    ran = waiaas("init", "--json")
    assert ran.code == 0
    assert Path(ran.document["database"]) == Path(os.path.normpath(database))
    assert waiaas("db", "status", "--json").document == before
    assert database.read_bytes() == digest
    text = (data_dir / "config.toml").read_text()
    assert text == LEGACY_CONFIG.format(path=path.lstrip("/"), port=NOBODY)
    kept = data_dir / "config.toml.before-adoption"
    assert kept.exists() == path.startswith("/")
    assert json.loads((data_dir / "installation.json").read_text())["adoptedFrom"] == "1.8.0"
    assert waiaas("init", "--json").document["state"] == "already initialised"


def test_absolute_path_in_our_own_directory_is_absolute(ready: Waiaas, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.db"
    (tmp_path / "data/data/waiaas.db").rename(elsewhere)
    assert ready("config", "set", "database.path", str(elsewhere)).code == 0
    assert ready("db", "status").code == 0


def test_variable_that_adoption_would_reinterpret_is_refused(waiaas: Waiaas, data_dir: Path) -> None:
    legacy_directory(data_dir, "/srv/x.db")
    ran = waiaas("init", "--json", environ={"WAIAAS_DATABASE_PATH": "/srv/x.db"})
    assert ran.code == Exit.USAGE
    assert ran.error["code"] == "absolute-database-path"
    assert not (data_dir / "installation.json").exists()


def test_commands_open_an_old_directory_without_adopting_it(waiaas: Waiaas, data_dir: Path) -> None:
    legacy_directory(data_dir)
    assert waiaas("status", "--json").document["schemaVersion"] == 16
    assert waiaas("backup", "list").code == 0
    assert not (data_dir / "installation.json").exists()
    assert not (data_dir / "admin.token").exists()


def test_old_directory_that_never_had_a_database_gets_one(waiaas: Waiaas, data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / "keystore").mkdir()
    (data_dir / "config.toml").write_text(LEGACY_CONFIG.format(path="data/waiaas.db", port=NOBODY))
    assert waiaas("init").code == 0
    assert waiaas("db", "status").code == 0


def test_database_is_not_invented_beside_keys(waiaas: Waiaas, data_dir: Path) -> None:
    database = legacy_directory(data_dir)
    database.unlink()
    assert waiaas("init").code == 0
    assert not database.exists()


def test_fresh_lock_of_the_old_daemon_is_respected__DIR_4(waiaas: Waiaas, data_dir: Path) -> None:
    legacy_directory(data_dir)
    (data_dir / "daemon.lock.lock").mkdir()
    ran = waiaas("init", "--json")
    assert ran.code == Exit.BUSY
    assert "stop it first" in ran.error["message"]
    assert not (data_dir / "installation.json").exists()


def test_stale_lock_of_the_old_daemon_is_no_obstacle__DIR_4(waiaas: Waiaas, data_dir: Path) -> None:
    legacy_directory(data_dir)
    lock = data_dir / "daemon.lock.lock"
    lock.mkdir()
    os.utime(lock, (1_700_000_000, 1_700_000_000))
    assert waiaas("init").code == 0


@contextlib.contextmanager
def answering(body: bytes) -> Iterator[int]:
    """Something on a port that answers /health with `body`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_old_daemon_is_recognised_by_its_port__DIR_4(waiaas: Waiaas, data_dir: Path) -> None:
    with answering(b'{"status": "ok", "version": "1.8.0"}') as port:
        legacy_directory(data_dir, port=port)
        assert waiaas("init").code == Exit.BUSY
    assert waiaas("init").code == 0


def test_our_own_kind_on_that_port_is_no_old_daemon__DIR_4(waiaas: Waiaas, data_dir: Path) -> None:
    with answering(b'{"status": "ok", "version": "1.8.0", "implementation": "python"}') as port:
        legacy_directory(data_dir, port=port)
        assert waiaas("init").code == 0


@pytest.mark.parametrize("name", ["waiaas-1.5.0", "waiaas-1.5.3", "waiaas-1.6.0-lived", "waiaas-1.8.0-dirty"])
def test_real_old_directory_is_adopted_with_its_database_untouched(
    waiaas: Waiaas, data_dir: Path, tmp_path: Path, name: str
) -> None:
    folder = Path(os.environ.get("WAIAAS_LEGACY_DIR", Path(__file__).parents[3] / "shared/legacy"))
    archive = folder / f"{name}.tar.gz"
    if not archive.exists():
        pytest.skip(f"{archive.name} is not at hand")
    with tarfile.open(archive) as tar:
        extract(tar, tmp_path)
    (tmp_path / name).rename(data_dir)
    config = data_dir / "config.toml"
    config.write_text(config.read_text().replace("3100", str(NOBODY)))
    names = [n for n in ("waiaas.db", "waiaas.db-wal") if (data_dir / "data" / n).exists()]
    before = {n: (data_dir / "data" / n).read_bytes() for n in names}
    assert waiaas("init").code == 0
    assert {n: (data_dir / "data" / n).read_bytes() for n in names} == before
    with closing(sqlite3.connect(f"file:{data_dir}/data/waiaas.db?mode=ro", uri=True)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM wallets").fetchone()[0] > 0


def test_old_directory_that_cannot_be_served_is_not_adopted__CMPT_02(waiaas: Waiaas, data_dir: Path) -> None:
    database = legacy_directory(data_dir)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("INSERT INTO schema_version VALUES (62, 1, 'far ahead')")
        connection.commit()
    content = database.read_bytes()
    assert waiaas("init").code == Exit.SCHEMA
    assert database.read_bytes() == content
    assert not (data_dir / "installation.json").exists()


@pytest.mark.parametrize(
    "text",
    [
        '[database]\npath = "/srv/x.db"\n',
        "[database]\npath = '/srv/x.db' # why\n",
        'database.path = "/srv/x.db"\n',
        'database = { path = "/srv/x.db" }\n',
        '# path = "/no"\n[other]\npath = "/a"\n[database]\n"path" = "/srv/x.db"\n',
        '[database]\npath = """/srv/x.db"""\n',
    ],
)
def test_absolute_path_is_edited_wherever_it_stands(text: str) -> None:
    before, after = tomllib.loads(text), tomllib.loads(with_relative_path(text))
    before["database"]["path"] = "srv/x.db"
    assert after == before


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=40))
def test_editing_keeps_everything_but_the_path(comment: str) -> None:
    line = "# " + "".join(c for c in comment if c.isprintable())
    text = f'{line}\n[daemon]\nport = 1 {line}\n[database]\npath = "/a/b.db" {line}\n'
    assert with_relative_path(text) == text.replace('"/a/b.db"', '"a/b.db"', 1)
