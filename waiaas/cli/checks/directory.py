"""The data directory: settings, rights, token, and what should not lie about in it."""

import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

from waiaas.cli.checks.finding import OK, PROBLEM, WARNING, Finding, Installation
from waiaas.cli.legacy import lock_is_fresh
from waiaas.cli.rights import disobeyed
from waiaas.core.layout import Layout
from waiaas.core.settings import KEYS
from waiaas.core.settings_rules import Problem, shown
from waiaas.host.files import TEMPORARY
from waiaas.host.locks import holder
from waiaas.host.sqlite import SIDE_FILES, side
from waiaas.store.unfinished import unfinished


def settings(here: Installation) -> Iterator[Finding]:
    parsed, config = here.loaded.parsed, here.loaded.layout.config
    for problem in parsed.problems:
        where = f"{config}, line {problem.line}: " if problem.line else ""
        yield Finding("settings", PROBLEM, f"{where}{problem.message}", _corrected(here, problem))
    for notice in parsed.notices:
        yield Finding("settings", WARNING, notice, f"take it out of {config}")
    if told := disobeyed(here.context, here.loaded):
        yield Finding("settings", WARNING, *told)
    elif not parsed.problems and not parsed.notices:
        yield Finding("settings", OK, f"{config} is valid")


def _corrected(here: Installation, problem: Problem) -> str:
    """The command where it is a value in the file; else what the settings say about it."""
    key = KEYS.get(problem.key)
    if problem.line is None or key is None or not isinstance(key.default, int | str):
        return problem.hint
    value = shown(key.default).strip('"') or '""'
    return f"{here.again(f'config set {key.dotted} {value}')}  # {problem.hint}"


def rights(here: Installation) -> Iterator[Finding]:
    """Everything belongs to the directory's owner and is closed to others (DIR-1)."""
    found = [*_foreign(here.loaded.layout), *_open(here.loaded.layout), *_closed(here.loaded.layout)]
    yield from found
    if not found:
        owner = name_of(here.loaded.layout.data_dir.stat().st_uid)
        yield Finding("rights", OK, f"{here.loaded.layout.data_dir} is open to {owner} alone")


def _important(layout: Layout) -> list[Path]:
    """The paths that this program makes; none inside of the keystore."""
    paths = [
        *(layout.data_dir, layout.config, layout.admin_token, layout.installation, layout.daemon_lock),
        *(layout.run_lock, layout.gate, layout.database, side(layout.database, "-wal"), layout.backups),
        *(layout.feed, layout.log.parent, layout.log, layout.database.parent),
    ]
    return [path for path in paths if path.exists()]


def _foreign(layout: Layout) -> Iterator[Finding]:
    """What a command under sudo left: the daemon's user cannot write it."""
    owner = layout.data_dir.stat()
    others = [path for path in _important(layout) if path.stat().st_uid != owner.st_uid]
    if others:
        names, whose = _listed(others), name_of(others[0].stat().st_uid)
        hint = f"sudo chown -R {owner.st_uid}:{owner.st_gid} {layout.data_dir}"
        yield Finding("rights", PROBLEM, f"{names} belongs to {whose}, not to the owner of the rest", hint)


def _open(layout: Layout) -> Iterator[Finding]:
    """One finding for all: a directory of the previous implementation has many."""
    ours = [p for p in _important(layout) if p.is_relative_to(layout.data_dir) or p == layout.database]
    found = [path for path in ours if path.stat().st_mode & 0o077]
    if found:
        mode = f" ({stat.S_IMODE(found[0].stat().st_mode):04o})" if len(found) == 1 else ""
        hint = "chmod go= " + " ".join(map(str, found))
        yield Finding("rights", WARNING, f"open to other users: {_listed(found)}{mode}", hint)


def _closed(layout: Layout) -> Iterator[Finding]:
    owner = layout.data_dir.stat().st_uid
    for path in _important(layout):
        wanted = stat.S_IRWXU if path.is_dir() else stat.S_IRUSR | stat.S_IWUSR
        if path.stat().st_uid == owner and path.stat().st_mode & wanted != wanted:
            mode, hint = stat.S_IMODE(path.stat().st_mode), f"chmod u+rw{'x' * path.is_dir()} {path}"
            yield Finding("rights", PROBLEM, f"{path} is closed to its owner ({mode:04o})", hint)
    if os.statvfs(layout.data_dir).f_flag & os.ST_RDONLY:
        message = f"{layout.data_dir} is on a file system that is mounted read-only"
        yield Finding(
            "rights", PROBLEM, message, f"findmnt -T {layout.data_dir}  # shows it; remount it writable"
        )


def token(here: Installation) -> Iterator[Finding]:
    if here.loaded.legacy:
        yield Finding("token", OK, "comes with the adoption")
        return
    path = here.loaded.layout.admin_token
    try:
        content = path.read_text("ascii").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        content = ""
    if content:
        yield Finding("token", OK, "there is an administration token")
    else:
        yield Finding("token", PROBLEM, f"there is no administration token in {path}", here.again("init"))


def leftovers(here: Installation) -> Iterator[Finding]:
    """Files that a kill left; nothing needs them. Those of a process that lives are not looked at."""
    layout = here.loaded.layout
    found = sorted({*_temporary(layout), *_copies(here), *unfinished(layout), *_legacy(here)})
    if found:
        hint = "rm -r " + " ".join(map(str, found))
        yield Finding("leftovers", WARNING, f"a kill left {_listed(found)}", hint)
    else:
        yield Finding("leftovers", OK, "nothing lies about")


def _temporary(layout: Layout) -> Iterator[Path]:
    """`.name.PID.tmp` of processes that are gone."""
    folders = {layout.data_dir, layout.database.parent, layout.config.parent, layout.feed}
    for folder in filter(Path.is_dir, folders):
        for path in folder.glob(".*"):
            if TEMPORARY.fullmatch(path.name) and not _lives(int(path.name.split(".")[-2])):
                yield path


def _copies(here: Installation) -> Iterator[Path]:
    """Copies of the database in the making, while nobody is at work on any."""
    layout = here.loaded.layout
    if holder(layout.run_lock) is not None or (holder(layout.daemon_lock) and not here.pid):
        return
    restoring = layout.database.with_name(f".{layout.database.name}.restoring")
    for copy in (layout.migrating, layout.rehearsal, restoring):
        yield from (p for p in (copy, *(side(copy, s) for s in (*SIDE_FILES, ".gate"))) if p.exists())


def _legacy(here: Installation) -> Iterator[Path]:
    """The lock of an old daemon that was killed; a fresh one is the business of `daemon`."""
    layout = here.loaded.layout
    if layout.legacy_lock.exists() and not lock_is_fresh(here.context.host, layout):
        yield layout.legacy_lock


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _listed(paths: list[Path]) -> str:
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return ", ".join(str(path) for path in paths[:3]) + more
