"""A child of a run ends with the run: its stdin is the lifeline (UPGR-06)."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from waiaas.host.processes import Processes

CHILD = """
import sys
sys.path.insert(0, sys.argv[1])
from waiaas.host.processes import Processes
processes = Processes({})
print(processes.orphaned(), flush=True)
processes.die_with_parent()
"""
WAITS = (
    "open(sys.argv[2], 'w').write(str(__import__('os').getpid()))\nimport threading; threading.Event().wait()"
)
PARENT = """
import sys
sys.path.insert(0, sys.argv[1])
from waiaas.host.processes import Processes
Processes({}).run([sys.executable, "-c", sys.argv[3], sys.argv[1], sys.argv[2]], 60)
"""
ROOT = str(Path(__file__).parents[2])


@pytest.mark.real_time  # subprocess polls for the end of a child
def test_a_child_whose_parent_lives_is_not_orphaned() -> None:
    done = Processes(os.environ).run([sys.executable, "-c", CHILD, ROOT], 30)
    assert (done.code, done.stdout.strip()) == (0, "False"), done


def test_a_process_that_nobody_supervises_goes_on() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, ROOT],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"


def test_a_child_ends_with_its_parent__UPGR_06(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    os.mkfifo(pid)
    argv = [sys.executable, "-c", PARENT, ROOT, str(pid), CHILD + WAITS]
    with subprocess.Popen(argv) as parent:
        child = os.pidfd_open(int(pid.read_text()))
        assert not select.select([child], [], [], 0)[0]
        parent.send_signal(signal.SIGKILL)
    ended = select.select([child], [], [], 10)[0]
    os.close(child)
    assert ended
