"""What the operating system or SQLite refused, in words: what, whose fault, what to do (CLI-2)."""

import errno

from waiaas.core.errors import WaiaasError

ADVICE = {
    errno.EACCES: "run it as the owner of that file",
    errno.EPERM: "run it as the owner of that file; `lsattr` shows whether it is protected",
    errno.ENOSPC: "free some space on that disk, then try again",
    errno.EDQUOT: "free some space in that quota, then try again",
    errno.EROFS: "that file system is mounted read-only; mount it writable, then try again",
    errno.EIO: "that disk does not read or write reliably: see `dmesg`, then try again",
    errno.ENOENT: "check the path",
    errno.ENOTDIR: "check the path: a part of it is a file",
    errno.EISDIR: "check the path: it is a folder",
    errno.ELOOP: "check the path: its symbolic links lead nowhere, or are not followed here",
    errno.ENAMETOOLONG: "choose a shorter path",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
}
DOCTOR = "`waiaas doctor` looks for the cause"
DATABASE = "`waiaas db check` examines it; `waiaas backup list` shows what can be restored"
SQLITE = {
    "SQLITE_FULL": ADVICE[errno.ENOSPC],
    "SQLITE_IOERR": "see whether that disk is full (`df`) or fails (`dmesg`), then try again",
    "SQLITE_READONLY": "see who may write the database and its folder: `waiaas doctor`",
    "SQLITE_CANTOPEN": "see who may read the database and its folder: `waiaas doctor`",
    "SQLITE_BUSY": "another program keeps it locked; end that one, then try again",
    "SQLITE_LOCKED": "another program keeps it locked; end that one, then try again",
}


def told(problem: Exception) -> WaiaasError | None:
    """The error in our words; None for what is neither the system's nor SQLite's."""
    if isinstance(problem, WaiaasError):
        return problem
    if isinstance(problem, OSError) and problem.errno is not None:
        return WaiaasError("system-refused", f"the system refused it: {said(problem)}", advice(problem))
    if is_sqlite(problem):
        return WaiaasError("database-problem", f"the database cannot be used: {problem}", advice(problem))
    return None


def said(problem: Exception) -> str:
    """One clause, without Python's brackets and numbers."""
    if isinstance(problem, OSError) and problem.strerror:
        return f"{problem.strerror}: {problem.filename}" if problem.filename else problem.strerror
    return str(problem) or type(problem).__name__


def advice(problem: Exception, otherwise: str = "") -> str:
    """What to do about it; `otherwise` (or where to look) where the cause says nothing."""
    if isinstance(problem, OSError):
        return ADVICE.get(problem.errno or 0, otherwise or DOCTOR)
    if is_sqlite(problem):
        name = str(getattr(problem, "sqlite_errorname", ""))
        return SQLITE.get("_".join(name.split("_")[:2]), otherwise or DATABASE)
    return otherwise or DOCTOR


def is_sqlite(problem: Exception) -> bool:
    """By name: only the lower floors import sqlite3."""
    return type(problem).__module__ == "sqlite3"
