"""Durable file operations, each under the name of its purpose.

Every method that changes something takes `op`, the purpose ("swap", "backup.manifest"), and calls
the observer with `op` and the primitive it is about to do (`swap:rename`). A test replaces the
observer to stop the world at exactly that point; production does nothing there.

The rules: what is renamed was fsynced before; the directory is fsynced after; removing what is not
there is no error; nothing is ever opened for writing under its final name, but for append.

`durable=False`, of a name: not before the next operation in the same folder, for several names that count
only together, or in a folder that has no name of its own yet.
"""

import errno
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from waiaas.core.layout import DIRECTORY_MODE, FILE_MODE
from waiaas.host import power

Observer = Callable[[str], None]
NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.EXDEV, errno.ENOSYS, errno.EACCES}
TEMPORARY = re.compile(r"\..+\.\d+\.(tmp|link|sym|gone)")
CHUNK = 1 << 20  # bytes


class Files:
    """The real file system. See the module for what `op` is."""

    def __init__(self, observer: Observer = power.at) -> None:
        self.at = observer

    def write(self, op: str, path: Path, data: bytes, mode: int = FILE_MODE) -> None:
        """Create or replace `path` atomically: temporary file, fsync, rename, fsync directory."""
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        self.at(f"{op}:write")
        try:
            with self._create(temporary, mode) as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            self.replace(op, temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def append(
        self, op: str, path: Path, line: bytes, mode: int = FILE_MODE, *, durable: bool = True
    ) -> None:
        """Append to a log that survives a power cut: written, fsynced, its name fsynced too; or, on a
        full disk, not at all. The caller holds the lock under which the log is written. `durable=False`:
        not before the next line."""
        self.at(f"{op}:append")
        new = not path.exists()
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(path, flags, mode)
        begun = os.fstat(descriptor).st_size
        try:
            if new:
                os.fchmod(descriptor, mode)  # open(2) applies the umask
            while line:
                line = line[os.write(descriptor, line) :]
            if durable:
                os.fsync(descriptor)
            if new:
                self.sync_directory(op, path.parent)
        except OSError:
            os.ftruncate(descriptor, begun)  # what is not durable was never said
            if new:
                path.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)

    def replace(self, op: str, source: Path, target: Path, *, durable: bool = True) -> None:
        """Rename over `target`; the caller has fsynced `source`."""
        self.at(f"{op}:rename")
        os.replace(source, target)
        if durable:
            self.sync_directory(op, target.parent)

    def link(self, op: str, source: Path, target: Path, *, durable: bool = True) -> bool:
        """Give `source` a second name; True if it is a link, False if it had to be copied.

        `target` appears complete or not at all, and an old `target` is replaced. The bytes are made
        durable first: nobody knows whether whoever wrote `source` (`cp`, SQLite) did.
        """
        temporary = target.with_name(f".{target.name}.{os.getpid()}.link")
        temporary.unlink(missing_ok=True)
        if target.exists() and target.samefile(source):
            return True  # rename(2) does nothing between two names of one file
        self.sync(op, source)
        self.at(f"{op}:link")
        try:
            os.link(source, temporary, follow_symlinks=False)
        except OSError as problem:
            if problem.errno not in NO_LINKS:
                raise
            self.copy(op, source, target, durable=durable)
            return False
        self._named(op, temporary, target, durable)
        return True

    def copy(
        self, op: str, source: Path, target: Path, mode: int | None = None, *, durable: bool = True
    ) -> None:
        """Copy the bytes, fsync, rename into place. Without `mode`, the mode of `source`."""
        from shutil import copyfileobj

        temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        self.at(f"{op}:copy")
        wanted = stat.S_IMODE(source.stat().st_mode) if mode is None else mode
        try:
            with source.open("rb") as origin, self._create(temporary, wanted) as stream:
                copyfileobj(origin, stream, CHUNK)
                stream.flush()
                os.fsync(stream.fileno())
            self.replace(op, temporary, target, durable=durable)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def symlink(self, op: str, pointing_at: str, target: Path) -> None:
        """Flip a symbolic link atomically."""
        temporary = target.with_name(f".{target.name}.{os.getpid()}.sym")
        temporary.unlink(missing_ok=True)
        self.at(f"{op}:symlink")
        temporary.symlink_to(pointing_at)
        self._named(op, temporary, target)

    def remove(self, op: str, path: Path) -> None:
        if path.is_symlink() or path.exists():
            self.at(f"{op}:remove")
            path.unlink(missing_ok=True)
            self.sync_directory(op, path.parent)

    def remove_tree(self, op: str, path: Path) -> None:
        """Remove a folder; it loses its name first, so nobody ever sees half of it."""
        if not path.exists():
            return
        self.at(f"{op}:remove-tree")
        doomed = path.with_name(f".{path.name}.{os.getpid()}.gone")
        os.replace(path, doomed)
        self.sync_directory(op, path.parent)
        _remove_tree(doomed)

    def sweep(self, op: str, folder: Path, about: str = "") -> None:
        """Remove the temporary files that operations on `about` left when the power went. The
        caller holds the lock under which such files are written."""
        for leftover in sorted(folder.glob(".*")):
            if about in leftover.name and TEMPORARY.fullmatch(leftover.name):
                if leftover.is_dir() and not leftover.is_symlink():
                    _remove_tree(leftover)
                else:
                    self.remove(op, leftover)

    def make_directory(
        self, op: str, path: Path, mode: int = DIRECTORY_MODE, *, durable: bool = True
    ) -> None:
        """Create the folder and its parents with `mode`; an existing one is left as it is. Raises OSError,
        also where something else has the name, be it a link that leads nowhere."""
        if path.is_dir():
            return
        self.make_directory(op, path.parent, mode)
        self.at(f"{op}:mkdir")
        try:
            path.mkdir(mode=mode)
        except FileExistsError:
            if path.is_dir():
                return  # somebody else was faster
            raise NotADirectoryError(errno.ENOTDIR, "not a folder, or a link to none", str(path)) from None
        path.chmod(mode)  # mkdir(2) applies the umask
        if durable:
            self.sync_directory(op, path.parent)

    def alike(self, path: Path, model: Path) -> bool:
        """Whether `like` would find nothing to do."""
        ours, wanted = path.stat(), model.stat()
        group = ours.st_gid == wanted.st_gid or not group_counts(wanted)
        return group and (ours.st_mode, ours.st_uid) == (wanted.st_mode, wanted.st_uid)

    def like(self, op: str, path: Path, model: Path) -> None:
        """Give `path` the mode and the owner of `model` (DIR-1), and its group: where we may not, only if
        the group may do nothing that anybody else may not. Raises OSError."""
        self.at(f"{op}:chmod")
        ours, wanted = path.stat(), model.stat()
        if (ours.st_uid, ours.st_gid) != (wanted.st_uid, wanted.st_gid):
            try:
                os.chown(path, wanted.st_uid, wanted.st_gid)
            except PermissionError:
                if ours.st_uid != wanted.st_uid or group_counts(wanted):
                    raise
        path.chmod(stat.S_IMODE(wanted.st_mode))

    def sync(self, op: str, path: Path) -> None:
        """fsync a file that somebody else wrote (SQLite, a child)."""
        self.at(f"{op}:fsync")
        self._fsync(path, os.O_RDONLY)

    def sync_directory(self, op: str, path: Path) -> None:
        self.at(f"{op}:fsync-directory")
        self._fsync(path, os.O_RDONLY | os.O_DIRECTORY)

    def _named(self, op: str, temporary: Path, target: Path, durable: bool = True) -> None:
        """Rename, or leave nothing."""
        try:
            self.replace(op, temporary, target, durable=durable)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def _fsync(self, path: Path, flags: int) -> None:
        descriptor = os.open(path, flags | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _create(self, path: Path, mode: int) -> BinaryIO:
        path.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(path, flags, mode)
        os.fchmod(descriptor, mode)
        return os.fdopen(descriptor, "wb")


def _remove_tree(path: Path) -> None:
    """As much of it as can be removed."""
    from shutil import rmtree

    rmtree(path, ignore_errors=True)


def group_counts(found: os.stat_result) -> bool:
    """Its group may do more, or less, with a file than everybody else."""
    return bool((found.st_mode >> 3 ^ found.st_mode) & stat.S_IRWXO)


def identity(path: Path) -> list[int]:
    """What a file cannot be written without changing, under whatever name: for JSON."""
    found = path.stat()
    return [found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns]


def sha256(path: Path) -> str:
    """The digest of a file, in hex."""
    from hashlib import file_digest

    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()
