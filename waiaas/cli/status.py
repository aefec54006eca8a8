"""`waiaas status`: does it run, as what, on which data, what is new, and is an upgrade half-way."""

import os

from waiaas import __version__
from waiaas.cli import running
from waiaas.cli.context import Context, Loaded
from waiaas.cli.output import Result
from waiaas.cli.status_text import described
from waiaas.cli.where import SYSTEMD
from waiaas.core.errors import Busy, Exit, WaiaasError

TYPE_CHECKING = False  # importing `typing` is one of the things that every command saves (PRF-3)
if TYPE_CHECKING:
    from typing import Any

    from waiaas.host.systemd import Unit

PATIENCE = 0.0  # seconds: whoever only wants to look does not wait (DIR-5)
TIMEOUT = 2.0  # seconds for the daemon to say how it is


def run(_args: object, context: Context) -> Result:
    """Exit 0 running, 3 not running. Changes nothing, whatever it finds."""
    loaded = context.load(broken_ok=True, unreadable_ok=True)
    pid = running.running(loaded.layout)
    by = _unit(context, loaded) if pid else None
    document = {**_document(context, loaded, pid), "unit": by.name if by else None}
    text = described(context, loaded, document)
    return Result(document, text, Exit.OK if pid else Exit.NOT_READY)


def _unit(context: Context, loaded: Loaded) -> "Unit | None":
    if not os.path.isdir(SYSTEMD):  # noqa: PTH112 - as everywhere but under systemd
        return None
    from waiaas.cli import unit

    return unit.of(context, loaded)


def _document(context: Context, loaded: Loaded, pid: int | None) -> "dict[str, Any]":
    about = running.known(loaded.layout) if pid else {}
    found = _database(context, loaded)
    return {
        "running": pid is not None,
        "pid": pid,
        "version": about.get("version", __version__) if pid else __version__,
        "port": about.get("port") if pid else loaded.settings.daemon.port,
        "dataDir": str(loaded.layout.data_dir),
        "schemaVersion": found.get("schemaVersion"),
        "uptime": _uptime(context, about),
        "openRun": _open_run(context),
        "failedHere": _failed_here(context, found),
        "health": _health(context, about) if pid else None,
        "hostname": about.get("hostname") if pid else loaded.settings.daemon.hostname,
        "withdrawn": found.get("withdrawn"),
        "versionCheck": found.get("versionCheck"),
        "killSwitch": found.get("killSwitch"),
        "killSwitchOn": None if found.get("killSwitch") is None else found["killSwitch"] != "ACTIVE",
        "databaseBytes": _bytes(loaded),
        "databaseProblem": found.get("problem"),
        "databaseRefused": found.get("refused"),
        "settingsProblems": len(loaded.parsed.problems),
        "backups": _backups(loaded),
    }


def _failed_here(context: Context, found: "dict[str, Any]") -> "dict[str, Any] | None":
    """How the last try of the version that is offered failed."""
    latest = (found.get("versionCheck") or {}).get("latest")
    if context.program is None or latest in (None, __version__):
        return None
    from waiaas.core.version import newer

    if not newer(latest, __version__):
        return None
    from waiaas.cli.runs_text import failed_here
    from waiaas.upgrade.book import history

    try:
        return failed_here(history(context.program), latest)
    except OSError:
        return None


def _uptime(context: Context, about: "dict[str, Any]") -> int | None:
    from datetime import UTC, datetime

    try:
        started = datetime.fromisoformat(str(about["startedAt"])).astimezone(UTC)
    except (KeyError, ValueError):
        return None
    return max(0, int(context.host.clock.now() - started.timestamp()))


def _health(context: Context, about: "dict[str, Any]") -> str:
    """What the daemon says of itself: ok, degraded, stopping; "silent" where it does not answer."""
    port, private = about.get("port"), about.get("socket")
    if not isinstance(port, int):
        return "starting"
    if private and _is_well(str(private), context):
        return "ok"
    from waiaas.core.health import parse
    from waiaas.host.http import local_health

    try:
        address = str(private) if private else None
        _, body = local_health(str(about.get("hostname")), port, TIMEOUT, private=address)
        return parse(body).status
    except WaiaasError:
        return "silent"


def _is_well(private: str, context: Context) -> bool:
    import json

    from waiaas.host.quick_health import asked

    try:
        return bool(json.loads(asked(private, context.host.clock.monotonic) or b"{}").get("status") == "ok")
    except (OSError, ValueError, AttributeError):
        return False


def _database(context: Context, loaded: Loaded) -> "dict[str, Any]":
    """What is stored; empty where one may not look at once, `problem` where nobody can."""
    from waiaas.host.sqlite import SqlError, reading
    from waiaas.store import killswitch
    from waiaas.store.inspect import look
    from waiaas.store.keyvalue import stored_check

    try:
        with reading(loaded.layout.database, context.gate(loaded.layout), PATIENCE) as connection:
            check, state = stored_check(connection), look(connection)
            context.nothing_new = check.latest in (None, __version__) and check.withdrawn is None
            return {
                "schemaVersion": state.schema,
                "refused": state.reason if state.action == "reject" else None,
                "withdrawn": check.withdrawn,
                "versionCheck": {
                    "latest": check.latest,
                    "checkedAt": check.checked_at,
                    "notifiedAt": check.notified_at,
                    "error": check.error,
                },
                "killSwitch": killswitch.state(connection),
            }
    except Busy:
        return {}
    except (WaiaasError, OSError, SqlError) as problem:
        from waiaas.core import causes

        told = causes.told(problem)
        return {"problem": told.message if told else str(problem)}


def _bytes(loaded: Loaded) -> int | None:
    try:
        return loaded.layout.database.stat().st_size
    except OSError:
        return None


def _backups(loaded: Loaded) -> "dict[str, Any]":
    from waiaas.store.manifest import listing

    found = listing(loaded.layout)
    return {"count": len(found), "newest": int(found[0].created_at) if found else None}


def _open_run(context: Context) -> "dict[str, Any] | None":
    if context.program is None or not os.path.lexists(context.program.journal):
        return None
    from waiaas.cli.underway import open_run

    return open_run(context)
