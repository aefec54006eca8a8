"""Upgrades that were cut short: the next boot finishes or undoes them, to one of two worlds and nothing
between (UPGR-06, UPGR-13, UPGR-15)."""

import os
import signal
from pathlib import Path

import pytest

from tests.journeys.api import eventually, stray
from tests.journeys.chaos import World, which
from tests.systemd.installed import RECOVERY, TRACE, UNIT, Installed
from tests.systemd.machine import soon

STARTED = "journal.done:append#7"  # the new version has served through its probation
CUTS = [  # each is the operation that did not happen any more
    pytest.param("journal.intent:append#2", "old", id="before it stops the daemon"),
    pytest.param("swap.program:rename#1", "old", id="before the swap"),
    pytest.param("migrate.swap:fsync-directory#1", "old", id="just after the migration"),
    pytest.param(STARTED, "old", id="while the new version serves"),
    pytest.param("journal.committed:append#1", "old", id="before it commits"),
    pytest.param("history:append#1", "new", id="just after it committed"),
]
VERSIONS = {"old": "1.8.0", "new": "1.9.0"}


def settled(installed: Installed, worlds: dict[str, World], world: str) -> None:
    """The unit serves that version; nothing is open, nothing lies about, nothing is mixed."""
    installed.serves(VERSIONS[world])
    soon(lambda: installed.unit("ActiveState", name=RECOVERY) == {"ActiveState": "inactive"})
    assert not installed.journal.exists()
    installed.machine.ok("systemctl", "stop", UNIT)
    assert which(installed, worlds["old"], worlds["new"]) == world
    assert stray(installed) == []


@pytest.mark.parametrize(("point", "world"), CUTS)
def test_after_a_power_cut_the_next_boot_settles_it__UPGR_06(
    installed: Installed, worlds: dict[str, World], point: str, world: str
) -> None:
    installed.cut_short("minor", point)
    installed.machine.cut()
    assert installed.journal.exists()
    installed.machine.boot()
    settled(installed, worlds, world)


def test_the_recovery_of_a_boot_may_be_cut_too__UPGR_06(
    installed: Installed, worlds: dict[str, World]
) -> None:
    """In the middle of undoing the swap, before the unit's daemon has started. It may take longer than a
    start may, too."""
    installed.cut_short("minor", STARTED)
    environment = f"Environment=WAIAAS_TRACE={TRACE}.boot WAIAAS_CUT=swap.back:rename#1"
    installed.drop_in(f"[Service]\n{environment}\nTimeoutStartSec=2\n")
    installed.machine.cut()
    installed.machine.boot(wait=False)
    eventually(Path(f"{installed.machine.tree}{TRACE}.boot.cut").exists, 90)
    installed.machine.ok("sleep", "3")
    assert installed.unit("SubState") == {"SubState": "start-pre"}
    installed.machine.cut()
    (installed.machine.tree / f"etc/systemd/system/{UNIT}.d/test.conf").unlink()
    installed.machine.boot()
    settled(installed, worlds, "old")


def test_a_version_that_cannot_start_at_all_is_undone_on_failure__UPGR_13(
    installed: Installed, worlds: dict[str, World]
) -> None:
    """It cannot recover either. The kept program does it, and starts the unit: after its last start in
    vain, or, since systemd 254, after the first one."""
    installed.cut_short("dead-later", STARTED)
    installed.machine.cut()
    (installed.machine.tree / "etc/waiaas-is-dead").touch()
    installed.machine.boot(wait=False)
    soon(lambda: not installed.journal.exists(), 90)
    assert any("Triggering OnFailure=" in line for line in installed.told_by_systemd())
    said = [line["MESSAGE"] for line in installed.said(RECOVERY)]
    assert any("finishing the interrupted run" in line for line in said), said
    settled(installed, worlds, "old")
    assert installed.unit("Result", name=RECOVERY) == {"Result": "success"}


def test_a_supervisor_that_is_killed_leaves_no_new_version_behind__UPGR_15(
    installed: Installed, worlds: dict[str, World]
) -> None:
    """The daemon may not commit, because it may not write beside the program: it ends, for recovery."""
    upgrade = installed.cut_short("minor", STARTED)
    assert installed.unit("StatusText") == {"StatusText": "version 1.9.0 on 127.0.0.1:3100, on probation"}
    for pid in Path(f"/proc/{upgrade.pid}/task/{upgrade.pid}/children").read_text().split():
        os.kill(int(pid), signal.SIGKILL)
    soon(lambda: not installed.journal.exists())
    settled(installed, worlds, "old")
    said = [line["MESSAGE"] for line in installed.said() if line["PRIORITY"] == "3"]
    assert any("supervisor is gone" in line for line in said), said


def test_who_starts_the_unit_during_an_upgrade_waits_for_it__UPGR_15(
    installed: Installed, worlds: dict[str, World]
) -> None:
    """The start of an operator, or of a boot, is the one that the supervisor waits for later."""
    upgrade = installed.cut_short("minor", "migrate.swap:fsync-directory#1")
    installed.machine.ok("systemctl", "start", "--no-block", UNIT)
    soon(lambda: installed.unit("SubState") == {"SubState": "start-pre"})
    installed.waits.rmdir()
    assert upgrade.wait(60) == 0
    settled(installed, worlds, "new")
