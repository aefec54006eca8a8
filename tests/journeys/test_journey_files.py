"""Around a life: wrong settings, no directory, rights of files, old Pythons (DIR-1, DIR-3, CLI-7)."""

import hashlib
import os
import re
import shutil
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.api import request
from tests.journeys.observe import checked, digests, open_to_others
from tests.journeys.workshop import PLACEHOLDER, PYTHON, Site, Workshop, site
from tests.release.interpreters import NEW, OLD, interpreter

WRONG = """\
[daemon]
port = "3100"
hostnam = "127.0.0.1"
log_level = "loud"

[database]
path = ""

[upgrade]
keep_backups = 0
"""
EMPTY = hashlib.sha256().hexdigest()
FINDINGS = {  # line: key, and what the hint says
    2: ("daemon.port", "3100"),
    3: ("daemon.hostnam", "did you mean daemon.hostname?"),
    4: ("daemon.log_level", "info"),
    7: ("database.path", "data/waiaas.db"),
    10: ("upgrade.keep_backups", "5"),
}
EVERYTHING = {  # each command of the program, with what it needs
    "start": [["start"], ["start", "--detach"]],
    "stop": [["stop"]],
    "restart": [["restart"]],
    "status": [["status"]],
    "health": [["health"]],
    "upgrade": [["upgrade"], ["upgrade", "--check"], ["upgrade", "--rollback"], ["upgrade", "--history"]],
    "backup": [["backup", "create"], ["backup", "list"], ["backup", "prune", "--yes"]],
    "db": [["db", "status"], ["db", "migrate"], ["db", "check"]],
    "config": [["config", "show"], ["config", "set", "daemon.port", "1"], ["config", "validate"]],
    "doctor": [["doctor"]],
    "logs": [["logs"], ["logs", "--follow"]],
    "kill-switch": [["kill-switch", "on"], ["kill-switch", "status"]],
    "wallets": [["wallets", "list"]],
    "audit": [["audit"]],
    "mcp": [["mcp"]],
    "init": [],
    "bundle": [],  # is about a feed and a file
    "completion": [],
}


@pytest.fixture
def bare(workshop: Workshop, tmp_path: Path) -> Iterator[Site]:
    """A program whose data directory does not exist."""
    with site(tmp_path / "bare", workshop.current) as made:
        yield made


def test_five_mistakes_are_five_findings_and_nothing_starts__CLI_2(installed: Site) -> None:
    installed.environ.pop("WAIAAS_DAEMON_PORT")  # it would hide the wrong one in the file
    (installed.data / "config.toml").write_text(WRONG)
    before = {**digests(installed.data), "data/waiaas.db.gate": EMPTY}  # a look may take the gate
    for words in (["start"], ["start", "--detach"], ["restart"], ["config", "validate"]):
        done = installed.run(*words)
        assert done.code == 2, done
        found = re.findall(r"^ *line (\d+): (\S+) .*\((.+)\)$", done.out + done.err, re.MULTILINE)
        assert {int(line): key for line, key, _ in found} == {
            line: key for line, (key, _) in FINDINGS.items()
        }
        assert [hint for line, _, hint in found if FINDINGS[int(line)][1] not in hint] == []
    document = installed.run("--json", "start").json()["error"]
    assert document["code"] == "bad-settings"
    assert all(key in document["message"] for key, _ in FINDINGS.values())
    assert {**digests(installed.data), "data/waiaas.db.gate": EMPTY} == before
    stopped = installed.run("stop")
    assert (stopped.code, "not running" in stopped.err) == (3, True)


def test_a_directory_never_initialised_is_left_alone__DIR_3(bare: Site, tmp_path: Path) -> None:
    """Every command but `init` exits 3 and creates nothing: no directory, and nothing in an empty one."""
    commands = bare.ok("--help").out.split("commands:\n")[1].split("\n\n")[0]
    offered = re.findall(r"^  (\S+)", commands, re.MULTILINE)
    assert set(offered) <= set(EVERYTHING), "a new command: say here what it does without a directory"
    for empty in (False, True):
        if empty:
            bare.data.mkdir()
        for words in (line for name in offered for line in EVERYTHING[name]):
            done = bare.run(*words)
            assert done.code == 3, (words, done)
            assert "is not initialised" in done.err
            assert "waiaas init" in done.err
            assert (list(bare.data.iterdir()) if empty else bare.data.exists()) == ([] if empty else False), (
                words
            )
    assert bare.run("--json", "status").json()["error"]["code"] == "not-initialised"
    assert [path.name for path in bare.program.parent.iterdir()] == ["waiaas"]
    bare.ok("init")
    assert bare.run("status").code == 3


def test_everything_in_the_data_directory_is_private_from_birth_on__DIR_1(
    workshop: Workshop, tmp_path: Path
) -> None:
    """With the loosest umask, over a life with wallets, backups, an upgrade and a roll-back."""
    feed = workshop.feed(tmp_path / "feed", workshop.current, workshop.patch)
    before = os.umask(0)
    try:
        with site(tmp_path / "open", workshop.current, feed.url) as lived:
            lived.ok("init")
            assert open_to_others(lived.data) == []
            checked(lived)
            lived.ok("config", "set", "daemon.log_level", "debug")
            lived.ok("start", "--detach")
            assert request(lived, "GET", "/v1/wallets")[0] == 200
            lived.ok("backup", "create")
            assert open_to_others(lived.data) == []
            lived.ok("upgrade")
            lived.ok("upgrade", "--rollback")
            assert open_to_others(lived.data) == []
            lived.ok("stop")
            assert open_to_others(lived.data) == []
            place = lived.program.parent / ".waiaas"
            assert stat.S_IMODE(lived.program.stat().st_mode) == 0o755
            assert stat.S_IMODE(place.stat().st_mode) == 0o755
            loose = [
                p for p in place.rglob("*") if not p.is_symlink() and stat.S_IMODE(p.stat().st_mode) & 0o022
            ]
            assert loose == [], "only the program's owner may write there (UPGR-14)"
    finally:
        os.umask(before)
        feed.close()


CHANGES = (
    "openat,open,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat"
)
WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_TMPFILE")


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["health"]])
def test_starting_writes_no_file_and_needs_no_home__SHP_2(
    bare: Site, tmp_path: Path, words: list[str]
) -> None:
    """Seen from the kernel where strace is at hand, and from the folders it could have written to."""
    tracer = shutil.which("strace")
    trace = tmp_path / "trace"
    argv = [tracer, "-f", "-qq", "-e", f"trace={CHANGES}", "-o", str(trace)] if tracer else []
    argv += [PYTHON, str(bare.program), "--data-dir", str(bare.data), *words]
    environ = {"PATH": "/nowhere", "WAIAAS_UPGRADE_FEED_URL": PLACEHOLDER}
    before = digests(bare.folder)
    done = subprocess.run(argv, env=environ, cwd=bare.folder, capture_output=True, text=True, check=False)
    assert done.returncode == (3 if words == ["health"] else 0), done.stderr
    assert digests(bare.folder) == before
    if not tracer:
        pytest.skip("strace is not at hand: only the folders were compared")
    lines = trace.read_text().splitlines()
    assert len(lines) > 10
    touched = [line for line in lines if "openat(" not in line or WRITES.search(line)]
    assert [
        line for line in touched if '"/dev/null"' not in line and "+++" not in line and "---" not in line
    ] == []


def test_an_old_python_gets_one_sentence_and_78__CLI_7(bare: Site) -> None:
    """The whole artefact this time; where PATH holds a newer Python, that one takes over."""
    found = {version: python for version in OLD if (python := interpreter(version))}
    if not found:
        pytest.skip("no Python older than 3.11 on this machine")
    for version, python in found.items():
        argv = [python, str(bare.program), "--version"]
        alone = subprocess.run(argv, env={"PATH": "/nowhere"}, capture_output=True, text=True, check=False)
        assert (alone.returncode, alone.stdout) == (78, "")
        assert alone.stderr.count("\n") == 1
        assert f"needs Python 3.11 or newer and this is Python {version}" in alone.stderr
    newer = Path(next(python for version in NEW if (python := interpreter(version))))
    helped = subprocess.run(
        argv, env={"PATH": str(newer.parent)}, capture_output=True, text=True, check=False
    )
    assert (helped.returncode, helped.stdout) == (0, "1.8.0\n")
    assert not bare.data.exists()


def test_files_from_the_future_are_no_obstacle__DIR_2(installed: Site) -> None:
    """Who runs is told by the lock, never by the time of a file."""
    future = time.time() + 10 * 365 * 86400
    for path in installed.data.rglob("*"):
        os.utime(path, (future, future))
    installed.ok("start", "--detach")
    assert installed.json("status")["uptime"] < 3600
