"""Looking at an installation from outside: its stored check, its log, its files, its processes."""

import hashlib
import http.client
import json
import os
import sqlite3
import stat
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.journeys.api import eventually, health, reader
from tests.journeys.workshop import PYTHON, Site

LATEST, CHECKED_AT = "version_check_latest", "version_check_checked_at"
NOTIFIED_AT, ERROR = "version_check_notified_at", "version_check_error"
CHECK_KEYS = (LATEST, CHECKED_AT, NOTIFIED_AT, ERROR)


def stored(site: Site, key: str) -> str | None:
    """A value of `key_value_store` in the live database; None where there is none."""
    with closing(reader(site.database)) as connection:
        row = connection.execute("SELECT value FROM key_value_store WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])


def unaudited(site: Site, history: list[dict[str, Any]]) -> list[str]:
    """The runs that the audit log does not have exactly once (UPGR-08)."""
    with closing(reader(site.database)) as connection:
        rows = connection.execute("SELECT details FROM audit_log WHERE event_type LIKE 'UPGRADE_%'")
        entered = Counter(json.loads(row[0]).get("run") for row in rows)
    return [run["run"] for run in history if entered[run["run"]] != 1]


def put(site: Site, key: str, value: str) -> None:
    """Set such a value by hand."""
    with closing(sqlite3.connect(site.database)) as connection, connection:
        connection.execute("INSERT OR REPLACE INTO key_value_store VALUES (?, ?, ?)", (key, value, 0))


def told_ago(site: Site, seconds: int) -> None:
    """As if the last notice had been shown so long ago."""
    put(site, NOTIFIED_AT, str(int(time.time()) - seconds))


def checked(site: Site) -> None:
    """Let a daemon ask the feed once; it is stopped again afterwards."""
    site.ok("start", "--detach")
    eventually(lambda: stored(site, LATEST))
    site.ok("stop", "--quiet")


def warnings(site: Site) -> list[str]:
    """The lines of the log that are worse than information."""
    return [line for line in site.log().splitlines() if " WARNING " in line or " ERROR " in line]


def raw_get(site: Site, path: str) -> tuple[http.client.HTTPResponse, bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", site.daemon["port"], timeout=10)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer, answer.read()


def digests(folder: Path) -> dict[str, str]:
    """The sha256 of every file below `folder`; what is no file says what it is."""
    return {str(path.relative_to(folder)): _digest(path) for path in sorted(folder.rglob("*"))}


def _digest(path: Path) -> str:
    if path.is_symlink():
        return f"link to {path.readlink()}"
    if not path.is_file():
        return "folder" if path.is_dir() else "special"
    return hashlib.sha256(path.read_bytes()).hexdigest()


def open_to_others(folder: Path) -> list[str]:
    """What below `folder` is not 0700 (directories) or 0600 (files, sockets). Links have no mode, and
    an artefact in a backup keeps its own."""
    found = []
    for path in (folder, *folder.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        if not path.is_symlink() and path.suffix != ".pyz" and mode != (0o700 if path.is_dir() else 0o600):
            found.append(f"{path}: {mode:o}")
    return found


@contextmanager
def foreground(site: Site, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A healthy daemon in the foreground, its streams captured; killed at the end if it still runs."""
    argv = [PYTHON, "-I", str(site.program), "--data-dir", str(site.data), "start", *arguments]
    with subprocess.Popen(
        argv, cwd=site.folder, env=site.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as daemon:
        try:
            eventually(lambda: site.daemon["pid"] == daemon.pid and health(site)["status"] == "ok")
            yield daemon
        finally:
            daemon.kill()


@contextmanager
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process of this user that has nothing to do with WAIaaS and dies of any signal."""
    with subprocess.Popen(["sleep", "300"]) as process:
        try:
            yield process
        finally:
            process.kill()


def ended(pid: int) -> bool:
    """The process is gone, or a zombie that nobody has waited for."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def kill_9(site: Site) -> int:
    """Kill the detached daemon and wait until it is gone; its pid."""
    pid = int(site.daemon["pid"])
    os.kill(pid, 9)
    eventually(lambda: ended(pid))
    return pid


def wrong(found: list[dict[str, str]]) -> dict[str, list[dict[str, str]]]:
    """The findings that are none, by their check."""
    told: dict[str, list[dict[str, str]]] = {}
    for finding in found:
        assert set(finding) == {"check", "verdict", "message", "hint"}
        if finding["verdict"] != "ok":
            told.setdefault(finding["check"], []).append(finding)
    return told
