"""Every reason not to start, found before anything has changed, all at once."""

import os
from collections.abc import Iterator
from pathlib import Path

from waiaas.core.errors import WaiaasError
from waiaas.core.journal import Facts
from waiaas.core.layout import Layout, ProgramLayout
from waiaas.host.container import in_image
from waiaas.host.files import group_counts
from waiaas.upgrade import daemon, described, guard, slots, unit
from waiaas.upgrade.child import keep
from waiaas.upgrade.elsewhere import IMAGE_COMMAND
from waiaas.upgrade.keeper import room
from waiaas.upgrade.transaction import Run

SPARE = 16 << 20  # bytes left free on top of what a run needs


def require(run: Run) -> None:
    """Raises `preflight` with every finding, one a line, and the command for the first; `Busy` where a
    stranger has the database open that is to be replaced."""
    slots.prepare(run.host.files, run.program)
    found = list(_findings(run))
    if found:
        raise WaiaasError(
            "preflight",
            "nothing was changed, because: " + "; ".join(message for message, _ in found),
            found[0][1],
        )
    if run.plan.get("replacing"):
        keep(run, "unused")


def owned_elsewhere(
    program: ProgramLayout, layout: Layout, mode: str, *, asked: bool
) -> tuple[str, str] | None:
    """Why `upgrade` is not ours to do here, and what to do instead (UPGR-09); None: it is ours.

    `asked`: somebody chose `mode` on purpose, so that nothing is guessed.
    """
    if (mode == "external" or not asked) and in_image(program.program):
        ours = "; `waiaas config set upgrade.mode self` if you copied it into the container yourself"
        return "this program is part of a container image", IMAGE_COMMAND + (ours if mode == "self" else "")
    if mode == "external":
        return (
            "`[upgrade] mode` says that this program belongs to another manager",
            "upgrade it with that manager (package, image, fleet tool)",
        )
    for folder in (program.program.parent, program.base):
        if folder.exists() and not os.access(folder, os.W_OK):
            return _closed(folder, f"sudo {program.program} --data-dir {layout.data_dir} upgrade")
    return None


def _closed(folder: Path, sudo: str) -> tuple[str, str]:
    """Why nobody, or not this user, can write there."""
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        return (
            f"{folder} is on a file system that is mounted read-only",
            f"mount it writable (`findmnt -T {folder}` shows it), or replace the image it belongs to",
        )
    if os.geteuid() == 0:
        return f"{folder} is protected even against root", f"chattr -i {folder}"
    return f"this user may not write {folder}", sudo


def _findings(run: Run) -> Iterator[tuple[str, str]]:
    yield from _program_findings(run.program)
    yield from unit.findings(run)
    if daemon.is_running(run):
        yield from described.findings(run)
    seen = keep(run, "look")
    yield from _space_findings(run, seen)
    for folder in seen["noFolder"]:
        yield f"{folder} is no folder, or a link to none", f"`ls -l {folder}` shows it; move it away"
    for folder in seen["closed"]:
        yield f"{folder} is not writable", f"chown or chmod {folder}, then try again"


def _program_findings(program: ProgramLayout) -> Iterator[tuple[str, str]]:
    if not program.program.is_file():
        yield f"{program.program} is not a file", "start waiaas by the path where it is installed"
    elif os.geteuid() == 0 and not os.access(program.program, os.W_OK):
        yield f"{program.program} is protected even against root", f"chattr -i {program.program}"
    elif os.geteuid() != 0 and not _may_give(program.program.stat()):
        told = f"this user is not in the group of {program.program}, which the next file needs as well"
        yield told, f"sudo chgrp {os.getegid()} {program.program}, or upgrade as root"
    yield from guard.findings(program)


def _may_give(found: os.stat_result) -> bool:
    return not group_counts(found) or found.st_gid in (os.getegid(), *os.getgroups())


def _space_findings(run: Run, seen: Facts) -> Iterator[tuple[str, str]]:
    """What each file system has to hold: backup; rehearsal and copy; staged program and slot."""
    copies = 2 if run.plan.get("migrating") else 1
    prune = "make room (`waiaas backup prune` removes old backups), then try again"
    there = "make room there, then try again"
    wanted = [
        (seen["room"]["backups"], seen["bytes"], prune),
        (seen["room"]["database"], copies * seen["bytes"], there),
        (room(run.program.base), 2 * run.plan.get("length", 0), there),
    ]
    needs: dict[int, tuple[Facts, int, str]] = {}
    for disk, size, hint in wanted:
        first, sum_so_far, known = needs.get(disk["device"], (disk, 0, hint))
        needs[disk["device"]] = (first, sum_so_far + size, known)
    for disk, needed, hint in needs.values():
        missing = needed + SPARE - disk["free"]
        if missing > 0:
            yield f"the file system of {disk['folder']} lacks {(missing >> 20) + 1} MiB", hint
