"""What a version does for a run as itself: rehearse, migrate, verify, record.

Called in a child of the supervising program, through `waiaas step VERB`; each verb answers one JSON
document. The names are a wire format between two versions (see `child.py`, the asking side).
"""

from pathlib import Path
from typing import Any

from waiaas import __version__
from waiaas.core.compat import LATEST_SCHEMA_VERSION
from waiaas.core.incompatible import require_compatible
from waiaas.core.journal import Facts
from waiaas.core.layout import Layout, ProgramLayout
from waiaas.host import lifeline
from waiaas.host.files import identity
from waiaas.host.host import Host
from waiaas.host.locks import Gate
from waiaas.host.sqlite import transaction, writing
from waiaas.host.sqlite_copies import problems
from waiaas.store import audit
from waiaas.store.inspect import inspect
from waiaas.store.migrate import migrate_copy, migrate_file
from waiaas.store.settle import has_wal
from waiaas.upgrade.book import history, open_run

CHECKED = "checked"  # in the answer of `migrate`, and so among its facts in the journal


def rehearse(host: Host, layout: Layout, database: Path | None) -> Facts:
    """Start as the new version; migrate and check the copy, or look at the live database."""
    if database is None:
        state = inspect(layout.database, Gate(layout.gate, host.clock))
        require_compatible(state.schema)
        return _answer(state.schema, [])
    require_compatible(inspect(database, Gate(_copy_gate(layout), host.clock)).schema)
    _, schema = migrate_copy(database, host.clock)
    return _answer(schema, problems(database))


def migrate(host: Host, layout: Layout) -> Facts:
    """Migrate the live database: a copy, checked, renamed into place (MIG-04). `checked`: that file."""
    require_compatible(inspect(layout.database, Gate(layout.gate, host.clock)).schema)
    checked: list[int] = []

    def wanted() -> bool:
        checked[:] = identity(layout.migrating)
        return not lifeline.orphaned()

    _, schema = migrate_file(host.files, host.clock, layout, wanted=wanted)
    return {**_answer(schema, []), CHECKED: checked}


def verify(host: Host, layout: Layout, program: ProgramLayout | None = None) -> Facts:
    """Version, schema and integrity, and that this version can serve this database.

    The file that `migrate` has checked, and that nobody has written to since, is not read to its end again
    while nobody is served (PRF-11).
    """
    state = inspect(layout.database, Gate(layout.gate, host.clock))
    require_compatible(state.schema)
    found = [] if _is_checked(layout.database, program) else problems(layout.database)
    if state.schema != LATEST_SCHEMA_VERSION:
        found.append(f"schema {state.schema} is not migrated to {LATEST_SCHEMA_VERSION}")
    return _answer(state.schema, found)


def _is_checked(database: Path, program: ProgramLayout | None) -> bool:
    run = open_run(program) if program is not None else None
    checked = run.facts_of("migrate").get(CHECKED) if run is not None else None
    return bool(checked) and not has_wal(database) and identity(database) == checked


def record(host: Host, layout: Layout, program: ProgramLayout) -> Facts:
    """Enter the closed runs of this data directory into the audit log, each once (UPGR-08)."""
    closed = [r for r in history(program) if r.get("dataDir") == str(layout.data_dir)]
    with writing(layout.database, Gate(layout.gate, host.clock)) as connection, transaction(connection):
        known = audit.recorded(connection, audit.RUNS.values(), "run")
        missing = [run for run in closed if run.get("run") not in known]
        for run in missing:
            _write(connection, run)
    return {"version": __version__, "written": len(missing)}


def _write(connection: Any, run: Facts) -> None:
    told = ("run", "kind", "from", "to", "backup", "error")
    outcome = str(run.get("outcome"))
    if (run.get("kind"), outcome) == ("rollback", "committed"):
        outcome = "undone"
    audit.write(
        connection,
        audit.RUNS.get(outcome, audit.RUNS["failed"]),
        "system",
        {key: run.get(key) for key in told},
        int(run.get("finishedAt") or 0),
        severity="info" if outcome in ("committed", "undone") else "warning",
    )


def _answer(schema: int, found: list[str]) -> Facts:
    return {"version": __version__, "schema": schema, "problems": found}


def _copy_gate(layout: Layout) -> Path:
    """The rehearsal's copy is nobody else's; its gate lies beside it and goes with it."""
    return layout.rehearsal.with_name(layout.rehearsal.name + ".gate")
