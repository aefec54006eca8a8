"""Being somebody else: what root does in another user's directory, it does as that user (UPGR-14)."""

import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from waiaas.core.errors import WaiaasError
from waiaas.core.value import frozen

MAX_LINKS = 64  # in one path; the kernel follows 40
NOBODY = 65534  # who owns what no user of a user namespace owns: there, root's own "/" too


@frozen
class Owner:
    """A user to become."""

    uid: int
    gid: int
    groups: tuple[int, ...]


def other_owner(folder: Path) -> Owner | None:
    """Whose directory `folder` is, if that is not root's and we are root; else None. Ask once, and carry
    the answer: it holds even if `folder` is exchanged for something else later.

    That is whoever owns the first component of its path, links followed, that is not root's: he can put
    anything at all in the place of what lies below, and nobody but root can change what lies above.
    Raises "data-dir-mixed" where `folder` itself then belongs to somebody else.
    """
    found = _first_not_roots(folder) if os.geteuid() == 0 else None
    if found is None:
        return None
    owner = Owner(found.st_uid, found.st_gid, _groups(found.st_uid, found.st_gid))
    try:
        with acting_as(owner):
            uid = folder.stat().st_uid
    except OSError:  # nothing there yet, or out of that user's reach: as him it is told properly
        return owner
    if uid != owner.uid:
        raise WaiaasError(
            "data-dir-mixed",
            f"{folder} belongs to user {uid}, but user {owner.uid} could exchange it, so nothing was done",
            "keep the data where only root can rename their directory: /var/lib/waiaas, say",
        )
    return owner


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


def _first_not_roots(folder: Path) -> os.stat_result | None:
    """The first component of this path that somebody else than root owns, a link counting by itself; None:
    all are root's, as far as there are any. Nothing is read but what root alone can change."""
    roots = {0, NOBODY} if Path("/").stat().st_uid == NOBODY else {0}
    reached, ahead, links = Path("/"), list(reversed(folder.absolute().parts[1:])), 0
    while ahead and links < MAX_LINKS:
        name = ahead.pop()
        here = reached.parent if name == ".." else reached / name
        try:
            found = here.lstat()
            target = here.readlink() if stat.S_ISLNK(found.st_mode) else None
        except OSError:
            return None
        if found.st_uid not in roots:
            return found
        if target is None:
            reached = here
            continue
        links += 1
        reached = Path("/") if target.is_absolute() else reached
        ahead += reversed(target.parts[1:] if target.is_absolute() else target.parts)
    return None


def _groups(uid: int, gid: int) -> tuple[int, ...]:
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        return (gid,)
    return tuple(os.getgrouplist(name, gid))
