"""One container: bare, hardened, as another user, stopped, asked to upgrade itself (DOCK-01, UPGR-09)."""

import json
import os
from pathlib import Path

import pytest

from tests.containers.artefacts import OLD
from tests.containers.engine import Engine, good
from tests.journeys.api import eventually

TIGHT = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--network", "none")
OTHER = "4321:4321"
SPILL = """
import sqlite3, tempfile
assert tempfile.gettempdir() == "/data", tempfile.gettempdir()
database = sqlite3.connect("")
database.execute("PRAGMA cache_size = 10")
database.execute("CREATE TABLE t AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
                 " LIMIT 30000) SELECT hex(randomblob(50)) AS x FROM n")
database.execute("CREATE INDEX i ON t (x)")
"""

NEWER = """
import sqlite3
with sqlite3.connect("/data/data/waiaas.db") as database:
    database.execute("INSERT OR REPLACE INTO key_value_store VALUES ('version_check_latest', '9.9.9', 1)")
"""


def status(engine: Engine, name: str) -> dict[str, str]:
    """/proc/1/status of the container, which is the daemon itself."""
    lines = engine.ok("exec", name, "cat", "/proc/1/status").splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def zombies(engine: Engine, name: str) -> list[str]:
    """Processes that ended and that nobody has waited for, by now; one may end while this looks."""
    lines = engine.ok("exec", name, "sh", "-c", "cat /proc/[0-9]*/stat 2>/dev/null; true").splitlines()
    return [line for line in lines if line.rpartition(")")[2].split()[0] == "Z"]


def written(engine: Engine, name: str) -> list[str]:
    """What changed outside of the volume. Podman counts its own mounts in /etc."""
    return [line for line in engine.ok("diff", name).splitlines() if line != "C /etc"]


def hardened(engine: Engine) -> tuple[str, ...]:
    """Podman would make /tmp writable all the same."""
    return TIGHT if engine.name == "docker" else (*TIGHT, "--read-only-tmpfs=false")


def test_it_starts_becomes_healthy_and_ends_with_0__DOCK_01(engine: Engine) -> None:
    """On a new volume; outside of it no file is written."""
    with engine.container("bare", engine.image(OLD)) as name:
        engine.healthy(name)
        assert status(engine, name)["Uid"].split() == ["1001"] * 4
        owners = engine.ok("exec", name, "stat", "-c", "%u:%g %a", "/data", "/data/data/waiaas.db")
        assert owners.split("\n")[:2] == ["1001:1001 700", "1001:1001 600"]
        report = json.loads(good(engine.waiaas(name, "health")))
        assert (report["status"], report["version"]) == ("ok", OLD)
        assert engine.stop(name) == 0
        assert written(engine, name) == []
        assert '"stopped"' in engine.logs(name).splitlines()[-1]


def test_it_needs_no_capability_no_network_and_no_writable_root__DOCK_01(engine: Engine) -> None:
    with engine.container("hard", engine.image(OLD), *hardened(engine)) as name:
        engine.healthy(name)
        seen = status(engine, name)
        assert (seen["CapEff"], seen["CapBnd"], seen["NoNewPrivs"]) == ("0" * 16, "0" * 16, "1")
        assert engine.call("exec", name, "touch", "/usr/local/bin/x").code != 0
        good(engine.waiaas(name, "backup", "create"))
        good(engine.waiaas(name, "db", "check"))
        eventually(lambda: not zombies(engine, name))  # process 1 leaves none, so no init is needed
        engine.ok("exec", name, "python3", "-c", SPILL)  # SQLite and Python find a place for temporary files
        assert engine.stop(name) == 0


def folder_of(path: Path, owner: int) -> Path:
    """For a bind mount: a folder whose owner no engine changes. One that an engine made is root's, 0755."""
    path.mkdir(mode=0o700 if owner else 0o755)
    os.chown(path, owner, owner)
    return path


def test_another_user_on_a_folder_of_his__DOCK_01(engine: Engine, near: Path) -> None:
    """`--user 4321:4321`, a user without a name and without a home."""
    folder = folder_of(near / "his", 4321)
    with engine.container("other", engine.image(OLD), "-v", f"{folder}:/data", "--user", OTHER) as name:
        engine.healthy(name)
        assert status(engine, name)["Uid"].split() == ["4321"] * 4
        good(engine.waiaas(name, "status"))
        assert engine.stop(name) == 0
    assert {path.stat().st_uid for path in folder.rglob("*")} == {4321}


@pytest.mark.parametrize(("user", "owner"), [(4321, 1001), (1001, 0)])
def test_a_folder_of_somebody_else_gets_one_hint__DOCK_01(
    engine: Engine, near: Path, user: int, owner: int
) -> None:
    """Whose it is and how to mend it; nothing is created."""
    folder = folder_of(near / "ours", owner)
    mount = ("-v", f"{folder}:/data", "--user", f"{user}:{user}")
    done = engine.call("run", "--rm", *mount, engine.image(OLD))
    assert done.code == 4, done
    error, hint = [line for line in done.err.strip().splitlines() if line.startswith(("waiaas", "hint"))]
    assert f"/data belongs to user {owner}:{owner}, and this is user {user}:{user}" in error
    assert ("--user 1001:1001" in hint) == (owner == 1001)
    assert list(folder.iterdir()) == []
    mending = "touch /data/.keep && " + hint.partition("&& ")[2]
    assert f"chown -R {user}:{user} /data" in mending
    engine.ok(
        "run", "--rm", "--user", "0:0", *mount[:2], "--entrypoint", "sh", engine.image(OLD), "-c", mending
    )
    with engine.container("mended", engine.image(OLD), *mount) as name:
        engine.healthy(name)


def test_another_user_on_a_new_volume_after_the_hint__DOCK_01(engine: Engine) -> None:
    """The engine gives an empty volume the image's owner; what the hint says gives it away for good."""
    with engine.volume("given"):
        mount = ("-v", "given:/data")
        done = engine.call("run", "--rm", *mount, engine.image(OLD), "config", "path")
        assert done.code == 3, done  # mounted once: now it has the owner that the image says
        mending = "touch /data/.keep && chown -R 4321:4321 /data"
        engine.ok(
            "run", "--rm", "--user", "0:0", *mount, "--entrypoint", "sh", engine.image(OLD), "-c", mending
        )
        with engine.container("mended", engine.image(OLD), *mount, "--user", OTHER) as name:
            engine.healthy(name)


def test_the_notice_in_a_container_names_the_command__UPGR_09(engine: Engine) -> None:
    with engine.container("told", engine.image(OLD)) as name:
        engine.healthy(name)
        engine.ok("exec", name, "python3", "-c", NEWER)
        shown = engine.ok("exec", "-t", name, "waiaas", "status")
        assert "Update available: 1.8.0 → 9.9.9" in shown
        assert "Run: docker compose pull && docker compose up -d" in shown


def test_upgrade_in_a_container_refuses_and_names_the_command__UPGR_09(engine: Engine) -> None:
    with engine.container("asked", engine.image(OLD)) as name:
        engine.healthy(name)
        for user in ("1001", "0"):
            done = engine.call("exec", "--user", user, name, "waiaas", "upgrade")
            assert done.code == 1, done
            assert "this program is part of a container image; nothing was changed" in done.err
            assert "docker compose pull && docker compose up -d" in done.err
        refused = json.loads(engine.waiaas(name, "--json", "upgrade", "--rollback").out)
        assert refused["error"]["code"] == "not-ours-to-upgrade"
        assert written(engine, name) == []
