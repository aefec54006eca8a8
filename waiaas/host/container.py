"""Whether a file is part of a container image, where what we write is gone with the container."""

from pathlib import Path

MARKS = ("/.dockerenv", "/run/.containerenv")
MOUNTS = Path("/proc/self/mountinfo")


def in_image(path: Path) -> bool:
    """In a container, and on the image's own layers rather than on a volume."""
    return any(Path(mark).exists() for mark in MARKS) and _file_system(path) == "overlay"


def _file_system(path: Path) -> str:
    """The type of the file system that holds `path`, from proc_pid_mountinfo(5); "" if unknown."""
    best, kind = -1, ""
    try:
        lines = MOUNTS.read_text().splitlines()
    except OSError:
        return ""
    for line in lines:
        fields, _, rest = line.partition(" - ")
        mounted = Path(fields.split(" ")[4])
        if path.is_relative_to(mounted) and len(mounted.parts) > best:
            best, kind = len(mounted.parts), rest.split(" ")[0]
    return kind
