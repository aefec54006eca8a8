"""Kernels, and containers' seccomp filters, that have no pidfds: the lock and waitpid(2) are watched
instead (DIR-2)."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from waiaas.host import holder as holders
from waiaas.host.holder import lock_holder
from waiaas.host.ready import Child, ReadySocket

pytestmark = pytest.mark.real_time  # real processes take real time

HOLD = """
import sys
from pathlib import Path
from waiaas.host.locks import Lock
held = Lock.acquire(Path(sys.argv[1]), "test")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def no_pidfds(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_pid: int) -> int:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(os, "pidfd_open", refused)


def test_waiting_for_a_holder_takes_its_time_and_sees_its_end__DIR_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks now and then: not once, and not without a pause."""
    looks, real = [], holders.holder
    monkeypatch.setattr(holders, "holder", lambda lock: looks.append(lock) or real(lock))
    lock, pipe = tmp_path / "lock", subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", HOLD, str(lock)], stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        found = lock_holder(lock)
        assert found is not None
        assert found.pid == process.pid
        looks.clear()
        assert not found.wait(0.25)
        assert 2 <= len(looks) <= 4
        process.kill()
        assert found.wait(30.0)
        found.close()


def test_a_child_that_ends_before_it_is_ready_is_seen_at_once__DMN_1() -> None:
    with ReadySocket() as listening:
        child = Child(os.posix_spawn(sys.executable, [sys.executable, "-I", "-c", "raise SystemExit(5)"], {}))
        assert child.descriptor is None
        while (heard := listening.wait(child, 60.0)) == "again":
            pass
        assert (heard, child.exit_code(), child.ended(0.0)) == ("ended", 5, True)


def test_a_child_that_says_nothing_is_given_up__DMN_1() -> None:
    with ReadySocket() as listening:
        child = Child(os.posix_spawn("/bin/sleep", ["sleep", "60"], {}))
        assert listening.wait(child, 0.05) == "timeout"
        assert not child.ended(0.05)
        os.kill(child.pid, 9)
        assert child.ended(30.0)
        assert child.exit_code() == -9
