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
from waiaas.host import lifeline
print(lifeline.orphaned(), flush=True)
lifeline.die_with_parent()
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


AWAITS = "lifeline.await_word()\nprint('heard')\n"


@pytest.mark.real_time
def test_a_child_started_ahead_does_nothing_before_the_word__PRF_10() -> None:
    argv = [sys.executable, "-c", CHILD + AWAITS, ROOT]
    with Processes(os.environ).begin(argv) as begun:
        assert begun.child.stdout is not None
        assert begun.child.stdout.readline() == b"False\n"
        assert not select.select([begun.child.stdout], [], [], 0.2)[0]
        begun.go_on()
        assert begun.end(30).stdout == "heard\n"


@pytest.mark.real_time
def test_a_child_started_ahead_that_is_not_needed_is_gone__PRF_10() -> None:
    begun = Processes(os.environ).begin([sys.executable, "-c", CHILD + AWAITS, ROOT])
    begun.close()
    assert begun.child.returncode == -signal.SIGKILL
    begun.close()


@pytest.mark.real_time
def test_a_child_that_gave_up_before_the_word_says_so__PRF_10() -> None:
    with Processes(os.environ).begin([sys.executable, "-c", "raise SystemExit(2)"]) as begun:
        begun.child.wait(30)
        begun.go_on()
        assert begun.end(30).code == 2


def test_a_child_that_waits_ends_with_its_parent__UPGR_06() -> None:
    begun = Processes(os.environ).begin([sys.executable, "-c", CHILD + AWAITS, ROOT])
    os.close(begun._lifeline)  # as the kernel does when we die
    begun._lifeline = -1
    descriptor = os.pidfd_open(begun.child.pid)
    assert select.select([descriptor], [], [], 10)[0]
    os.close(descriptor)
    with begun.child:
        pass
