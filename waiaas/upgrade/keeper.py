"""What a run does inside the data directory: by its owner, and nobody else (UPGR-14).

The supervising program belongs to the program's owner, who may be root. The data directory belongs
to the daemon's user, who may have planted links, files and settings in it. So everything a run does
in there is one of these verbs. Where both are the same user they are called as they are; else each
runs in a child of the same version that has become the data directory's owner for good. They take
and return JSON, and know nothing of journals or programs.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from waiaas.core import causes
from waiaas.core.errors import WaiaasError
from waiaas.core.journal import Facts
from waiaas.core.layout import Layout
from waiaas.host.host import Host
from waiaas.host.locks import Gate
from waiaas.host.sqlite import SIDE_FILES, SqlError, reading, side, writing
from waiaas.host.sqlite_copies import snapshot
from waiaas.store import audit, killswitch, switching
from waiaas.store import backup as backups
from waiaas.store.assemble import counts
from waiaas.store.inspect import inspect
from waiaas.store.replace import require_unused
from waiaas.store.restore import other_database

ASIDE = {"audit_log", "schema_version", "key_value_store"}  # what the program itself notes down


def look(host: Host, layout: Layout) -> Facts:
    """Schema, kill switch, size, room and rights. What cannot be read is None, never a guess."""
    facts: Facts = {"schema": None, "killSwitch": None, "bytes": 0, "damage": None}
    try:
        state = inspect(layout.database, _gate(host, layout))
        facts["bytes"] = layout.database.stat().st_size
        if state.damage and state.action == "reject":
            state.require()
        facts["schema"] = state.schema
        with reading(layout.database, _gate(host, layout)) as connection:
            facts["killSwitch"] = killswitch.is_on(connection)
    except (WaiaasError, OSError, SqlError) as problem:
        known = causes.told(problem) or WaiaasError("unknown", str(problem))
        facts["damage"], facts["error"] = known.message, [known.code, known.message, known.hint]
    backups_at = layout.backups if os.access(layout.backups, os.F_OK) else layout.data_dir
    facts["room"] = {"backups": room(backups_at), "database": room(layout.database.parent)}
    return facts | _rights(layout)


def room(folder: Path) -> Facts:
    """The file system of a folder, and how many bytes may be written there; where that cannot be told,
    another finding says why."""
    try:
        device, free = folder.stat().st_dev, shutil.disk_usage(folder).free
    except OSError:
        device, free = -1, 1 << 62
    return {"folder": str(folder), "device": device, "free": free}


def _rights(layout: Layout) -> Facts:
    """What is no folder, and what this user may not write."""
    folders = [layout.data_dir, layout.database.parent]
    folders += [layout.backups] if os.path.lexists(layout.backups) else []
    none = [f for f in folders if os.access(f.parent, os.X_OK) and not f.is_dir()]
    closed = [f for f in folders if f not in none and not os.access(f, os.W_OK | os.X_OK)]
    closed += [] if os.access(layout.database, os.W_OK) else [layout.database]
    return {"noFolder": [str(f) for f in none], "closed": [str(f) for f in closed]}


def unused(host: Host, layout: Layout) -> Facts:
    """No stranger has the database open, as far as can be seen beside a daemon. Raises `Busy`."""
    require_unused(host.clock, layout, alone=False)
    return {}


def rehearsal(host: Host, layout: Layout, backup: str | None = None) -> Facts:
    """A copy to rehearse on: of the live database, or of a verified backup's."""
    clear(host, layout)
    if backup is None:
        snapshot(layout.database, _gate(host, layout), layout.rehearsal)
    else:
        kept = backups.find(layout, backup)
        backups.verify(kept)
        host.files.copy("rehearsal", kept.database, layout.rehearsal)
    return {"database": str(layout.rehearsal)}


def clear(host: Host, layout: Layout) -> Facts:
    """Remove copies in the making, and what a power cut left beside the database."""
    database = layout.database
    host.files.sweep("leftover", database.parent, database.name)
    host.files.sweep("leftover", layout.config.parent, layout.config.name)
    restoring = database.with_name(f".{database.name}.restoring")
    for leftover in (layout.rehearsal, layout.migrating, restoring):
        for path in (leftover, *(side(leftover, suffix) for suffix in (*SIDE_FILES, ".gate"))):
            host.files.remove("leftover", path)
    return {}


def back_up(
    host: Host, layout: Layout, kind: str, version: str, artefact: str, link: bool, label: str
) -> Facts:
    """Make a backup; see `store.backup.create`."""
    made = backups.create(
        host.files, host.clock, layout, kind, version, Path(artefact), link=link, label=label
    )
    return {"backup": made.id}


def describe(host: Host, layout: Layout, backup: str) -> Facts:
    """What a backup holds, and how many rows the live database has beyond it: those of people and agents,
    not what a run, a check or a start noted down (UPGR-04)."""
    kept = backups.find(layout, backup)
    with reading(layout.database, _gate(host, layout)) as connection:
        present = counts(connection)
    newer = sum(max(0, n - kept.rows.get(table, 0)) for table, n in present.items() if table not in ASIDE)
    other = other_database(layout, kept, host.environ)
    return {
        "backup": kept.id,
        "schema": kept.schema_version,
        "createdAt": kept.created_at,
        "newer": newer,
        "otherDatabase": str(other) if other else None,
    }


def newest_readable(host: Host, layout: Layout, reads: tuple[int, int]) -> Facts:
    """The newest backup whose schema lies within `reads`; None if there is none."""
    fitting = [b.id for b in backups.listing(layout) if reads[0] <= b.schema_version <= reads[1]]
    return {"backup": fitting[0] if fitting else None}


def restore(host: Host, layout: Layout, backup: str, link: bool, config: bool) -> Facts:
    """A backup's database becomes the live one; the kill switch stays on. By link only when the backup
    belongs to the run being undone, which then gives it up."""
    kept = backups.find(layout, backup)
    backups.restore(host.files, host.clock, layout, kept, link=link, with_config=config, keep_switch=True)
    return {}


def give_up_links(host: Host, layout: Layout) -> Facts:
    """Remove backups whose database is the live file itself: they would change with it."""
    live = layout.database
    for found in backups.listing(layout):
        if found.database.exists() and live.exists() and found.database.samefile(live):
            host.files.remove_tree("backup.undo", found.path)
    return {}


def prune(host: Host, layout: Layout, keep: int, needed: list[str]) -> Facts:
    """Forget old backups (BKUP-2), and what a kill left of one."""
    return {"pruned": [found.id for found in backups.prune(host.files, layout, keep, set(needed))]}


def throw_switch(host: Host, layout: Layout) -> Facts:
    """The kill switch is on afterwards."""
    with writing(layout.database, _gate(host, layout)) as connection:
        switching.throw(connection, "upgrade", host.clock.seconds())
    return {}


def accept_expired(host: Host, layout: Layout, source: str, expired: list[str]) -> Facts:
    """Audit that the operator took metadata that are out of date (BNDL-3)."""
    details = {"source": source, "expired": expired}
    with writing(layout.database, _gate(host, layout)) as connection:
        now = host.clock.seconds()
        audit.write(connection, "UPGRADE_EXPIRED_ACCEPTED", "upgrade", details, now, severity="warning")
    return {}


VERBS: dict[str, Callable[..., Facts]] = {
    "look": look,
    "unused": unused,
    "rehearsal": rehearsal,
    "clear": clear,
    "back-up": back_up,
    "describe": describe,
    "newest-readable": newest_readable,
    "restore": restore,
    "give-up-links": give_up_links,
    "prune": prune,
    "throw-switch": throw_switch,
    "accept-expired": accept_expired,
}


def perform(host: Host, layout: Layout, verb: str, arguments: dict[str, Any]) -> Facts:
    """Run one verb; the child of another owner enters here."""
    return VERBS[verb](host, layout, **arguments)


def _gate(host: Host, layout: Layout) -> Gate:
    return Gate(layout.gate, host.clock)
