"""Two owners: root owns the program, another user the data; what that user plants has no effect
(UPGR-14, DIR-2). Needs root, because it needs two real users."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.api import health, stray
from tests.journeys.workshop import PYTHON, Feed, Site, Workshop

USER = 4321  # nobody in particular, and not in the user table
FORGER = """
import json, os, sys, time
path, socket = sys.argv[1:]
tests = os.getppid()
print("at work", flush=True)
while os.getppid() == tests:
    try:
        with open(path) as stream:
            known = json.load(stream)
        known["socket"] = socket
        with open(path + ".forged", "w") as stream:
            json.dump(known, stream)
        os.replace(path + ".forged", path)
    except (OSError, ValueError):
        pass
    time.sleep(0.01)
"""
SECRET = "the content of a file that only root may read"


def _anybodys_python() -> str:
    """A Python that USER may run too; the one of the tests may lie in root's home."""
    for candidate in (PYTHON, "/usr/bin/python3", "/usr/local/bin/python3"):
        words = [candidate, "-I", "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
        try:
            if subprocess.run(words, user=USER, group=USER, cwd="/", check=False).returncode == 0:
                return candidate
        except OSError:
            continue
    return ""


pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: two owners are two real users")


@pytest.fixture
def owned(workshop: Workshop) -> Iterator[Site]:
    """root's program, USER's data directory with its daemon running as USER."""
    folder = Path(tempfile.mkdtemp(prefix="waiaas-owners-"))
    folder.chmod(0o755)
    feed = workshop.feed(folder / "feed", workshop.current, workshop.minor)
    site = Site(folder / "site", workshop.current, feed.url)
    site.python = _anybodys_python()
    if not site.python:
        pytest.skip("no Python >= 3.11 that another user may run")
    site.data.mkdir()
    os.chown(site.data, USER, USER)
    as_user(site, "init")
    as_user(site, "start", "--detach")
    yield site
    site.close()
    feed.close()
    shutil.rmtree(folder)


def as_user(site: Site, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = tried_as_user(site, *arguments)
    assert done.returncode == 0, done.stderr
    return done


def tried_as_user(site: Site, *arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [site.python, "-I", str(site.program), "--data-dir", str(site.data), *arguments]
    return subprocess.run(
        argv,
        cwd="/",
        env=site.environ,
        user=USER,
        group=USER,
        extra_groups=[],
        capture_output=True,
        text=True,
    )


def foreign_files(site: Site) -> list[str]:
    """Files in the data directory that do not belong to its owner."""
    return [str(path) for path in site.data.rglob("*") if path.lstat().st_uid != USER]


def user_of(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("Uid:")).split()[1])


def test_root_upgrades_and_rolls_back_as_two_owners__UPGR_14(owned: Site) -> None:
    """Program files stay root's, data stay the user's, the daemon never runs as root."""
    owned.ok("upgrade")
    assert health(owned)["schemaVersion"] == 17
    assert user_of(owned.daemon["pid"]) == USER
    assert foreign_files(owned) == []
    assert owned.program.stat().st_uid == 0
    owned.ok("upgrade", "--rollback")
    assert health(owned)["version"] == "1.8.0"
    assert user_of(owned.daemon["pid"]) == USER
    assert foreign_files(owned) == []
    owned.ok("stop")
    assert stray(owned) == []


def test_other_commands_of_root_leave_nothing_of_root__UPGR_14(owned: Site) -> None:
    for words in (("backup", "create"), ("status",), ("kill-switch", "on"), ("doctor",), ("stop",)):
        owned.run(*words)
    owned.ok("start", "--detach")
    assert user_of(owned.daemon["pid"]) == USER
    assert foreign_files(owned) == []


def test_a_program_whose_group_is_not_its_owners__UPGR_14(owned: Site) -> None:
    """As `install -o` leaves one to a user. Only root could give the next file that group: where it makes
    no difference, it gets the user's; where it does, nothing is changed."""
    os.chown(owned.program.parent, USER, USER)
    os.chown(owned.program, USER, 0)
    as_user(owned, "upgrade")
    found = owned.program.stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (USER, USER, 0o755)
    os.chown(owned.program, USER, 0)
    owned.program.chmod(0o750)
    done = tried_as_user(owned, "upgrade", "--rollback")
    assert (done.returncode, "not in the group of" in done.stderr) == (1, True), done
    assert (health(owned)["version"], owned.program.stat().st_gid) == ("1.9.0", 0)


def test_the_daemons_user_cannot_replace_the_program__UPGR_10(owned: Site) -> None:
    done = tried_as_user(owned, "upgrade")
    assert done.returncode == 1
    assert f"hint: sudo {owned.program} --data-dir {owned.data} upgrade" in done.stderr


def test_who_may_not_write_the_program_is_told_his_own_command_for_root__CLI_2(owned: Site) -> None:
    for words in ("--rollback --keep-data", "--recover", "--to 1.9.0 --no-start", "--from /x/b.tgz"):
        done = tried_as_user(owned, "upgrade", *words.split())
        assert f"hint: sudo {owned.program} --data-dir {owned.data} upgrade {words}\n" in done.stderr


def test_planted_upgrade_settings_decide_nothing__UPGR_14(
    owned: Site, workshop: Workshop, tmp_path: Path
) -> None:
    """A feed and a root of trust of the attacker's own in the user's config.toml."""
    evil = Workshop(owned.folder.parent / "evil")
    feed = Feed(evil, owned.folder.parent / "evil-feed")
    feed.publish(evil.build("6.6.6"), keys=evil.keys)
    config = owned.data / "config.toml"
    trust = f'\n[upgrade]\nfeed_url = "{feed.url}"\ntrusted_root = "{evil.keys / "root.json"}"\n'
    config.write_text(config.read_text() + trust)
    environ = owned.environ.pop("WAIAAS_UPGRADE_FEED_URL")
    done = owned.run("upgrade", "--check")
    owned.environ["WAIAAS_UPGRADE_FEED_URL"] = environ
    feed.close()
    assert feed.requests == []
    assert "6.6.6" not in done.out + done.err
    beside = owned.program.parent / ".waiaas/config.toml"
    assert f"warning: upgrade.feed_url, upgrade.trusted_root of {config} decide nothing about" in done.err
    assert f"; put them into {beside}\n" in done.err


def test_planted_links_and_journals_change_nothing_of_root__UPGR_14(owned: Site) -> None:
    """Links at every path in the data directory that a run writes, and a journal of the user's."""
    secret = owned.folder / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    as_user(owned, "stop")
    for name in (
        "upgrade.lock",
        "daemon.json",
        "logs/waiaas.log",
        "data/.waiaas.db.rehearsal",
        "data/waiaas.db.gate",
    ):
        path = owned.data / name
        path.unlink(missing_ok=True)
        path.symlink_to(secret)
        os.chown(path, USER, USER, follow_symlinks=False)
    planted = owned.data / ".waiaas"
    planted.mkdir()
    opened = {"event": "opened", "at": 1, "facts": {"run": "evil", "format": 1, "program": "/bin/sh"}}
    (planted / "journal").write_text(json.dumps(opened) + "\n")
    before = owned.program.read_bytes()
    done = owned.run("upgrade")
    assert secret.read_text() == SECRET
    assert SECRET not in done.out + done.err
    assert secret.stat().st_uid == 0
    assert owned.program.read_bytes() == before
    assert not (owned.program.parent / ".waiaas" / "journal").exists()


def test_a_planted_backup_and_pythonpath_take_no_effect__UPGR_14(owned: Site) -> None:
    """A program inside a backup is never installed; a sitecustomize is never loaded."""
    owned.ok("upgrade")
    upgraded = owned.program.read_bytes()
    for program in (owned.data / "backups").rglob("*.pyz"):
        program.unlink()
        program.write_text("#!/bin/sh\ntouch /tmp/pwned\n")
    trap = owned.data / "trap"
    trap.mkdir()
    mark = owned.folder / "loaded"
    (trap / "sitecustomize.py").write_text(f"open({str(mark)!r}, 'w')")
    done = owned.run("upgrade", "--rollback", PYTHONPATH=str(trap))
    assert (done.code, "is damaged" in done.err) == (1, True)
    assert not mark.exists()
    assert owned.program.read_bytes() == upgraded


def test_a_forged_socket_is_never_asked_by_root__UPGR_14(owned: Site) -> None:
    """The user rewrites daemon.json all the time, towards a socket that only root may open."""
    private, listener = owned.folder / "root.sock", socket.socket(socket.AF_UNIX)
    listener.bind(str(private))
    private.chmod(0o600)
    listener.listen()
    listener.setblocking(False)
    argv = [owned.python, "-c", FORGER, str(owned.data / "daemon.json"), str(private)]
    forger = subprocess.Popen(argv, user=USER, group=USER, extra_groups=[], cwd="/", stdout=subprocess.PIPE)
    assert forger.stdout is not None
    forger.stdout.readline()
    try:
        owned.ok("upgrade")
    finally:
        forger.kill()
        forger.communicate()
    with listener, pytest.raises(BlockingIOError):
        listener.accept()
    assert json.loads((owned.data / "daemon.json").read_text())["socket"] == str(private)


def test_a_forged_daemon_json_and_a_fifo_signal_nobody__DIR_2(owned: Site) -> None:
    bystander = subprocess.Popen(["sleep", "60"])
    as_user(owned, "stop")
    forged = {"pid": bystander.pid, "version": "1.8.0", "port": 1, "hostname": "127.0.0.1", "socket": None}
    (owned.data / "daemon.json").write_text(json.dumps(forged))
    (owned.data / "daemon.lock").unlink()
    os.mkfifo(owned.data / "daemon.lock")
    done = owned.run("upgrade", "--no-start")
    assert done.code in (0, 1, 7, 75), done
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()
