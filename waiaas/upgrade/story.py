"""The stories: check, upgrade, roll back, recover. Each one is read in order, on one screen."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from waiaas.core.choose import Policy, Stay, Upgrade, choose
from waiaas.core.errors import WaiaasError
from waiaas.core.journal import Facts, OpenRun, to_roll_back
from waiaas.core.layout import Layout, ProgramLayout
from waiaas.core.release import Release
from waiaas.core.settings import Settings
from waiaas.core.version import Version
from waiaas.host.clock import iso
from waiaas.host.files import sha256
from waiaas.host.host import Host
from waiaas.host.locks import Lock
from waiaas.host.owner import acting_as, other_owner
from waiaas.upgrade import child, daemon, slots, transaction
from waiaas.upgrade.book import Book
from waiaas.upgrade.feed import Catalogue, Feed
from waiaas.upgrade.report import Reporter
from waiaas.upgrade.rollback import ROLLBACK
from waiaas.upgrade.steps import UPGRADE, Check
from waiaas.upgrade.transaction import Run, Step

DOWNLOAD_PATIENCE = 3600.0  # seconds for the artefact
PUBLIC_LOCK = 0o644  # the daemon's user may ask who holds it (UPGR-15)
CHECK_PATIENCE = 30.0  # seconds for the metadata of an explicit upgrade


@dataclass(frozen=True)
class Place:
    """Where a run happens, and who is told."""

    host: Host
    layout: Layout
    program: ProgramLayout
    settings: Settings
    report: Reporter
    installed: Version
    installation_id: str


@dataclass(frozen=True)
class Wish:
    """What the user asked `upgrade` for."""

    to: Version | None = None
    start: bool = True
    keep_data: bool = False


@dataclass(frozen=True)
class Checked:
    """The answer of `--check`: the catalogue and what would be chosen from it."""

    catalogue: Catalogue
    choice: Upgrade | Stay
    schema: int


def check(place: Place, feed: Feed, wish: Wish) -> Checked:
    """Ask the feed what this installation should run. Changes nothing but verified metadata."""
    catalogue = feed.refresh(CHECK_PATIENCE)
    for warning in catalogue.warnings:
        place.report.note(warning)
    schema = _schema(place)
    policy = Policy(
        channel=place.settings.upgrade.channel,
        pin=place.settings.upgrade.pin,
        installation_id=place.installation_id,
        schema=schema,
        python=sys.version_info[:3],
        now=place.host.clock.now(),
        to=wish.to,
        at_hand=catalogue.at_hand,
    )
    choice = choose(catalogue.releases, place.installed, policy)
    return Checked(catalogue, choice, schema)


def accept_expired(place: Place, source: str, expired: Sequence[str]) -> None:
    """Note for good that the operator took metadata that are out of date (BNDL-3)."""
    child.keep(_bystander(place), "accept-expired", source=source, expired=list(expired))


def upgrade(place: Place, feed: Feed, hop: Release, schema: int, wish: Wish) -> Facts:
    """Seven steps to one hop of the chosen path, from a database of `schema`.

    Returns the record of the run. Raises what a step raised, `RolledBack`, `RollbackFailed`, `Busy`.
    """
    plan = _upgrade_plan(place, hop, schema, wish)
    place.report.event("UPDATE_AVAILABLE", **{"from": plan["from"], "to": plan["to"]})

    def fetch(staged: Any) -> None:
        feed.download(hop, staged, DOWNLOAD_PATIENCE, place.report.downloaded)
        place.report.event("DOWNLOAD_FINISHED", bytes=hop.length)

    return _run(place, plan, (Check(fetch), *UPGRADE[1:]))


def roll_back(place: Place, wish: Wish) -> Facts:
    """Undo the last committed run: its program, and its data unless they are to be kept (UPGR-04)."""
    undone = to_roll_back(Book(place.program, place.host.files, place.host.clock).history(), _key(place))
    if undone is None:
        raise WaiaasError(
            "nothing-to-roll-back",
            "no committed upgrade of this data directory is on record, so nothing was changed",
            "`waiaas upgrade --history` lists the runs",
        )
    plan = _rollback_plan(place, undone, wish)
    _say_what_leaves(place, undone, plan)
    return _run(place, plan, ROLLBACK)


def recover(place: Place, *, restart: bool = True, daemon_lock: Lock | None = None) -> Facts | None:
    """Finish or undo the run that a kill left open; None when there is none. The caller holds the
    program's lock (`locked`)."""
    book = Book(place.program, place.host.files, place.host.clock)
    state = book.open_run()
    if state is None:
        return None
    run = make_run(place, state.plan)
    run.restart, run.daemon_lock = restart, daemon_lock
    place.report.note(
        f"finishing the interrupted run {state.run} ({state.plan['from']} → {state.plan['to']})"
    )
    with place.host.processes.shielded():
        record = transaction.recover(run, state, steps_of(state))
    if daemon_lock is None:
        daemon.release_lock(run)
    child.record(run)
    return record


def steps_of(state: OpenRun) -> Sequence[Step]:
    return ROLLBACK if state.plan.get("kind") == "rollback" else UPGRADE


@contextmanager
def locked(place: Place) -> Iterator[None]:
    """The program first, then the data directory (UPGR-16). Raises `Busy`."""
    slots.prepare(place.host.files, place.program)
    with Lock.acquire(place.program.lock, "upgrade of this program", PUBLIC_LOCK):
        with acting_as(other_owner(place.layout.data_dir)):
            data = Lock.acquire(place.layout.run_lock, "upgrade of this data directory")
        with data:
            slots.sweep(place.host.files, place.program)
            yield


def _run(place: Place, plan: Facts, steps: Sequence[Step]) -> Facts:
    run = make_run(place, plan)
    with place.host.processes.deaf_to_hangup():
        try:
            return transaction.execute(run, steps)
        finally:
            daemon.release_lock(run)
            child.record(run)


def make_run(place: Place, plan: Facts) -> Run:
    book = Book(place.program, place.host.files, place.host.clock)
    layout = Layout(Path(plan["dataDir"]), Path(plan["database"]), Path(plan["config"]))
    owner = other_owner(layout.data_dir)
    return Run(place.host, layout, place.program, place.settings, place.report, book, plan, owner=owner)


def _upgrade_plan(place: Place, hop: Release, schema: int, wish: Wish) -> Facts:
    migrating = hop.schema.writes > schema
    return {
        **_plan(place, "upgrade", str(hop.version), hop.sha256, wish),
        "length": hop.length,
        "target": hop.target,
        "migrating": migrating,
        "replacing": migrating,
        "schemaFrom": schema,
        "schemaTo": hop.schema.writes if migrating else schema,
        "restore": None,
    }


def _rollback_plan(place: Place, undone: Facts, wish: Wish) -> Facts:
    schema = _schema(place)
    kept = None if wish.keep_data else _backup_of(place, undone)
    return {
        **_plan(place, "rollback", undone["from"], undone["oldDigest"], wish),
        "undoes": undone["run"],
        "migrating": False,
        "replacing": kept is not None,
        "schemaFrom": schema,
        "schemaTo": kept["schema"] if kept else schema,
        "restore": kept["backup"] if kept else None,
    }


def _plan(place: Place, kind: str, to: str, digest: str, wish: Wish) -> Facts:
    clock = place.host.clock
    return {
        "format": 1,
        "run": f"{clock.stamp()}-{os.urandom(3).hex()}",
        "kind": kind,
        "from": str(place.installed),
        "to": to,
        "oldDigest": sha256(place.program.program),
        "newDigest": digest,
        "program": str(place.program.program),
        "dataDir": _key(place),
        "database": str(place.layout.database),
        "config": str(place.layout.config),
        "noStart": not wish.start,
    }


def _schema(place: Place) -> int:
    """The schema of the live database. Raises what stands against reading it."""
    found = child.keep(_bystander(place), "look")
    if found["schema"] is None:
        raise WaiaasError("database-damaged", str(found["damage"]), "waiaas db check")
    return int(found["schema"])


def _bystander(place: Place) -> Run:
    """A run that changes nothing: to look into the data directory as its owner."""
    layout = place.layout
    paths = {"dataDir": _key(place), "database": str(layout.database), "config": str(layout.config)}
    return make_run(place, paths)


def _backup_of(place: Place, undone: Facts) -> Facts:
    try:
        return child.keep(_bystander(place), "describe", backup=str(undone.get("backup")))
    except WaiaasError as problem:
        raise WaiaasError(
            "backup-missing",
            f"the backup of run {undone['run']} is gone, so nothing was changed",
            "`waiaas upgrade --rollback --keep-data` brings back the program alone",
        ) from problem


def _say_what_leaves(place: Place, undone: Facts, plan: Facts) -> None:
    """From when the data will be, and how many newer rows leave the live database (UPGR-04)."""
    if plan["restore"] is None:
        place.report.note(f"rolling back to {plan['to']}; the data stay as they are")
        return
    kept = _backup_of(place, undone)
    newer = kept["newer"]
    place.report.note(
        f"rolling back to {plan['to']} with its data of {iso(kept['createdAt'])}; "
        f"{newer} newer row{'' if newer == 1 else 's'} leave{'s' if newer == 1 else ''} the live database "
        "(a backup of the present state is made first)"
    )


def _key(place: Place) -> str:
    return str(place.layout.data_dir)
