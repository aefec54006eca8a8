"""Small helpers of the journeys: talk to the daemon, look at a database without touching it."""

import hashlib
import http.client
import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from tests.journeys.workshop import Site

T = TypeVar("T")
VOLATILE = {"audit_log", "sqlite_sequence"}  # UPGR-04: aside wherever equality is asked


def request(
    site: Site, method: str, path: str, body: object = None, *, token: bool = True
) -> tuple[int, Any]:
    """One request to the running daemon; (status, parsed body)."""
    connection = http.client.HTTPConnection("127.0.0.1", site.daemon["port"], timeout=10)
    headers = {"Authorization": f"Bearer {site.token}"} if token else {}
    payload = None if body is None else json.dumps(body)
    if payload:
        headers["Content-Type"] = "application/json"
    with closing(connection):
        connection.request(method, path, payload, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
    return answer.status, json.loads(text) if text else None


def health(site: Site) -> dict[str, Any]:
    status, body = request(site, "GET", "/health", token=False)
    assert status == 200
    assert isinstance(body, dict)
    return body


def eventually(check: Callable[[], T], seconds: float = 60.0) -> T:
    """What `check` answers, once that is true; an error of its own counts as not yet."""
    end = time.monotonic() + seconds
    while True:
        found, why = None, ""
        try:
            found = check()
        except (OSError, ValueError, AssertionError, sqlite3.Error) as problem:
            why = f": {problem!r}"
        if found:
            return found
        assert time.monotonic() < end, f"not so within {seconds:g} s{why}"
        time.sleep(0.02)


def tables(database: Path) -> dict[str, tuple[int, str]]:
    """(rows, digest) of each table, read from a private copy with its WAL; columns by name.

    Only the columns that exist on both sides can be compared after a migration, so the digest is
    over sorted (column, value) pairs; see `without`.
    """
    return {name: (len(rows), _digest(rows)) for name, rows in contents(database).items()}


def contents(database: Path) -> dict[str, list[str]]:
    """Every row of every table as canonical text, but what no equality asks for."""
    with closing(sqlite3.connect(":memory:")) as memory:
        with closing(reader(database)) as source:
            source.backup(memory)
        memory.row_factory = sqlite3.Row
        names = [r[0] for r in memory.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: _rows(memory, name) for name in names if name not in VOLATILE}


def _rows(memory: sqlite3.Connection, name: str) -> list[str]:
    rows = (dict(row) for row in memory.execute(f'SELECT * FROM "{name}"'))
    return sorted(json.dumps(row, sort_keys=True, default=repr) for row in rows if not _aside(name, row))


def _aside(name: str, row: dict[str, Any]) -> bool:
    return name == "key_value_store" and str(row["key"]).startswith("version_check_")


def without(rows: list[str], *columns: str) -> list[str]:
    """The rows without columns that a migration added."""
    kept = [{k: v for k, v in json.loads(row).items() if k not in columns} for row in rows]
    return sorted(json.dumps(row, sort_keys=True) for row in kept)


def _digest(rows: list[str]) -> str:
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def schema(database: Path) -> int:
    with closing(reader(database)) as connection:
        return int(connection.execute("SELECT MAX(version) FROM schema_version").fetchone()[0])


def reader(database: Path) -> sqlite3.Connection:
    """Without a -wal, a reader that leaves none behind."""
    immutable = "" if database.with_name(database.name + "-wal").exists() else "&immutable=1"
    return sqlite3.connect(f"file:{database}?mode=ro{immutable}", uri=True)


def stray(site: Site) -> list[str]:
    """What should not lie about once nothing runs."""
    left = [p.name for p in site.database.parent.iterdir() if p.name not in ("waiaas.db", "waiaas.db.gate")]
    beside = (site.program.parent / ".waiaas").glob("*")
    left += [p.name for p in beside if p.name.startswith(".") or p.name in ("journal", "staged")]
    return left + [p.name for p in site.program.parent.iterdir() if p.name not in ("waiaas", ".waiaas")]
