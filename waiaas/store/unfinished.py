"""Backups in the making: a folder `.tmp-…` that its maker holds shared (flock) until it has its name.

Whatever `.tmp-…` nobody holds was left by a kill and is removed at once, by whoever comes next; the
kernel lets go when the maker dies. One at work cannot be taken. A folder `….gone` is nobody's: it is
half removed already.
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from waiaas.core.layout import Layout
from waiaas.host.files import Files

PREFIX, REMOVED = ".tmp-", ".gone"
ATTEMPTS = 100  # a sweep may come between creating a folder and holding it; not so often
OPENED = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW


@contextmanager
def making(files: Files, folder: Path) -> Iterator[None]:
    """Create `folder`, held while the block runs; it is gone after a failure. Raises OSError."""
    descriptor = _created(files, folder)
    try:
        yield
    except BaseException:
        _remove_tree(folder)
        raise
    finally:
        os.close(descriptor)


def forget_unfinished(layout: Layout) -> None:
    """Remove what a kill left of backups that were being made or removed; never one at work."""
    for path in _suspects(layout):
        with _alone(path) as abandoned:
            if abandoned:
                _remove_tree(path)


def unfinished(layout: Layout) -> list[Path]:
    """What `forget_unfinished` would remove."""
    found = []
    for path in _suspects(layout):
        with _alone(path) as abandoned:
            found += [path] if abandoned else []
    return found


def _suspects(layout: Layout) -> Iterator[Path]:
    for path in layout.backups.glob(".*"):
        named = path.name.startswith(PREFIX) or path.name.endswith(REMOVED)
        if named and path.is_dir() and not path.is_symlink():
            yield path


def _created(files: Files, folder: Path) -> int:
    """Its descriptor, locked. Between creating and locking somebody may take it for abandoned: again."""
    for _ in range(ATTEMPTS):
        try:
            files.make_directory("backup.create", folder, durable=False)
            descriptor = os.open(folder, OPENED)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            if _still(folder, descriptor):
                return descriptor
        except BlockingIOError:
            pass
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)
    raise OSError(errno.EBUSY, "it is taken away again and again", str(folder))


@contextmanager
def _alone(path: Path) -> Iterator[bool]:
    """Whether nobody is at work on it, nor can begin to while the block runs. A folder that is half
    removed was nobody's from the moment of its name; a file system that cannot tell says no."""
    if path.name.endswith(REMOVED):
        yield True
        return
    try:
        descriptor = os.open(path, OPENED)
    except OSError:
        yield False
        return
    try:
        yield _locked(descriptor) and _still(path, descriptor)
    finally:
        os.close(descriptor)


def _still(path: Path, descriptor: int) -> bool:
    """The name leads to what was opened. Who removed that may be followed by a maker with a new one."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _remove_tree(folder: Path) -> None:
    """As much of it as can be removed."""
    from shutil import rmtree

    rmtree(folder, ignore_errors=True)
