"""Being somebody else: what root does in another user's directory, it does as that user (UPGR-14)."""

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from waiaas.core.value import frozen


@frozen
class Owner:
    """A user to become."""

    uid: int
    gid: int
    groups: tuple[int, ...]


def other_owner(folder: Path) -> Owner | None:
    """Who owns `folder`, if that is somebody else and we have the right to become them; else None."""
    try:
        found = folder.stat()
    except OSError:
        return None
    if os.geteuid() != 0 or found.st_uid == 0:
        return None
    return Owner(found.st_uid, found.st_gid, _groups(found.st_uid, found.st_gid))


@contextmanager
def acting_as(owner: Owner | None) -> Iterator[None]:
    """Open files with this user's rights, then be ourselves again. Only to open and read: what is
    parsed or executed belongs into a child that cannot come back. None: nothing changes."""
    if owner is None:
        yield
        return
    groups, gid = os.getgroups(), os.getegid()
    os.setgroups(owner.groups)
    os.setegid(owner.gid)
    os.seteuid(owner.uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(gid)
        os.setgroups(groups)


def become(owner: Owner | None) -> None:
    """Be this user for good. None: nothing changes."""
    if owner is not None:
        os.setgroups(owner.groups)
        os.setresgid(owner.gid, owner.gid, owner.gid)
        os.setresuid(owner.uid, owner.uid, owner.uid)


def _groups(uid: int, gid: int) -> tuple[int, ...]:
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        return (gid,)
    return tuple(os.getgrouplist(name, gid))
