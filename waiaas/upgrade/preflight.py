"""Every reason not to start, found before anything has changed, all at once."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from waiaas.core.errors import WaiaasError
from waiaas.core.layout import ProgramLayout
from waiaas.host.container import in_image
from waiaas.upgrade import slots
from waiaas.upgrade.child import keep
from waiaas.upgrade.transaction import Run

SPARE = 16 << 20  # bytes left free on top of what a run needs


def require(run: Run) -> None:
    """Raises `preflight` with every finding, one a line, and the command for the first."""
    slots.prepare(run.host.files, run.program)
    found = list(_findings(run))
    if found:
        raise WaiaasError(
            "preflight",
            "nothing was changed, because: " + "; ".join(message for message, _ in found),
            found[0][1],
        )


def owned_elsewhere(program: ProgramLayout, mode: str, *, asked: bool) -> tuple[str, str] | None:
    """Why `upgrade` is not ours to do here, and what to do instead (UPGR-09); None: it is ours.

    `asked`: somebody chose `mode` on purpose, so that nothing is guessed.
    """
    if (mode == "external" or not asked) and in_image(program.program):
        return "this program is part of a container image", "docker compose pull && docker compose up -d"
    if mode == "external":
        return (
            "`[upgrade] mode` says that this program belongs to another manager",
            "upgrade it with that manager (package, image, fleet tool)",
        )
    folder = program.program.parent
    if not os.access(folder, os.W_OK):
        return f"this user may not write {folder}", f"sudo {program.program} upgrade"
    return None


def _findings(run: Run) -> Iterator[tuple[str, str]]:
    yield from _program_findings(run.program)
    seen = keep(run, "look")
    yield from _space_findings(run, seen["bytes"])
    for folder in seen["closed"]:
        yield f"{folder} is not writable", f"chown or chmod {folder}, then try again"


def _program_findings(program: ProgramLayout) -> Iterator[tuple[str, str]]:
    if not program.program.is_file():
        yield f"{program.program} is not a file", "start waiaas by the path where it is installed"
    base = program.base.stat()
    if base.st_mode & 0o022:
        yield f"{program.base} is writable by others", f"chmod go-w {program.base}"
    if base.st_uid not in (os.geteuid(), program.program.stat().st_uid):
        yield f"{program.base} belongs to somebody else", f"sudo rm -r {program.base}"


def _space_findings(run: Run, database: int) -> Iterator[tuple[str, str]]:
    """What each file system has to hold: staged program and slot; backup, rehearsal and copy."""
    copies = 3 if run.plan.get("migrating") else 2
    wanted = [
        (run.program.base, 2 * run.plan.get("length", 0)),
        (run.layout.data_dir, copies * database),
    ]
    needs: dict[int, tuple[Path, int]] = {}
    for folder, size in wanted:
        device = folder.stat().st_dev
        _, sum_so_far = needs.get(device, (folder, 0))
        needs[device] = (folder, sum_so_far + size)
    for folder, needed in needs.values():
        free = shutil.disk_usage(folder).free
        if free < needed + SPARE:
            missing = (needed + SPARE - free) >> 20
            yield (
                f"the file system of {folder} lacks {missing + 1} MiB",
                "make room (`waiaas backup prune` lists old backups), then try again",
            )
