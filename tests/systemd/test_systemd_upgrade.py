"""An upgrade goes through systemd: the unit stops, and starts again with the new version (UPGR-10)."""

import pytest

from tests.systemd.installed import OWN, RECOVERY, UNIT, USER, Installed, digest, to
from tests.systemd.machine import soon

OLD = "1.8.0"


def test_an_upgrade_and_a_roll_back_restart_the_unit__UPGR_10(installed: Installed) -> None:
    """Migration included; each time another process, and always the unit's own."""
    pids = [installed.pid]
    done = installed.upgrade("minor")
    assert done.code == 0, done
    installed.serves("1.9.0")
    assert installed.health()["schemaVersion"] == 17
    soon(lambda: installed.unit("StatusText") == {"StatusText": "version 1.9.0 on 127.0.0.1:3100"})
    pids.append(installed.pid)
    assert installed.upgrade("minor").code == 0  # up to date
    done = installed.waiaas("upgrade", "--rollback")
    assert done.code == 0, done
    installed.serves(OLD)
    pids.append(installed.pid)
    assert len(set(pids)) == 3
    assert [run["outcome"] for run in installed.history()] == ["committed", "committed"]
    assert installed.unit("NRestarts", "Result") == {"NRestarts": "0", "Result": "success"}
    installed.is_one_process()
    assert installed.pid == pids[-1]


@pytest.mark.parametrize(
    ("release", "because"),
    [
        pytest.param("crashes", "I would rather not", id="crashes at its start"),
        pytest.param("hangs", "not ready within 4 s", id="is never ready, deaf to SIGTERM"),
        pytest.param("falls-ill", "did not stay healthy", id="crashes in probation"),
    ],
)
def test_a_broken_release_is_rolled_back__UPGR_07(installed: Installed, release: str, because: str) -> None:
    """Exit 7; systemd's own restarts and its OnFailure= do not get in the way."""
    installed.drop_in("[Service]\nTimeoutStopSec=4\n")
    before = digest(installed.program)
    done = installed.upgrade(
        release, **({"WAIAAS_UPGRADE_HEALTH_TIMEOUT": "4"} if release == "hangs" else {})
    )
    assert done.code == 7, done
    assert because in done.err
    installed.serves(OLD)
    assert digest(installed.program) == before
    assert not installed.journal.exists()
    assert installed.unit("Result") == {"Result": "success"}
    assert installed.unit("ActiveState", name=RECOVERY)["ActiveState"] == "inactive"
    soon(lambda: installed.machine.run("systemctl", "is-system-running").out.strip() == "running")
    assert [run["outcome"] for run in installed.history()] == ["rolled-back"]


def test_an_upgrade_of_a_stopped_service_starts_it__UPGR_05(installed: Installed) -> None:
    """Through its unit, found by its name, because no daemon runs."""
    installed.machine.ok("systemctl", "stop", UNIT)
    done = installed.upgrade("patch")
    assert done.code == 0, done
    installed.serves("1.8.1")


def test_who_may_not_restart_the_unit_changes_nothing__UPGR_10(installed: Installed) -> None:
    """The owner of a program who is not root; and root, with a program that the unit does not run."""
    machine = installed.machine
    machine.ok("sh", "-c", OWN)
    installed.drop_in("[Service]\nExecStart=\nExecStart=/usr/bin/python3 -I /opt/own/waiaas start\n")
    machine.ok("systemctl", "restart", UNIT)
    own = ("/opt/own/waiaas", "--data-dir", "/var/lib/waiaas", "upgrade")
    refused = machine.run(*own, user=USER, **to("patch"))
    assert (refused.code, f"belongs to {UNIT}, which only root may restart" in refused.err) == (1, True), (
        refused
    )
    refused = installed.upgrade("patch")
    assert (refused.code, f"{UNIT} runs another program" in refused.err) == (1, True), refused
    installed.serves(OLD)
