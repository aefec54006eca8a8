"""`waiaas doctor`: every finding at once, each with the command that mends it.

A check is a function that yields findings; one that fails itself is a finding too.
"""

import argparse
import platform
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from waiaas.cli.context import Context, Loaded
from waiaas.cli.legacy import legacy_daemon_running
from waiaas.cli.output import Result
from waiaas.cli.running import running
from waiaas.cli.status import open_run
from waiaas.cli.table import size
from waiaas.core.errors import Exit, WaiaasError
from waiaas.store.inspect import inspect

HELP = "look for everything that is wrong, and say what mends it"
OK, WARNING, PROBLEM = "ok", "warning", "problem"
SPARE = 64 << 20  # bytes that should stay free beside a copy of the database
SIGNS = {OK: "ok      ", WARNING: "warning ", PROBLEM: "PROBLEM "}


@dataclass(frozen=True)
class Finding:
    check: str
    verdict: str
    message: str
    hint: str = ""


Check = Callable[[Context, Loaded], Iterator[Finding]]


def arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments but the global ones."""


def run(args: argparse.Namespace, context: Context) -> Result:
    """Exit 1 if there is a problem; a warning is none."""
    loaded = context.load(broken_ok=True)
    found = [finding for name, check in CHECKS.items() for finding in _safely(name, check, context, loaded)]
    lines = []
    for finding in found:
        lines.append(f"{SIGNS[finding.verdict]} {finding.check:10} {finding.message}")
        if finding.hint and finding.verdict != OK:
            lines.append(f"{'':20}hint: {finding.hint}")
    bad = any(finding.verdict == PROBLEM for finding in found)
    return Result([asdict(finding) for finding in found], "\n".join(lines), Exit.FAILED if bad else Exit.OK)


def _safely(name: str, check: Check, context: Context, loaded: Loaded) -> list[Finding]:
    try:
        return list(check(context, loaded))
    except WaiaasError as problem:
        return [Finding(name, PROBLEM, problem.message, problem.hint)]
    except OSError as problem:
        return [Finding(name, PROBLEM, f"{problem.strerror}: {problem.filename}", "check its rights")]


def _python(context: Context, loaded: Loaded) -> Iterator[Finding]:
    yield Finding("python", OK, f"Python {platform.python_version()}")


def _settings(context: Context, loaded: Loaded) -> Iterator[Finding]:
    for problem in loaded.parsed.problems:
        where = f"line {problem.line}: " if problem.line else ""
        yield Finding("settings", PROBLEM, f"{where}{problem.message}", problem.hint)
    for notice in loaded.parsed.notices:
        yield Finding("settings", WARNING, notice, "take them out of config.toml, or leave them")
    if not loaded.parsed.problems:
        yield Finding("settings", OK, f"{loaded.layout.config} is valid")


def _rights(context: Context, loaded: Loaded) -> Iterator[Finding]:
    layout, open_to_others = loaded.layout, 0
    for path in (layout.data_dir, layout.config, layout.admin_token, layout.database, layout.backups):
        mode = _mode(path)
        if mode is not None and mode & 0o077:
            open_to_others += 1
            proper = "700" if path.is_dir() else "600"
            message = f"{path} is open to other users ({mode:04o})"
            yield Finding("rights", WARNING, message, f"chmod {proper} {path}")
    if not open_to_others:
        yield Finding("rights", OK, f"{layout.data_dir} is open to its owner alone")


def _mode(path: Path) -> int | None:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return None


def _disk(context: Context, loaded: Loaded) -> Iterator[Finding]:
    database = loaded.layout.database
    wanted = (database.stat().st_size if database.exists() else 0) * 2 + SPARE
    free = shutil.disk_usage(loaded.layout.data_dir).free
    verdict = OK if free >= wanted else WARNING
    hint = "free some space; `waiaas backup prune` removes old backups"
    yield Finding("disk", verdict, f"{size(free)} free, an upgrade needs up to {size(wanted)}", hint)


def _database(context: Context, loaded: Loaded) -> Iterator[Finding]:
    state = inspect(loaded.layout.database, context.gate(loaded.layout), patience=0)
    verdict = {"ok": OK, "migrate": WARNING, "reject": PROBLEM}[state.action]
    yield Finding("database", verdict, state.reason, "`waiaas db status` says more")


def _daemon(context: Context, loaded: Loaded) -> Iterator[Finding]:
    if legacy_daemon_running(context.host, loaded.layout, loaded.settings):
        hint = "stop it with its own `waiaas stop`"
        yield Finding("daemon", PROBLEM, "the previous implementation still runs here", hint)
    elif loaded.legacy:
        hint = context.again("init")
        yield Finding("daemon", WARNING, "this directory of the previous implementation is not adopted", hint)
    elif pid := running(loaded.layout):
        yield Finding("daemon", OK, f"running (pid {pid})")
    else:
        yield Finding("daemon", WARNING, "not running", context.again("start --detach"))


def _feed(context: Context, loaded: Loaded) -> Iterator[Finding]:
    from waiaas.upgrade.trust import root_of_trust

    url = loaded.settings.upgrade.feed_url
    if url:
        yield Finding("feed", OK, f"releases come from {url}")
    else:
        hint = "waiaas config set upgrade.feed_url URL"
        yield Finding("feed", WARNING, "no feed is configured, so no update can be offered", hint)
    try:
        root_of_trust(loaded.settings)
        yield Finding("trust", OK, "there is a root of trust")
    except WaiaasError as problem:
        yield Finding("trust", WARNING, problem.message, problem.hint)


def _open_run(context: Context, loaded: Loaded) -> Iterator[Finding]:
    found = open_run(context)
    if found is None:
        yield Finding("upgrade", OK, "no upgrade is half-way")
    else:
        said = found.get("error") or f"the run {found.get('from')} → {found.get('to')} is open"
        yield Finding("upgrade", WARNING, str(said), "waiaas upgrade --recover")


CHECKS: dict[str, Check] = {
    "python": _python,
    "settings": _settings,
    "rights": _rights,
    "disk": _disk,
    "database": _database,
    "daemon": _daemon,
    "feed": _feed,
    "upgrade": _open_run,
}
