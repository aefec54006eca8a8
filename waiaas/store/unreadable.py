"""What is told of a database that cannot be looked at, or not be served."""

from pathlib import Path

from waiaas.core.errors import Busy, NotReady, WaiaasError


def why(path: Path, problem: Exception) -> WaiaasError:
    """The failure that a look ended with. Locked: by somebody who does not know our gate, and for longer
    than we wait."""
    if isinstance(problem, FileNotFoundError):
        return missing(path)
    if str(getattr(problem, "sqlite_errorname", "")).startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return busy(path)
    return damaged(f"the database cannot be read: {problem}")


def missing(path: Path) -> NotReady:
    return NotReady("database-missing", f"there is no database at {path}", "run `waiaas doctor`")


def busy(path: Path) -> Busy:
    return Busy(
        "database-locked",
        f"another program keeps {path} locked; the database was not touched",
        f"end that program (`fuser {path}` names it), then try again",
    )


def damaged(reason: str) -> WaiaasError:
    """The database is at fault; it was not touched."""
    return WaiaasError(
        "database-damaged",
        f"{reason}; the database was not touched",
        "run `waiaas db check`; restore a backup: `waiaas backup list`, then `waiaas backup restore ID`",
    )
