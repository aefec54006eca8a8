"""The unit itself (SRV-01): installed by the documented commands it runs, in its cage, and says so."""

import re

from tests.systemd.conftest import Say
from tests.systemd.installed import RECOVERY, UNIT, USER, Installed
from tests.systemd.machine import soon

EXPOSURE = 3.0  # at most, as `systemd-analyze security` counts
PROGRAM = "/usr/local/bin/waiaas"
TRIES = """
for path in /usr/local/bin/waiaas /usr/local/bin/.waiaas/x /etc/x /usr/x /root/x /home/x; do
  touch $path 2>/dev/null && echo "wrote $path"
done
touch /var/lib/waiaas/own && rm /var/lib/waiaas/own && echo "wrote its own"
"""


def test_the_unit_is_active_and_says_what_it_does__SRV_01(installed: Installed, say: Say) -> None:
    """Type=notify: systemd knows that it is ready, and shows its words. It is sound, and caged."""
    told = installed.unit("Type", "SubState", "StatusText", "Result", "NRestarts", "User", "MainPID")
    assert told == {
        "Type": "notify",
        "SubState": "running",
        "StatusText": "version 1.8.0 on 127.0.0.1:3100",
        "Result": "success",
        "NRestarts": "0",
        "User": USER,
        "MainPID": installed.pid,
    }
    machine = installed.machine
    for unit in (UNIT, RECOVERY):
        assert machine.ok("systemd-analyze", "verify", "--man=no", unit) == ""
        words = ("systemd-analyze", "security", "--offline=true", "--no-pager", f"/etc/systemd/system/{unit}")
        [exposure] = re.findall(r"exposure level for \S+: ([\d.]+)", machine.ok(*words))
        say(f"exposure of {unit}: {exposure} (at most {EXPOSURE})")
        assert float(exposure) <= EXPOSURE


def test_the_daemons_user_cannot_write_the_program__UPGR_10(installed: Installed) -> None:
    """Neither as that user nor in the daemon's own view of the machine."""
    machine, pid = installed.machine, installed.pid
    state = machine.ok("cat", f"/proc/{pid}/status")
    for line in ("CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"):
        assert line in state
    assert machine.ok("stat", "--format=%U", f"/proc/{pid}").strip() == USER
    assert machine.run("sh", "-c", TRIES, user=USER).out == "wrote its own\n"
    view = ("nsenter", f"--target={pid}", "--mount", "--setuid=0", "sh", "-c", TRIES)
    assert machine.run(*view).out == "wrote its own\n"
    refused = installed.waiaas("upgrade", "--data-dir", "/var/lib/waiaas", user=USER)
    assert refused.code == 1
    assert f"hint: sudo {PROGRAM} --data-dir /var/lib/waiaas upgrade" in refused.err


def test_the_journal_is_readable_and_knows_what_is_an_error__SRV_01(installed: Installed) -> None:
    """No times of our own, no JSON, and a priority for each line, also for what ends the start."""
    soon(lambda: any(line["MESSAGE"].startswith("version check failed") for line in installed.said()))
    lines = installed.said()
    by_message = {line["MESSAGE"]: line["PRIORITY"] for line in lines}
    assert by_message["ready port=3100"] == "6"
    checks = [line for line in lines if line["MESSAGE"].startswith("version check failed")]
    assert {line["PRIORITY"] for line in checks} == {"4"}
    assert {line["SYSLOG_IDENTIFIER"] for line in lines} == {"waiaas"}
    assert not [line for line in by_message if re.match(r"[{<]|20\d\d-", line)]
    installed.machine.ok("systemctl", "stop", UNIT)
    with (installed.data / "config.toml").open("a") as settings:
        settings.write("colour = 'red'\n")
    assert installed.machine.run("systemctl", "start", UNIT).code != 0
    errors = {line["MESSAGE"] for line in installed.said() if line["PRIORITY"] == "3"}
    assert "waiaas: error: 1 problem in the settings (/var/lib/waiaas/config.toml):" in errors
    assert "hint: mend them, then `waiaas config validate`" in errors
    ended = installed.unit("ActiveState", "ExecMainStatus", "NRestarts")
    assert ended == {"ActiveState": "failed", "ExecMainStatus": "2", "NRestarts": "0"}
