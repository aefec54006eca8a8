"""Room for undoing on a full disk: a file that is made when a run opens, and removed before its journal
has to grow again. Undoing frees the rest."""

import os

from waiaas.core.layout import ProgramLayout
from waiaas.host.files import Files

SIZE = 256 << 10  # bytes: the entries of many recoveries, names, and a kill switch in the database


def take(files: Files, program: ProgramLayout) -> None:
    """Where there is no room even for this, preflight says so. Random bytes: no disk stores them in less."""
    try:
        files.write("ballast", program.ballast, os.urandom(SIZE))
    except OSError:
        return


def drop(files: Files, program: ProgramLayout) -> None:
    """Idempotent."""
    try:
        files.remove("ballast", program.ballast)
    except OSError:
        return
