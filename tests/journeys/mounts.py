"""File systems of a test's own: private mount namespaces, small disks, read-only ones.

The calling thread alone moves into the namespace, and whatever it starts from then on.
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

CLONE_NEWNS, MS_RDONLY, MS_NOEXEC, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = (
    0x20000, 1, 8, 32, 4096, 1 << 14, 1 << 18,
)  # fmt: skip
_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def private() -> Iterator[None]:
    """Mounts made inside are seen by nobody else, and gone afterwards. Skips where impossible."""
    before, folder = os.open("/proc/thread-self/ns/mnt", os.O_RDONLY), Path.cwd()
    try:
        if _libc.unshare(CLONE_NEWNS) != 0:
            pytest.skip(f"no private mount namespace: {os.strerror(ctypes.get_errno())}; run as root")
        _mount("none", Path("/"), None, MS_REC | MS_PRIVATE)
        try:
            yield
        finally:
            _checked(_libc.setns(before, CLONE_NEWNS), "setns")
            os.chdir(folder)
    finally:
        os.close(before)


def disk(at: Path, size: int, *, mode: int = 0o755) -> None:
    """An empty disk of so many bytes; what was there before is hidden."""
    at.mkdir(parents=True, exist_ok=True)
    _mount("tmpfs", at, "tmpfs", 0, f"size={size},mode={mode:o}")


def over(at: Path, size: int) -> None:
    """The files of that folder move to a disk of their own."""
    kept = [(p, p.read_bytes(), p.stat().st_mode & 0o777) for p in sorted(at.rglob("*")) if p.is_file()]
    folders = [p for p in sorted(at.rglob("*")) if p.is_dir()]
    disk(at, size, mode=at.stat().st_mode & 0o777)
    for folder in folders:
        folder.mkdir(mode=0o700)
    for path, content, mode in kept:
        path.write_bytes(content)
        path.chmod(mode)


def read_only(at: Path, yes: bool = True) -> None:
    """Remount a disk of ours."""
    _mount("none", at, None, MS_REMOUNT | (MS_RDONLY if yes else 0))


def no_exec(at: Path) -> None:
    _mount("none", at, None, MS_REMOUNT | MS_NOEXEC)


def bind(source: Path, at: Path) -> None:
    _mount(str(source), at, None, MS_BIND)


def free(at: Path) -> int:
    found = os.statvfs(at)
    return found.f_bavail * found.f_frsize


class Balloon:
    """A file that leaves only so many bytes of a disk free."""

    def __init__(self, at: Path, leave: int) -> None:
        self.path = at / "balloon"
        self.path.touch()
        if (room := free(at) - leave) > 0:
            with self.path.open("wb") as stream:
                os.posix_fallocate(stream.fileno(), 0, room)

    def burst(self) -> None:
        self.path.unlink()


def _mount(source: str, at: Path, kind: str | None, flags: int, options: str = "") -> None:
    coded = kind.encode() if kind else None
    done = _libc.mount(source.encode(), str(at).encode(), coded, flags, options.encode() or None)
    _checked(done, f"mount {at}")


def _checked(done: int, what: str) -> None:
    if done != 0:
        problem = ctypes.get_errno()
        raise OSError(problem, f"{what}: {os.strerror(problem)}")
