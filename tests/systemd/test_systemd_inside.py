"""An upgrade that is started inside the service's own cgroup is not stopped with the service (UPGR-10)."""

from tests.systemd.installed import HASTE, UNIT, Installed, to
from tests.systemd.machine import soon

RELOAD = """\
[Service]
Environment=WAIAAS_UPGRADE_FEED_URL=file:///srv/feeds/minor/ {haste}
ExecReload=+/usr/bin/python3 -I /usr/local/bin/waiaas upgrade
"""
PROCESSES = f"/sys/fs/cgroup/system.slice/{UNIT}/cgroup.procs"
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
