"""A real terminal: a pseudo-terminal with a program on its other side, and what stands on its screen."""

import errno
import os
import pty
import re
import subprocess
from collections.abc import Callable, Sequence

ESCAPE = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])")


class Shown:
    """What a program left: exit code, all it wrote, the screen at the end and every picture before it."""

    def __init__(self, code: int, written: str) -> None:
        self.code = code
        self.written = written
        self.pictures: list[str] = []  # the cursor's line, each time that it was about to be drawn over
        self.screen = self._interpreted()

    def percents(self, label: str) -> list[int]:
        """Of the bar with that label, as they were shown one after the other."""
        found = re.compile(rf"^{label} \[[#.]{{30}}\] +(\d+) %$")
        return [int(match[1]) for picture in self.pictures if (match := found.match(picture))]

    def _interpreted(self) -> list[str]:
        """Just what we use: CR, LF, erase to the end of the line, colours. Raises for anything else."""
        lines, column, at = [""], 0, 0
        while at < len(self.written):
            character = self.written[at]
            if match := ESCAPE.match(self.written, at):
                assert match[2] in "Km", match[0]
                if match[2] == "K":
                    self.pictures.append(lines[-1])
                    lines[-1] = lines[-1][:column]
                at = match.end()
                continue
            if character == "\r":
                column = 0
            elif character == "\n":
                lines.append("")
                column = 0
            else:
                assert character.isprintable(), repr(character)
                lines[-1] = lines[-1][:column] + character + lines[-1][column + 1 :]
                column += 1
            at += 1
        return lines

    def __repr__(self) -> str:
        return f"exit {self.code}\n" + "\n".join(self.screen)


def on_terminal(
    argv: Sequence[str],
    environ: dict[str, str],
    watch: Callable[[str, subprocess.Popen[bytes]], None] = lambda _written, _child: None,
) -> Shown:
    """Run it to its end with a terminal as stdin, stdout and stderr. `watch` sees all that was written
    so far, each time that there is more, and may act on the program."""
    ours, theirs = pty.openpty()
    try:
        child = subprocess.Popen(
            list(argv), stdin=theirs, stdout=theirs, stderr=theirs, env={"TERM": "xterm", **environ},
            start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        written = b""
        while chunk := _read(ours):
            written += chunk
            watch(written.decode("utf-8", "replace"), child)
        return Shown(child.wait(timeout=60), written.decode("utf-8"))
    finally:
        os.close(ours)


def _read(descriptor: int) -> bytes:
    """Linux reports the end of a terminal as an error."""
    try:
        return os.read(descriptor, 65536)
    except OSError as problem:
        if problem.errno != errno.EIO:
            raise
        return b""
