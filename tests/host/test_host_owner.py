"""Whose directory it is: decided by who could exchange it, never by what lies there at one instant (UPGR-14).

Needs root, because it needs other users."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from waiaas.core.errors import WaiaasError
from waiaas.host.holder import lock_holder
from waiaas.host.owner import acting_as, other_owner

USER, THIRD = 12345, 12346
HOLD = """
import fcntl, sys
held = open(sys.argv[1], "w")
fcntl.lockf(held, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: two owners are two real users")


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder of root's that everybody may look into, below a sticky one."""
    folder = Path(tempfile.mkdtemp(prefix="waiaas-owner-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def made(path: Path, uid: int) -> Path:
    path.mkdir()
    os.chown(path, uid, uid)
    return path


def linked(path: Path, target: Path, uid: int) -> Path:
    path.symlink_to(target)
    os.chown(path, uid, uid, follow_symlinks=False)
    return path


def uid_of(folder: Path) -> int:
    owner = other_owner(folder)
    return 0 if owner is None else owner.uid


def test_a_directory_is_its_owners_below_roots_folders__UPGR_14(root: Path) -> None:
    assert uid_of(made(root / "waiaas", USER)) == USER
    assert uid_of(made(root / "roots", 0)) == 0
    assert uid_of(root / "nothing" / "yet") == 0


def test_below_a_users_folder_it_is_his_whatever_lies_there__UPGR_14(root: Path) -> None:
    """A real directory, and none at all: between two moments of an exchange, say."""
    home = made(root / "home", USER)
    assert uid_of(home / ".waiaas") == USER
    assert uid_of(made(home / ".waiaas", USER)) == USER
    assert uid_of(home / ".waiaas" / ".." / ".waiaas") == USER


def test_a_users_directory_exchanged_for_a_link_to_roots_is_refused__UPGR_14(root: Path) -> None:
    """The attack: renameat2(EXCHANGE) in his own folder, at the instant somebody looks."""
    secret = made(root / "cron.d", 0)
    home = made(root / "home", USER)
    with pytest.raises(WaiaasError) as refused:
        other_owner(linked(home / ".waiaas", secret, USER))
    assert refused.value.code == "data-dir-mixed"
    assert str(home / ".waiaas") in refused.value.message


@pytest.mark.parametrize("uid", [0, THIRD])
def test_anothers_directory_in_a_users_folder_is_refused__UPGR_14(root: Path, uid: int) -> None:
    home = made(root / "home", USER)
    with pytest.raises(WaiaasError, match="could exchange it"):
        other_owner(made(home / "planted", uid))


def test_a_users_link_in_a_sticky_folder_is_his_and_roots_own_is_followed__UPGR_14(root: Path) -> None:
    data = made(root / "waiaas", USER)
    sticky = made(root / "tmp", 0)
    sticky.chmod(0o1777)
    assert uid_of(linked(sticky / "roots", data, 0)) == USER
    assert uid_of(linked(sticky / "relative", Path("../waiaas"), 0)) == USER
    assert uid_of(linked(sticky / "users", data, USER)) == USER
    with pytest.raises(WaiaasError):
        other_owner(linked(sticky / "thirds", data, THIRD))


def test_links_in_a_circle_end__UPGR_14(root: Path) -> None:
    assert uid_of(linked(root / "circle", root / "circle", 0)) == 0


def test_who_is_not_root_becomes_nobody_else__UPGR_14(root: Path) -> None:
    data = made(root / "waiaas", USER)
    with acting_as(other_owner(data)):
        assert other_owner(made(data / "mine", USER)) is None


def test_a_daemon_of_somebody_else_is_nobodys_to_signal__DIR_2(root: Path) -> None:
    """A user's directory, exchanged for one whose daemon is root's, names no process of his."""
    lock = root / "daemon.lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        ours = lock_holder(lock)
        assert ours is not None
        ours.close()
        assert lock_holder(lock, USER) is None
        process.kill()
