"""WAIaaS in a machine, installed by the very commands of docs/operate.md."""

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.journeys.api import eventually
from tests.journeys.chaos import World
from tests.journeys.workshop import REPOSITORY, Done
from tests.systemd.machine import Machine, soon
from tests.systemd.versions import OLD

UNIT, RECOVERY = "waiaas.service", "waiaas-recover.service"
USER = "waiaas"
HASTE = {"WAIAAS_UPGRADE_PROBATION": "1"}
TRACE = "/trace/points"
OWN = "install -D -o waiaas -m 755 /usr/local/bin/waiaas /opt/own/waiaas && chown waiaas /opt/own"
WALLETS = """
import json, urllib.request
token = open("/var/lib/waiaas/admin.token").read().strip()
wallet = {"name": "treasury", "chain": "ethereum", "environment": "mainnet",
          "publicKey": "0x52908400098527886E0F7030069857D2E4169EE7"}
request = urllib.request.Request("http://127.0.0.1:3100/v1/wallets", json.dumps(wallet).encode(),
                                 {"Authorization": "Bearer " + token, "Content-Type": "application/json"})
assert urllib.request.urlopen(request).status == 201
"""


class Installed:
    """What an operator of that machine sees and does. `program` and `data` are its files as we see them."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.program = machine.tree / "usr/local/bin/waiaas"
        self.data = machine.tree / "var/lib/waiaas"

    @property
    def database(self) -> Path:
        return self.data / "data" / "waiaas.db"

    @property
    def journal(self) -> Path:
        return self.program.parent / ".waiaas" / "journal"

    def waiaas(self, *words: str, user: str = "", **environ: str) -> Done:
        return self.machine.run("waiaas", *words, user=user, **environ)

    def upgrade(self, feed: str, *words: str, **environ: str) -> Done:
        return self.waiaas("upgrade", *words, **{**to(feed), **environ})

    def unit(self, *properties: str, name: str = UNIT) -> dict[str, str]:
        return self.machine.show(name, *properties)

    @property
    def pid(self) -> str:
        return self.unit("MainPID")["MainPID"]

    def is_one_process(self) -> None:
        """Wait until the unit is its daemon alone; it looks at the feed in a child, soon after its start."""
        procs = f"/sys/fs/cgroup/system.slice/{UNIT}/cgroup.procs"
        soon(lambda: self.machine.ok("cat", procs).split() == [self.pid])

    def health(self) -> dict[str, Any]:
        done = self.waiaas("health", "--data-dir", "/var/lib/waiaas")
        found = json.loads(done.out)
        assert isinstance(found, dict)
        return found

    def serves(self, version: str) -> None:
        """Wait until the unit is active; it serves that version then, from its own process."""
        soon(lambda: self.unit("ActiveState") == {"ActiveState": "active"})
        health = self.health()
        assert (health["version"], health["status"]) == (version, "ok")
        status = json.loads(self.waiaas("status", "--json").out)
        assert (status["unit"], str(status["pid"])) == (UNIT, self.pid)
        assert status["openRun"] is None

    def history(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.waiaas("upgrade", "--history", "--json").out)
        return found

    def world(self) -> World:
        """Program and data; nothing may be running."""
        return World.of(self)

    def drop_in(self, text: str) -> None:
        """As `systemctl edit` makes one."""
        folder = self.machine.tree / f"etc/systemd/system/{UNIT}.d"
        folder.mkdir(exist_ok=True)
        (folder / "test.conf").write_text(text)
        self.machine.ok("systemctl", "daemon-reload")

    def cut_short(self, feed: str, point: str) -> "subprocess.Popen[bytes]":
        """An upgrade that waits at that operation; see versions.POWER."""
        self.machine.ok("sh", "-c", f"mkdir -m 1777 /trace && touch {TRACE} && chmod 666 {TRACE}")
        at = {"WAIAAS_TRACE": TRACE, "WAIAAS_CUT": point}
        upgrade = self.machine.spawn("waiaas", "upgrade", **to(feed), **at)
        eventually(self.waits.exists)
        return upgrade

    @property
    def waits(self) -> Path:
        """Is there while an upgrade waits."""
        return self.machine.tree / f"{TRACE}.cut".lstrip("/")

    def said(self, unit: str = UNIT) -> list[dict[str, str]]:
        """What the journal has of a unit's processes, oldest first."""
        told = self.told("--output=json", f"_SYSTEMD_UNIT={unit}")
        return [json.loads(line) for line in told.splitlines()]

    def told_by_systemd(self) -> list[str]:
        """What systemd itself says of the unit."""
        return self.told("--output=cat", f"UNIT={UNIT}").splitlines()

    def told(self, *of: str) -> str:
        """All that was said until now: the journal is written by a process of its own, with a delay."""
        self.machine.ok("journalctl", "--sync")
        return self.machine.ok("journalctl", "--quiet", *of)


def to(feed: str) -> dict[str, str]:
    """The environment of an upgrade from that feed, in a hurry."""
    return {"WAIAAS_UPGRADE_FEED_URL": f"file:///srv/feeds/{feed}/", **HASTE}


def documented(topic: str) -> str:
    """The block that follows a marker of docs/operate.md."""
    text = (REPOSITORY / "docs" / "operate.md").read_text()
    found = re.search(rf"<!-- systemd: {re.escape(topic)} -->\n```\w+\n(.*?)```", text, re.DOTALL)
    assert found, f"docs/operate.md has nothing for {topic}"
    return found[1]


def typed(machine: Machine, topic: str) -> None:
    """The documented commands, typed by root in /root."""
    script = documented(topic).replace("X.Y.Z", OLD)
    machine.ok("bash", "-euc", f'cd /root; sudo() {{ "$@"; }}\n{script}')


def install(machine: Machine, versions: Path) -> Installed:
    """By the documented commands, in a folder with what an operator has downloaded."""
    downloads = machine.tree / "root"
    shutil.copy(versions / f"{OLD}.pyz", downloads / f"waiaas-{OLD}.pyz")
    for name in (UNIT, RECOVERY):
        shutil.copy(REPOSITORY / "build" / name, downloads)
    shutil.copytree(versions / "feeds", machine.tree / "srv" / "feeds")
    typed(machine, "install")
    machine.ok("/usr/bin/python3", "-I", "-c", WALLETS)
    return Installed(machine)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
