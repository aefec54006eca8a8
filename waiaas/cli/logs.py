"""`waiaas logs`: what the daemon wrote, wherever that is."""

import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from waiaas.cli.output import Result
from waiaas.core.errors import Exit, UsageError, WaiaasError

TYPE_CHECKING = False  # importing `typing` is one of the things that every command saves (PRF-3)
if TYPE_CHECKING:
    import argparse
    from typing import BinaryIO

    from waiaas.cli.context import Context, Loaded

LINES = 50  # in a hint
LOOK = 0.25  # seconds between two looks for more
CHUNK = 1 << 16  # bytes read at once, from the end


def run(args: "argparse.Namespace", context: "Context") -> Result:
    """Raises "log-elsewhere" where the daemon writes to the journal, "no-log" where it never wrote any."""
    if args.follow and context.flags.json:
        hint = "leave out --json or --follow"
        raise UsageError("usage", "--follow never ends, so it has no JSON document", hint)
    loaded = context.load(broken_ok=True, unreadable_ok=True)
    path = loaded.layout.log
    _refuse_elsewhere(context, loaded)
    found = tail(path, args.lines)
    if not args.follow:
        return Result({"path": str(path), "lines": found}, "\n".join(found))
    try:
        for line in chain(found, follow(context, path)):
            if not context.out.line(line):
                break  # `| head` has enough
    except KeyboardInterrupt:
        return Result(None, "", Exit.INTERRUPTED)  # the usual way to end this; nothing to complain about
    return Result(None, "")


def tail(path: Path, wanted: int) -> list[str]:
    """The last lines of the log, older files included, the oldest line first."""
    from waiaas.daemon.logfile import KEEP

    lines: list[str] = []
    for each in (path, *(path.with_name(f"{path.name}.{number}") for number in range(1, KEEP + 1))):
        if len(lines) >= wanted or not each.exists():
            break
        lines = _last(each, wanted - len(lines)) + lines
    return lines


def _last(path: Path, wanted: int) -> list[str]:
    """The last lines of one file, read from its end."""
    with path.open("rb") as stream:
        at, content = stream.seek(0, os.SEEK_END), b""
        while at > 0 and content.count(b"\n") <= wanted:
            step = min(CHUNK, at)
            at -= step
            stream.seek(at)
            content = stream.read(step) + content
    return [_plain(line) for line in content.splitlines()[-wanted:]]


def follow(context: "Context", path: Path) -> Iterator[str]:
    """Lines as they come, for ever; a file that was rotated is read to its end first."""
    stream = path.open("rb")
    stream.seek(0, os.SEEK_END)
    rest = b""
    try:
        while True:
            rest += stream.read()
            *whole, rest = rest.split(b"\n")
            yield from map(_plain, whole)
            if not whole and _replaced(stream, path):
                stream.close()
                stream = path.open("rb")
            elif not whole:
                context.host.clock.sleep(LOOK)
    finally:
        stream.close()


def _replaced(stream: "BinaryIO", path: Path) -> bool:
    """Another file has that name now."""
    try:
        return not os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _refuse_elsewhere(context: "Context", loaded: "Loaded") -> None:
    """A daemon in the foreground writes to its terminal, its container or the journal, not to the file."""
    from waiaas.cli.running import known, running
    from waiaas.cli.unit import of

    path, pid = loaded.layout.log, running(loaded.layout)
    unit = of(context, loaded)
    if unit is not None and (pid is not None or not path.exists()):
        hint = f"journalctl -u {unit.name} -n {LINES}"
        raise WaiaasError("log-elsewhere", f"{unit.name} logs to the journal", hint)
    if not path.exists():
        from waiaas.host.container import in_container

        raise WaiaasError(
            "no-log",
            f"there is no {path}: only a daemon in the background writes there",
            "docker logs CONTAINER" if in_container() and pid else context.again("start --detach"),
        )
    if pid is not None and _older(path, known(loaded.layout).get("startedAt")):
        context.out.warn(f"the daemon (pid {pid}) runs in the foreground and logs there; this is from before")


def _older(path: Path, started: object) -> bool:
    """A daemon in the background logs its own start."""
    from datetime import UTC, datetime

    try:
        return path.stat().st_mtime < datetime.fromisoformat(str(started)).astimezone(UTC).timestamp() - 5
    except ValueError:
        return False


def _plain(line: bytes) -> str:
    """What was logged does not move the cursor."""
    return "".join(c if c.isprintable() or c == "\t" else "?" for c in line.decode("utf-8", "replace"))
