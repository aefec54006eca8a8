"""The journal of systemd at the other end of a stream: it takes a priority at the start of a line."""

import os
import stat
from collections.abc import Mapping

TYPE_CHECKING = False  # see cli/output.py
if TYPE_CHECKING:
    from typing import TextIO


def is_journal(stream: "TextIO", environ: Mapping[str, str]) -> bool:
    """JOURNAL_STREAM names the journal's socket as device:inode (systemd.exec(5))."""
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    named = environ.get("JOURNAL_STREAM", "")
    return stat.S_ISSOCK(found.st_mode) and named == f"{found.st_dev}:{found.st_ino}"


def ranked(text: str, priority: int) -> str:
    """Each line of `text` with its priority of syslog(3), as in sd-daemon(3): the journal takes every line
    for a message of its own."""
    return "\n".join(f"<{priority}>{line}" for line in text.split("\n"))
