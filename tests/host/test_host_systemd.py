"""What systemd and the kernel say of a service, read (UPGR-10, UPGR-14). That they are asked rightly is
proved under a real systemd: tests/systemd."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waiaas.host import systemd
from waiaas.host.processes import Processes
from waiaas.host.systemd import described, service_in

# as systemd 252 answers, shortened
SHOWN = """\
ExecStart={ path=/usr/bin/python3 ; argv[]=/usr/bin/python3 -I /usr/local/bin/waiaas start ; pid=34 }
MainPID=34
ExecMainStatus=0
Environment=WAIAAS_DATA_DIR=/var/lib/waiaas "WAIAAS_UPGRADE_PIN=1 8"
Id=waiaas.service
LoadState=loaded
ActiveState=active
InvocationID=6db0a41d0ed24fd7a1fdf1b9e3d3e6c5

MainPID=0
Id=waiaas@x.service
LoadState=not-found
ActiveState=inactive
"""


def test_a_unit_is_read_as_its_manager_describes_it__UPGR_10() -> None:
    [unit] = described(SHOWN)
    assert (unit.name, unit.state, unit.main_pid, unit.exit_status) == ("waiaas.service", "active", 34, 0)
    assert unit.wanted
    assert unit.data_dir == "/var/lib/waiaas"


def test_a_unit_runs_the_program_that_its_command_names__UPGR_10(tmp_path: Path) -> None:
    """Through links too, as the program itself resolves them."""
    program = tmp_path / "waiaas-1.8.0"
    program.touch()
    (tmp_path / "waiaas").symlink_to(program)
    [unit] = described(SHOWN.replace("/usr/local/bin/waiaas", str(tmp_path / "waiaas")))
    assert unit.runs(program)
    assert not unit.runs(tmp_path / "another")


@pytest.mark.parametrize(
    ("words", "data_dir"),
    [
        ("waiaas --data-dir /srv/a start", "/srv/a"),
        ("waiaas start --data-dir=/srv/b", "/srv/b"),
        ("waiaas start --data-dir", None),
        ("waiaas start", None),
    ],
)
def test_the_data_directory_may_stand_in_the_command(words: str, data_dir: str | None) -> None:
    text = f"Id=x\nLoadState=loaded\nExecStart={{ path=/x ; argv[]={words} ; pid=0 }}\nEnvironment=\n"
    [unit] = described(text)
    assert unit.data_dir == data_dir


@pytest.mark.parametrize(
    ("cgroup", "service"),
    [
        ("0::/system.slice/waiaas.service\n", "waiaas.service"),
        ("0::/system.slice/system-waiaas.slice/waiaas@a.service/.control\n", "waiaas@a.service"),
        ("9:name=systemd:/system.slice/cron.service\n8:pids:/\n", "cron.service"),
        ("4:memory:/system.slice/cron.service\n0::/\n", None),  # not the hierarchy that systemd goes by
        ("0::/user.slice/user-0.slice/session-3.scope\n", None),
        ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/vte-spawn-1.scope\n", None),
        ("0::/../../system.slice/runner.service\n", None),  # of a machine around ours
        ("0::/init.scope\n", None),
        ("nonsense\n", None),
        ("", None),
    ],
)
def test_the_service_of_a_process_is_in_its_cgroup__UPGR_14(cgroup: str, service: str | None) -> None:
    assert service_in(cgroup) == service


@given(st.text(), st.text())
def test_nothing_that_is_told_stops_us(cgroup: str, shown: str) -> None:
    service_in(cgroup)
    list(described(shown.replace("=", "=x") + "\nLoadState=loaded"))


def test_without_systemd_there_is_no_unit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And nobody is asked."""
    monkeypatch.setattr(systemd, "BOOTED", tmp_path / "absent")
    deaf = Processes({"PATH": "/nonexistent"})
    assert systemd.look(deaf, "waiaas.service") is None
    assert systemd.find(deaf, tmp_path) is None
    assert systemd.service_data_dir(deaf) is None


def test_without_its_tool_there_is_no_unit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(systemd, "BOOTED", tmp_path)
    assert systemd.look(Processes({"PATH": "/nonexistent"}), "waiaas.service") is None
