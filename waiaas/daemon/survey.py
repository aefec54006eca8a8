"""What the holder of the token may know about this daemon: one look for page, metrics and status."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from waiaas.core.errors import WaiaasError
from waiaas.core.health import HealthReport
from waiaas.core.value import frozen
from waiaas.daemon.parts import Parts
from waiaas.host.sqlite import SqlError, side
from waiaas.store import audit, keyvalue, killswitch, wallets
from waiaas.store.keyvalue import StoredCheck
from waiaas.store.manifest import Backup, listing

RUNS = 5  # closed runs that are shown


@frozen
class Recorded:
    """What the database says. `thrown`: since when (Unix seconds) and by whom the kill switch is on;
    `runs`: the newest closed ones; `outcomes`: how many ended how."""

    check: StoredCheck
    kill_switch: str
    thrown: tuple[int | None, str | None]
    wallets: int
    runs: tuple[audit.Entry, ...]
    outcomes: Mapping[str, int]


@frozen
class Survey:
    """`recorded` is None while the database cannot be read; sizes in bytes, 0 for no file."""

    report: HealthReport
    recorded: Recorded | None
    backups: tuple[Backup, ...]
    open_run: Mapping[str, Any] | None
    connections: Mapping[str, int]
    database_bytes: int
    wal_bytes: int


def survey(parts: Parts) -> Survey:
    """Never raises: whoever monitors wants an answer most of all when something is wrong."""
    database = parts.layout.database
    return Survey(
        report=parts.probe.report(),
        recorded=_recorded(parts),
        backups=tuple(listing(parts.layout)),
        open_run=parts.open_run(),
        connections=parts.connections(),
        database_bytes=_bytes(database),
        wal_bytes=_bytes(side(database, "-wal")),
    )


def _recorded(parts: Parts) -> Recorded | None:
    try:
        with parts.database.reading() as connection:
            return Recorded(
                keyvalue.stored_check(connection),
                killswitch.state(connection),
                killswitch.thrown(connection),
                wallets.count(connection),
                tuple(audit.runs(connection, RUNS)),
                audit.outcomes(connection),
            )
    except (SqlError, WaiaasError):
        return None


def _bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
