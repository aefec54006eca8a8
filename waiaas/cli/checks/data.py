"""The database and its backups."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from json import loads
from pathlib import Path

from waiaas.cli.checks.finding import OK, PROBLEM, WARNING, Finding, Installation
from waiaas.core.compat import LATEST_SCHEMA_VERSION
from waiaas.core.errors import Busy, WaiaasError
from waiaas.core.journal import to_roll_back
from waiaas.core.words import duration, size
from waiaas.host.sqlite import side
from waiaas.host.sqlite_copies import problems
from waiaas.store import backup, manifest
from waiaas.store.inspect import DatabaseState, inspect
from waiaas.store.manifest import Backup
from waiaas.upgrade.book import history

LONG_LOG = 64 << 20  # bytes of a write-ahead log that somebody keeps from being emptied
PATIENCE = 20.0  # seconds for reading backups; what is not reached is judged by its sizes
YOUNG = 7 * 86400  # seconds that an installation may go without any backup
OLD = 30 * 86400  # seconds that the newest backup may be old


def database(here: Installation) -> Iterator[Finding]:
    """Schema, and every page (SQLite's quick_check: about a second a gigabyte)."""
    layout = here.loaded.layout
    if not layout.database.exists():
        message = f"there is no database at {layout.database}"
        place = f"{here.again('config get database.path')}  # is it the right place?"
        hint = _restore(here) if backup.listing(layout) else place
        yield Finding("database", PROBLEM, message, hint)
        return
    gate = here.context.gate(layout)
    try:
        state = inspect(layout.database, gate, patience=0)
        with gate.shared(0):
            damage = problems(layout.database)
    except Busy as busy:
        yield Finding("database", WARNING, busy.message, busy.hint)
        return
    except WaiaasError as problem:
        yield Finding("database", PROBLEM, problem.message, _restore(here))
        return
    if damage:
        message = f"{layout.database} is damaged: {damage[0]}"
        yield Finding("database", PROBLEM, message, _restore(here))
    elif not os.access(layout.database, os.W_OK):
        hint = f"chmod u+w {layout.database}  # lsattr and findmnt -T show what else can forbid it"
        yield Finding("database", PROBLEM, f"{layout.database} cannot be written", hint)
    else:
        yield _schema(here, state)


def _schema(here: Installation, state: DatabaseState) -> Finding:
    if state.action == "ok":
        return Finding("database", OK, f"whole, {state.reason}")
    if state.action == "migrate":
        return Finding("database", WARNING, f"{state.reason}; a start runs them", here.again("db migrate"))
    if state.damage:
        return Finding("database", PROBLEM, state.reason, _restore(here))
    newer = state.schema > LATEST_SCHEMA_VERSION
    up, down = here.again("upgrade"), here.again("upgrade --rollback")
    hint = f"{up}  # or back: {down}" if newer else f"{here.again('start')}  # says which comes first"
    return Finding("database", PROBLEM, state.reason, hint)


def _restore(here: Installation) -> str:
    return f"{here.again('backup list')}  # then: {here.again('backup restore ID')}"


def log(here: Installation) -> Iterator[Finding]:
    """A write-ahead log with rows in it: normal beside a daemon, a sign of a kill without one."""
    wal = side(here.loaded.layout.database, "-wal")
    length = wal.stat().st_size if wal.exists() else 0
    if length and here.pid is None:
        message = f"{wal} holds {size(length)} of a daemon that was killed; nothing is lost"
        yield Finding("wal", WARNING, message, f"{here.again('start --detach')}  # takes it in")
    elif length > LONG_LOG:
        message = f"{wal} has grown to {size(length)}: somebody reads the database for a very long time"
        yield Finding("wal", WARNING, message, f"{here.again('restart')}  # fuser {wal} names who reads")
    else:
        yield Finding("wal", OK, "the write-ahead log is short")


def backups(here: Installation) -> Iterator[Finding]:
    """Each is verified, the newest first, for as long as patience lasts."""
    kept = backup.listing(here.loaded.layout)
    damaged = [*_strange(here), *_damaged(here, kept)]
    yield from damaged
    if few := _too_few(here, kept):
        yield Finding("backups", WARNING, few, here.again("backup create"))
    elif not damaged:
        told = f"{len(kept)} backups, {size(sum(b.bytes for b in kept))}, all whole" if kept else "none yet"
        yield Finding("backups", OK, told)


def _damaged(here: Installation, kept: list[Backup]) -> Iterator[Finding]:
    clock = here.context.host.clock
    end = clock.monotonic() + PATIENCE
    for found in kept:
        try:
            (backup.verify if clock.monotonic() < end else backup.check_sizes)(found)
        except WaiaasError as problem:
            yield Finding("backups", PROBLEM, problem.message, _replace(here, found.path))


def _strange(here: Installation) -> Iterator[Finding]:
    """Folders with our manifest that are no backup any more; listed by nobody."""
    folder = here.loaded.layout.backups
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if manifest.read(path) is None and (why := backup.objection(folder, path.name)):
            yield Finding("backups", PROBLEM, f"{path.name} cannot be used: {why}", _replace(here, path))


def _replace(here: Installation, path: Path) -> str:
    return f"{here.again('backup create')} && rm -r {path}"


def _too_few(here: Installation, kept: list[Backup]) -> str:
    now, made = here.context.host.clock.now(), _created(here)
    if kept and now - kept[0].created_at > OLD:
        return f"the newest backup is {duration(now - kept[0].created_at)} old"
    if not kept and made is not None and now - made > YOUNG:
        return f"there is no backup, after {duration(now - made)}"
    return ""


def _created(here: Installation) -> float | None:
    """When this directory was initialised or adopted, in Unix seconds."""
    try:
        told = loads(here.loaded.layout.installation.read_bytes())["createdAt"]
        return datetime.fromisoformat(told).astimezone(UTC).timestamp()
    except (OSError, ValueError, LookupError, TypeError):
        return None


def rollback(here: Installation) -> Iterator[Finding]:
    """What `upgrade --rollback` would need is still there: the kept program and the backup."""
    program, data = here.context.program, str(here.loaded.layout.data_dir)
    last = to_roll_back(history(program), data) if program else None
    if program is None or last is None:
        yield Finding("rollback", OK, "no upgrade to roll back")
        return
    arrow = f"{last.get('from')} → {last.get('to')}"
    lost = []
    if not program.slot(str(last.get("oldDigest"))).exists():
        lost.append(f"the program {last.get('from')}")
    if last.get("backup") and not (here.loaded.layout.backups / str(last["backup"])).is_dir():
        lost.append(f"the backup {last['backup']}")
    if lost:
        message = f"the upgrade {arrow} cannot be rolled back: {' and '.join(lost)} is gone"
        hint = f"{here.again('backup create')}  # to go down: {here.again('upgrade --to VERSION --yes')}"
        yield Finding("rollback", WARNING, message, hint)
    else:
        yield Finding("rollback", OK, f"the upgrade {arrow} can be rolled back")
