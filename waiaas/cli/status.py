"""`waiaas status`: does it run, as what, on which data, and is an upgrade half-way."""

import argparse
from datetime import UTC, datetime
from typing import Any

from waiaas import __version__
from waiaas.cli import running, service
from waiaas.cli.context import Context, Loaded
from waiaas.cli.output import Result
from waiaas.core.errors import Exit, WaiaasError

HELP = "say whether the daemon runs, and how it stands"
PATIENCE = 0.0  # seconds: whoever only wants to look does not wait (DIR-5)


def arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments but the global ones."""


def run(args: argparse.Namespace, context: Context) -> Result:
    """Exit 0 running, 3 not running. Changes nothing, whatever it finds."""
    loaded = context.load(broken_ok=True, unreadable_ok=True)
    pid = running.running(loaded.layout)
    unit = service.of(context, loaded) if pid else None
    document = {**_document(context, loaded, pid), "unit": unit.name if unit else None}
    return Result(document, _text(context, loaded, document), Exit.OK if pid else Exit.NOT_READY)


def _document(context: Context, loaded: Loaded, pid: int | None) -> dict[str, Any]:
    about = running.known(loaded.layout) if pid else {}
    schema, withdrawn = _database(context, loaded)
    return {
        "running": pid is not None,
        "pid": pid,
        "version": about.get("version", __version__) if pid else __version__,
        "port": about.get("port") if pid else loaded.settings.daemon.port,
        "dataDir": str(loaded.layout.data_dir),
        "schemaVersion": schema,
        "uptime": _uptime(context, about),
        "openRun": open_run(context),
        "withdrawn": withdrawn,
    }


def _uptime(context: Context, about: dict[str, Any]) -> int | None:
    try:
        started = datetime.fromisoformat(str(about["startedAt"])).astimezone(UTC)
    except (KeyError, ValueError):
        return None
    return max(0, int(context.host.clock.now() - started.timestamp()))


def _database(context: Context, loaded: Loaded) -> tuple[int | None, dict[str, Any] | None]:
    """Schema and what is known of a withdrawal; None where one may not look at once."""
    from waiaas.host.sqlite import SqlError, reading
    from waiaas.store.inspect import inspect
    from waiaas.store.keyvalue import stored_check

    gate = context.gate(loaded.layout)
    try:
        schema = inspect(loaded.layout.database, gate, PATIENCE).schema
        with reading(loaded.layout.database, gate, PATIENCE) as connection:
            return schema, stored_check(connection).withdrawn
    except (WaiaasError, OSError, SqlError):
        return None, None


def open_run(context: Context) -> dict[str, Any] | None:
    """The run that is at work or was interrupted, as `status` and `doctor` tell it (UPGR-06)."""
    if context.program is None:
        return None
    from waiaas.upgrade.book import open_run as find

    try:
        state = find(context.program)
    except WaiaasError as problem:
        return {"run": None, "error": problem.message}
    if state is None:
        return None
    return {
        "run": state.run,
        "kind": state.plan.get("kind"),
        "from": state.plan.get("from"),
        "to": state.plan.get("to"),
        "dataDir": state.plan.get("dataDir"),
        "step": state.steps[-1].name if state.steps else None,
        "committed": state.committed,
    }


def _text(context: Context, loaded: Loaded, document: dict[str, Any]) -> str:
    lines = [
        f"state           {_state(context, loaded, document)}",
        f"version         {document['version']}",
        f"port            {document['port']}",
        f"data directory  {document['dataDir']}",
        f"schema          {document['schemaVersion'] or 'unknown'}",
    ]
    if document["uptime"] is not None:
        lines.append(f"uptime          {document['uptime']} s")
    if found := document["withdrawn"]:
        lines.append(f"withdrawn       {found.get('reason')}; go to {found.get('to')}: waiaas upgrade")
    if found := document["openRun"]:
        lines.append(
            f"open run        {found.get('from')} → {found.get('to')}, step {found.get('step')}; "
            "`waiaas upgrade --recover` finishes or undoes it"
        )
    return "\n".join(lines)


def _state(context: Context, loaded: Loaded, document: dict[str, Any]) -> str:
    if document["running"]:
        unit = f", {document['unit']}" if document["unit"] else ""
        return f"running (pid {document['pid']}{unit})"
    if loaded.legacy:
        return f"of the previous implementation, not yet adopted: {context.again('init')}"
    return f"not running: {context.again('start --detach')}"
