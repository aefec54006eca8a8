"""What `waiaas status` says to people, from the document that it gives to machines."""

from collections.abc import Iterator

from waiaas.cli.context import Context, Loaded
from waiaas.core.compat import LATEST_SCHEMA_VERSION
from waiaas.core.words import duration, size
from waiaas.host.clock import iso

TYPE_CHECKING = False  # importing `typing` is one of the things that every command saves (PRF-3)
if TYPE_CHECKING:
    from typing import Any

HEALTH = {
    "ok": "running and healthy",
    "degraded": "running, but it cannot serve",
    "stopping": "stopping",
    "starting": "starting",
    "silent": "running, but it does not answer",
}
WIDTH = 16  # characters before the second column


def described(context: Context, loaded: Loaded, document: "dict[str, Any]") -> str:
    rows = (
        ("state", _state(context, loaded, document)),
        *_settings(context, document),
        ("version", document["version"]),
        *_where(document),
        ("data directory", document["dataDir"]),
        ("database", _database(context, document)),
        *(("update", told) for told in _update(context, loaded, document)),
        *_switch(context, document),
        ("backups", _backups(context, document["backups"])),
        *_open_run(context, document["openRun"]),
    )
    return "\n".join(f"{name:{WIDTH}}{value}" for name, value in rows)


def _state(context: Context, loaded: Loaded, document: "dict[str, Any]") -> str:
    if document["running"]:
        unit = f", {document['unit']}" if document["unit"] else ""
        since = f" for {duration(document['uptime'])}" if document["uptime"] is not None else ""
        look = "" if document["health"] == "ok" else f": {context.again('doctor')}"
        return f"{HEALTH[document['health']]}{since} (pid {document['pid']}{unit}){look}"
    if loaded.legacy:
        return f"of the previous implementation, not yet adopted: {context.again('init')}"
    return f"not running: {_before_start(context, document) or context.again('start --detach')}"


def _before_start(context: Context, document: "dict[str, Any]") -> str | None:
    """What a start would be refused for."""
    if document["settingsProblems"]:
        return f"mend the settings first, {context.again('config validate')}"
    if document["databaseRefused"] is None:
        return None
    if (document["schemaVersion"] or 0) > LATEST_SCHEMA_VERSION:
        return f"the data are of a newer version, {context.again('upgrade')}"
    return f"this version cannot serve the data, {context.again('db status')}"


def _settings(context: Context, document: "dict[str, Any]") -> Iterator[tuple[str, str]]:
    if count := document["settingsProblems"]:
        many = "1 problem" if count == 1 else f"{count} problems"
        yield "settings", f"{many}: {context.again('config validate')}"


def _where(document: "dict[str, Any]") -> Iterator[tuple[str, str]]:
    """Where a browser finds the status page; for a stopped daemon, where it would."""
    host, port = document["hostname"], document["port"]
    if port:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - told apart, not bound
        yield "address", f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def _database(context: Context, document: "dict[str, Any]") -> str:
    if document["databaseBytes"] is None:
        return f"MISSING: {context.again('doctor')}"
    if document["databaseProblem"]:
        return f"CANNOT BE READ: {context.again('doctor')}"
    if document["databaseRefused"]:
        return f"CANNOT BE SERVED, {document['databaseRefused']}: {context.again('db status')}"
    schema = document["schemaVersion"]
    return f"{f'schema {schema}' if schema is not None else 'busy'}, {size(document['databaseBytes'])}"


def _update(context: Context, loaded: Loaded, document: "dict[str, Any]") -> Iterator[str]:
    check, version = document["versionCheck"], document["version"]
    if gone := document["withdrawn"]:
        to = f", {gone['to']} replaces it" if gone.get("to") else ""
        how = how_to_upgrade(context, loaded)
        yield f"{version} was WITHDRAWN: {gone.get('reason')}{to}. {how}"
    elif check and _is_newer(check["latest"], version):
        yield f"{check['latest']} is available. {how_to_upgrade(context, loaded)}"
        if failed := document["failedHere"]:
            yield f"{check['latest']} failed here on {iso(failed['at'])}: {failed['reason']}"
    elif not loaded.settings.daemon.update_check:
        yield f"not looked for (update_check = false); {context.again('upgrade --check')} asks"
    elif check and check["checkedAt"]:
        yield f"none; checked {_ago(context, check['checkedAt'])}"
    elif not (check and check["error"]):
        yield f"the daemon has not looked yet; {context.again('upgrade --check')} asks"
    if check and check["error"]:
        yield f"the last check failed: {check['error']} ({context.again('upgrade --check')})"


def _is_newer(latest: str | None, version: str) -> bool:
    if latest in (None, version):
        return False
    from waiaas.core.version import newer

    return newer(latest, version)


def how_to_upgrade(context: Context, loaded: Loaded) -> str:
    """What a person is told to do about a newer version."""
    from waiaas.upgrade.elsewhere import advice

    asked = loaded.parsed.origins["upgrade.mode"] != "default"
    return advice(context.host.program.path, loaded.settings.upgrade.mode, asked=asked)


def _switch(context: Context, document: "dict[str, Any]") -> Iterator[tuple[str, str]]:
    if (state := document["killSwitch"]) is not None:
        off = context.again("kill-switch off")
        yield "kill switch", "off" if state == "ACTIVE" else f"ON, nothing acts on wallets ({state}): {off}"


def _backups(context: Context, kept: "dict[str, Any]") -> str:
    if not kept["count"]:
        return f"none: {context.again('backup create')}"
    return f"{kept['count']}, the newest made {_ago(context, kept['newest'])}"


def _open_run(context: Context, run: "dict[str, Any] | None") -> Iterator[tuple[str, str]]:
    if run is None:
        return
    what = run.get("error") or f"{run.get('from')} → {run.get('to')}, step {run.get('step')}"
    yield "open run", f"{what}; {context.again('upgrade --recover')} finishes or undoes it"


def _ago(context: Context, seconds: float) -> str:
    return f"{duration(context.host.clock.now() - seconds)} ago"
