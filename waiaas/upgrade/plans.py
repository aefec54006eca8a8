"""The plan of a run: what its `opened` event says, so that any version can finish it."""

import os

from waiaas.core.choose import unfit
from waiaas.core.errors import WaiaasError
from waiaas.core.journal import FORMAT, Facts
from waiaas.core.release import Release
from waiaas.core.version import Version
from waiaas.host.clock import iso
from waiaas.host.files import sha256
from waiaas.upgrade import child
from waiaas.upgrade.book import Book
from waiaas.upgrade.feed import remembered
from waiaas.upgrade.place import Place, Wish, bystander, key_of, schema_of


def upgrade_plan(place: Place, hop: Release, schema: int, wish: Wish) -> Facts:
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


def rollback_plan(place: Place, kept: Facts | None, to: str, digest: str, wish: Wish) -> Facts:
    """Raises "other-database": settings and data would come back in two places."""
    schema = schema_of(place)
    if kept and kept["otherDatabase"]:
        raise WaiaasError(
            "other-database",
            f"the settings in {kept['backup']} open {kept['otherDatabase']}, those of today open "
            f"{place.layout.database}; nothing was changed",
            "move the database there and set `database.path` to it, then try again",
        )
    return {
        **_plan(place, "rollback", to, digest, wish),
        "migrating": False,
        "replacing": kept is not None,
        "schemaFrom": schema,
        "schemaTo": kept["schema"] if kept else schema,
        "restore": kept["backup"] if kept else None,
        "dataFrom": iso(kept["createdAt"]) if kept else None,
        "rowsLost": kept["newer"] if kept else 0,
    }


def _plan(place: Place, kind: str, to: str, digest: str, wish: Wish) -> Facts:
    clock = place.host.clock
    return {
        "format": FORMAT,
        "run": f"{clock.stamp()}-{os.urandom(3).hex()}",
        "kind": kind,
        "from": str(place.installed),
        "to": to,
        "oldDigest": sha256(place.program.program),
        "newDigest": digest,
        "program": str(place.program.program),
        "dataDir": key_of(place),
        "database": str(place.layout.database),
        "config": str(place.layout.config),
        "noStart": not wish.start,
    }


def backup_of(place: Place, undone: Facts) -> Facts:
    try:
        return child.keep(bystander(place), "describe", backup=str(undone.get("backup")))
    except WaiaasError as problem:
        raise WaiaasError(
            "backup-missing",
            f"the backup of run {undone['run']} is gone, so nothing was changed",
            "`waiaas upgrade --rollback --keep-data` brings back the program alone",
        ) from problem


def readable_backup(place: Place, hop: Release) -> Facts:
    """The newest backup that `hop` can read. Raises `backup-missing`."""
    span = hop.schema.reads_from, hop.schema.reads_to
    found = child.keep(bystander(place), "newest-readable", reads=span)["backup"]
    if found is None:
        raise WaiaasError(
            "backup-missing",
            f"{hop.version} cannot read the present database, and no backup is left that it could read",
            "stay, or see `waiaas backup list` for a backup to restore by hand",
        )
    return child.keep(bystander(place), "describe", backup=found)


def run_that_made(place: Place, backup: str) -> str | None:
    """The run that made this backup: going back to it undoes that run."""
    made = [
        r
        for r in Book(place.program, place.host.files, place.host.clock).history()
        if r.get("backup") == backup
    ]
    return str(made[-1]["run"]) if made else None


def say_what_leaves(place: Place, kept: Facts | None, plan: Facts) -> None:
    """From when the data will be, and how many newer rows leave the live database (UPGR-04)."""
    if kept is None:
        place.report.note(f"rolling back to {plan['to']}; the data stay as they are")
        return
    made, newer = iso(kept["createdAt"]), kept["newer"]
    place.report.note(
        f"rolling back to {plan['to']} with its data of {made}; {rows(newer)} "
        f"leave{'s' if newer == 1 else ''} the live database (a backup of the present state is made first)"
    )


def say_what_is_against(place: Place, version: str) -> None:
    """A withdrawn or unsafe version is warned of and not refused: going back must work when all else fails.
    Both looks at the feed are asked, those of `upgrade` and of the daemon."""
    for cache in (place.program.metadata, place.layout.feed):
        if why := unfit(remembered(cache), Version.parse(version)):
            place.report.note(f"warning: {why}; `waiaas upgrade` leads away from it")
            return


def rows(number: int) -> str:
    return f"{number} newer row{'' if number == 1 else 's'}"
