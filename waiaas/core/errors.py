"""Every failure a user can meet: what happened, whose fault, what to type next, a stable code.

    WaiaasError                     1   failed
    ├── UsageError                  2   the command line or the settings are wrong
    ├── NotReady                    3   not initialised, or not running
    ├── NotAuthorised               4
    ├── TimedOut                    5
    ├── SchemaIncompatible          6   the database is newer or older than this program can serve
    ├── RolledBack                  7   the upgrade failed; the old version runs
    ├── RollbackFailed              8   the upgrade failed and so did undoing it
    ├── TrustRefused                9   a signature, a floor or a date says no
    ├── Busy                       75   somebody else holds the lock
    └── Interrupted               130   by Ctrl-C, where more than that can be said

The exit codes are the contract of SPEC CLI-3; `cli/main.py` is the only place that exits.
"""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of the command line, one meaning each (CLI-3)."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_READY = 3
    NOT_AUTHORISED = 4
    TIMED_OUT = 5
    SCHEMA = 6
    ROLLED_BACK = 7
    ROLLBACK_FAILED = 8
    TRUST = 9
    UPDATE_AVAILABLE = 10
    BUG = 70
    BUSY = 75
    OLD_PYTHON = 78
    INTERRUPTED = 130


class WaiaasError(Exception):
    """An expected failure. `code` is stable and lower-case-with-dashes; scripts key on it."""

    exit_code: Exit = Exit.FAILED

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.about: dict[str, object] = {}  # a document of which this is the `error`

    def to_json(self) -> dict[str, object]:
        """The document that `--json` prints for this failure (CLI-1)."""
        return {**self.about, "error": {"code": self.code, "message": self.message, "hint": self.hint}}


class UsageError(WaiaasError):
    exit_code = Exit.USAGE


class NotReady(WaiaasError):
    exit_code = Exit.NOT_READY


class NotAuthorised(WaiaasError):
    exit_code = Exit.NOT_AUTHORISED


class TimedOut(WaiaasError):
    exit_code = Exit.TIMED_OUT


class SchemaIncompatible(WaiaasError):
    exit_code = Exit.SCHEMA


class RolledBack(WaiaasError):
    exit_code = Exit.ROLLED_BACK


class RollbackFailed(WaiaasError):
    exit_code = Exit.ROLLBACK_FAILED


class TrustRefused(WaiaasError):
    exit_code = Exit.TRUST


class Busy(WaiaasError):
    exit_code = Exit.BUSY


class Interrupted(WaiaasError):
    exit_code = Exit.INTERRUPTED
