"""How much this process has read so far: what long work on files is measured by."""

from pathlib import Path

OWN = Path("/proc/self/io")


def bytes_read() -> int | None:
    """Bytes that read(2) and its kin returned, from disk or cache (`rchar` of proc_pid_io(5)); None
    where the system does not tell."""
    try:
        first = OWN.read_text(encoding="ascii").splitlines()[0]
        return int(first.removeprefix("rchar: "))
    except (OSError, ValueError, IndexError):
        return None
