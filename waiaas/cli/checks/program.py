"""The program: who may replace it, whether a run of it is open, and whether it was withdrawn."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from waiaas import __version__
from waiaas.cli.checks.directory import name_of
from waiaas.cli.checks.finding import OK, PROBLEM, WARNING, Finding, Installation
from waiaas.cli.underway import open_run
from waiaas.core.layout import ProgramLayout
from waiaas.host.files import TEMPORARY
from waiaas.host.locks import holder


def program(here: Installation) -> Iterator[Finding]:
    """Its owner can replace it and nobody else (UPGR-14): that the daemon's user cannot is no fault."""
    layout = here.context.program
    if layout is None:
        yield Finding("program", OK, "run from its source tree")
        return
    found = [*_writable_by_others(layout), *_closed_to_owner(here, layout), *_unfinished(layout)]
    yield from found
    if not found:
        owner = layout.program.stat().st_uid
        how = (
            ""
            if owner == os.geteuid()
            else f"; {name_of(owner)} upgrades it: {_sudo(here, layout, 'upgrade')}"
        )
        yield Finding("program", OK, f"{layout.program} belongs to {name_of(owner)}{how}")


def _writable_by_others(layout: ProgramLayout) -> Iterator[Finding]:
    for path in _paths(layout):
        if stat.S_IMODE(path.stat().st_mode) & 0o022:
            message = f"{path} can be changed by other users, so they could replace the program"
            yield Finding("program", PROBLEM, message, f"chmod go-w {path}")


def _closed_to_owner(here: Installation, layout: ProgramLayout) -> Iterator[Finding]:
    """Only for whoever owns the program; for anybody else it is meant to be closed."""
    if layout.program.stat().st_uid != os.geteuid():
        return
    for folder in {layout.program.parent, layout.base}:
        if not folder.is_dir() or os.access(folder, os.W_OK | os.X_OK):
            continue
        read_only = os.statvfs(folder).f_flag & os.ST_RDONLY
        why = "is on a file system that is mounted read-only" if read_only else "cannot be written"
        hint = (
            f"findmnt -T {folder}  # shows it; remount it writable" if read_only else f"chmod u+wx {folder}"
        )
        if folder.stat().st_uid != os.geteuid():
            hint = f"sudo chown {os.geteuid()} {folder}  # or as root: {_sudo(here, layout, 'upgrade')}"
        yield Finding("program", PROBLEM, f"{folder} {why}, so no upgrade is possible", hint)


def _unfinished(layout: ProgramLayout) -> Iterator[Finding]:
    """What a power cut left beside the program, while no run is open or at work."""
    if layout.journal.exists() or holder_of(layout) is not None:
        return
    left = [path for path in (layout.staged,) if path.exists()]
    for folder in (layout.base, layout.program.parent):
        left += [path for path in folder.glob(".*") if TEMPORARY.fullmatch(path.name)]
    if left:
        names = " ".join(map(str, sorted(left)))
        yield Finding("program", WARNING, f"a power cut left {names}", f"rm -r {names}")


def _paths(layout: ProgramLayout) -> list[Path]:
    paths = (
        layout.program,
        layout.program.parent,
        layout.base,
        layout.journal,
        layout.history,
        layout.metadata,
    )
    return [path for path in paths if path.exists()]


def holder_of(layout: ProgramLayout) -> int | None:
    """Who is at work on this program."""
    try:
        return holder(layout.lock)
    except OSError:
        return None


def upgrade(here: Installation) -> Iterator[Finding]:
    """An interrupted run; one at work is nobody's business but its own."""
    layout, run = here.context.program, open_run(here.context)
    at_work = holder_of(layout) if layout else None
    if run is None:
        yield Finding("upgrade", OK, "no upgrade is half-way")
    elif at_work is not None:
        yield Finding("upgrade", OK, f"an upgrade to {run.get('to')} is at work (pid {at_work})")
    else:
        arrow = f"{run.get('kind')} {run.get('from')} → {run.get('to')}"
        message = run.get("error") or f"the {arrow} was interrupted in step {run.get('step')}"
        foreign = layout is not None and layout.program.stat().st_uid != os.geteuid()
        command = "upgrade --recover"
        hint = _sudo(here, layout, command) if layout and foreign else here.again(command)
        yield Finding("upgrade", PROBLEM, str(message), hint)


def _sudo(here: Installation, layout: ProgramLayout, command: str) -> str:
    """For the program's owner, whose default data directory is another one."""
    return f"sudo {layout.program} --data-dir {here.loaded.layout.data_dir} {command}"


def running_version(here: Installation) -> Iterator[Finding]:
    """A program that was replaced by hand serves only after a restart."""
    told = here.known.get("version")
    if here.pid is not None and told and told != __version__:
        message = f"the daemon is {told}, the program {__version__}"
        yield Finding("version", WARNING, message, here.again("restart"))
    else:
        yield Finding("version", OK, f"version {__version__}")
