"""An upgrade that is started inside the service's own cgroup is not stopped with the service (UPGR-10)."""

import json
from collections.abc import Callable

from tests.journeys.workshop import Done
from tests.systemd.installed import HASTE, OWN, UNIT, USER, Installed, to
from tests.systemd.machine import soon

RELOAD = """\
[Service]
Environment=WAIAAS_UPGRADE_FEED_URL=file:///srv/feeds/minor/ {haste}
ExecReload=+/usr/bin/python3 -I /usr/local/bin/waiaas upgrade
"""
PROCESSES = f"/sys/fs/cgroup/system.slice/{UNIT}/cgroup.procs"
NIGHTLY = """\
[Service]
Type=oneshot
{user}
Environment=WAIAAS_UPGRADE_FEED_URL=file:///srv/feeds/patch/ WAIAAS_UPGRADE_PROBATION=1
ExecStart=/usr/bin/python3 -I {program} --data-dir {data} upgrade
"""
ENTER = f'echo $$ >{PROCESSES} && exec waiaas upgrade --json "$@"'


def upgraded(installed: Installed) -> None:
    soon(lambda: not installed.journal.exists() and installed.history())
    installed.serves("1.9.0")
    [run] = installed.history()
    assert (run["from"], run["to"], run["outcome"]) == ("1.8.0", "1.9.0", "committed")
    installed.is_one_process()
    soon(lambda: "waiaas-upgrade" not in installed.machine.ok("systemctl", "list-units", "--all"))


def test_an_upgrade_as_reload_of_the_unit_survives_its_stop__UPGR_10(installed: Installed) -> None:
    """systemd stops the control process by its pid too, not by its cgroup alone."""
    haste = " ".join(f"{name}={value}" for name, value in HASTE.items())
    installed.drop_in(RELOAD.format(haste=haste))
    pid = installed.pid
    installed.machine.run("systemctl", "reload", UNIT)
    soon(lambda: installed.pid not in (pid, "0"))
    upgraded(installed)


def test_an_upgrade_of_a_process_of_the_unit_survives_its_stop__UPGR_10(installed: Installed) -> None:
    """Who waits for it is stopped with the service, and so is whoever reads what it prints."""
    done = installed.machine.run("sh", "-c", ENTER, "sh", **to("minor"))
    assert done.code in (143, -15), done
    upgraded(installed)


def test_where_nothing_is_to_be_done_it_says_so_inside_too__UPGR_10(installed: Installed) -> None:
    """Output and exit code are those of the upgrade that went on in a scope of its own."""
    pid = installed.pid
    done = installed.machine.run("sh", "-c", ENTER, "sh", "--to", "6.6.6", **to("minor"))
    assert (done.code, done.json()["error"]["code"]) == (1, "not-in-feed"), done
    assert installed.pid == pid


def test_while_the_unit_is_only_starting_it_is_refused__UPGR_10(installed: Installed) -> None:
    """It would wait for the unit that waits for it."""
    pre = "ExecStartPre=-+/usr/bin/python3 -I /usr/local/bin/waiaas upgrade"
    installed.drop_in(f"[Service]\nEnvironment=WAIAAS_UPGRADE_FEED_URL=file:///srv/feeds/minor/\n{pre}\n")
    installed.machine.ok("systemctl", "restart", UNIT)
    installed.serves("1.8.0")
    said = {line["MESSAGE"] for line in installed.said() if line["PRIORITY"] == "3"}
    assert f"waiaas: error: this upgrade was started inside {UNIT} and would be stopped with it; " in "".join(
        said
    )


def nightly(
    installed: Installed, program: str, data: str, user: str = ""
) -> tuple[Callable[..., Done], Done]:
    """A daemon that no unit runs, and a service that upgrades it once: how to ask that daemon; the end."""
    machine = installed.machine
    machine.ok("systemctl", "stop", UNIT)
    text = NIGHTLY.format(program=program, data=data, user=f"User={user}" if user else "")
    (machine.tree / "etc/systemd/system/nightly.service").write_text(text)
    machine.ok("systemctl", "daemon-reload")

    def waiaas(*words: str) -> Done:
        return machine.run("python3", "-I", program, "--data-dir", data, *words, user=user)

    for words in (("init",), ("start", "--detach")):
        assert (done := waiaas(*words)).code == 0, done
    return waiaas, machine.run("systemctl", "start", "nightly.service")


def test_a_daemon_without_a_unit_outlives_the_service_that_upgraded_it__UPGR_10(installed: Installed) -> None:
    """systemd ends all that is left in a service that has done its work; the upgrade leaves it in time."""
    waiaas, done = nightly(installed, "/usr/local/bin/waiaas", "/srv/own")
    assert done.code == 0, (done, installed.said("nightly.service"))
    assert installed.machine.show("nightly.service", "ActiveState") == {"ActiveState": "inactive"}
    status = json.loads(waiaas("--json", "status").out)
    assert (status["running"], status["version"], status["unit"]) == (True, "1.8.1", None)


def test_who_cannot_leave_that_service_changes_nothing__UPGR_10(installed: Installed) -> None:
    installed.machine.ok("sh", "-c", OWN)
    waiaas, done = nightly(installed, "/opt/own/waiaas", "/opt/own/data", USER)
    assert done.code == 1
    said = {line["MESSAGE"] for line in installed.said("nightly.service")}
    assert any("started inside nightly.service, which would end the daemon that it starts" in s for s in said)
    assert any("hint: give nightly.service KillMode=process" in s for s in said)
    assert json.loads(waiaas("--json", "status").out)["version"] == "1.8.0"
    (installed.machine.tree / "etc/systemd/system/nightly.service.d").mkdir()
    drop_in = installed.machine.tree / "etc/systemd/system/nightly.service.d/kill.conf"
    drop_in.write_text("[Service]\nKillMode=process\n")
    installed.machine.ok("systemctl", "daemon-reload")
    done = installed.machine.run("systemctl", "start", "nightly.service")
    assert done.code == 0, [line["MESSAGE"] for line in installed.said("nightly.service")]
    status = json.loads(waiaas("--json", "status").out)
    assert (status["running"], status["version"]) == (True, "1.8.1")
