"""Whether a file is part of a container image, where what we write is gone with the container."""

from pathlib import Path

MARKS = ("/.dockerenv", "/run/.containerenv")
MOUNTS = Path("/proc/self/mountinfo")


def in_container() -> bool:
    """Docker and podman leave a mark; others leave none, and are told of by `[upgrade] mode`."""
    return any(Path(mark).exists() for mark in MARKS)


def in_image(path: Path) -> bool:
    """In a container, and on the image's own layers, which are its root, rather than on a volume."""
    return in_container() and _mount_point(path) == Path("/")


def _mount_point(path: Path) -> Path:
    """Where the file system that holds `path` is mounted, from proc_pid_mountinfo(5); "." if unknown."""
    best = Path()
    try:
        lines = MOUNTS.read_text().splitlines()
    except OSError:
        return best
    for line in lines:
        mounted = Path(line.split(" ")[4])
        if path.is_relative_to(mounted) and len(mounted.parts) > len(best.parts):
            best = mounted
    return best
