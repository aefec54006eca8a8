"""Kept programs, by digest, beside the program (ARCHITECTURE rule 5).

The program's name always leads to a complete file: the old one gets a second name, its slot, and
then a single rename puts the new one over the program's name. Undoing is the same the other way.
"""

from pathlib import Path

from waiaas.core.errors import RollbackFailed, WaiaasError
from waiaas.core.layout import ProgramLayout
from waiaas.host.files import Files, sha256
from waiaas.upgrade import cache

PLACE_MODE = 0o755  # beside the program; nothing secret in it (SPEC §3)


def prepare(files: Files, program: ProgramLayout) -> None:
    """The folder beside the program."""
    files.make_directory("place", program.base, PLACE_MODE)


def previous(program: ProgramLayout) -> str | None:
    """Where `waiaas.previous` points, None when there is none."""
    try:
        return str(program.previous.readlink())
    except OSError:
        return None


def ready(files: Files, program: ProgramLayout, step: str = "check") -> None:
    """The staged file as it will be installed: mode and owner of the one it replaces, and durable."""
    files.like(f"{step}.mode", program.staged, program.program)
    files.sync(f"{step}.stage", program.staged)


def swap(files: Files, program: ProgramLayout, old: str, new: str) -> None:
    """Old file into its slot, `waiaas.previous` to it, staged file over the program's name.

    The caller has made the staged file `ready`, before anybody waited for it.
    """
    if sha256(program.staged) != new:
        raise WaiaasError("staged-changed", "the staged program is not the one that was verified")
    files.link("swap.keep", program.program, program.slot(old), durable=False)
    files.symlink("swap.previous", program.slot(old).name, program.previous)  # and the slot's name with it
    if not files.alike(program.staged, program.program):
        ready(files, program, "swap")
    files.replace("swap.program", program.staged, program.program)


def swap_back(files: Files, program: ProgramLayout, old: str, pointed: str | None) -> None:
    """The kept file gets the program's name again, if another one has it.

    `waiaas.previous` never goes away again, though it may lead to the installed program itself then: who
    was told to recover by that name must find it (UPGR-13). Raises `RollbackFailed` where the kept file is
    not the one that was kept.
    """
    if not program.program.exists() or sha256(program.program) != old:
        slot = program.slot(old)
        if not _whole(slot, old):
            raise RollbackFailed(
                "kept-program-gone",
                f"the kept program {slot} is missing or damaged, so the program stays as it is",
                f"put the program of sha256 {old} there, then run `waiaas upgrade --recover`",
            )
        files.link("swap.back", slot, program.program)
    if pointed is not None and previous(program) != pointed:
        files.symlink("swap.previous", pointed, program.previous)


def stage_kept(files: Files, program: ProgramLayout, digest: str) -> None:
    """Stage a kept program for a roll-back; raises when it is gone or not what it was."""
    slot = program.slot(digest)
    if not _whole(slot, digest):
        raise WaiaasError(
            "kept-program-gone",
            f"the kept program {slot.name} is missing or damaged, so nothing was changed",
            "install that version by hand: `waiaas upgrade --to VERSION --yes`",
        )
    files.copy("stage.kept", slot, program.staged)


def _whole(slot: Path, digest: str) -> bool:
    return slot.exists() and sha256(slot) == digest


def sweep(files: Files, program: ProgramLayout) -> None:
    """What a power cut left beside the program."""
    files.sweep("leftover", program.base)
    files.sweep("leftover", program.program.parent, program.program.name)
    cache.sweep(files, program.metadata)


def prune(files: Files, program: ProgramLayout, wanted: set[str]) -> None:
    """Forget kept programs that no recent run and no name leads to."""
    keep = {f"{digest}.pyz" for digest in wanted} | {previous(program) or ""}
    for slot in sorted(program.base.glob("*.pyz")):
        if slot.name not in keep:
            files.remove("slots.prune", slot)
