"""Whose rights a command uses, and whose settings decide about the program (UPGR-14).

Root, or another owner of the program, may run a command on a data directory that belongs to the
daemon's user. Every command but `upgrade` then becomes that user at once. `upgrade` stays who it is
and does what it must do in there through `upgrade/keeper.py`; what decides about the program it
takes from flags, the environment, or `.waiaas/config.toml` beside the program, never from there.
"""

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from waiaas.cli.context import Context, Loaded, built_in
from waiaas.cli.unsettled import bad_settings, provisional
from waiaas.core.errors import UsageError, WaiaasError
from waiaas.core.layout import ProgramLayout
from waiaas.core.settings import Parsed, parse
from waiaas.core.value import replace
from waiaas.host.owner import Owner, acting_as, become, other_owner

KEEP_RIGHTS = {"upgrade", "start", "restart", "stop"}  # start recovers first; all may ask systemd
OWNERS_FILE = "config.toml"
MAX_FILE = 1 << 20  # bytes


def settle(name: str, context: Context) -> None:
    """Called before a command runs: whose data directory it is, found out once for all that follows."""
    if os.geteuid() == 0:
        context.owner = context.owner or _owner(context)
        if name not in KEEP_RIGHTS:
            become_owner(context)


def become_owner(context: Context) -> None:
    """From now on everything is done as the data directory's owner."""
    become(context.owner)
    context.owner = None


def load(context: Context) -> Loaded:
    """The data directory read with its owner's rights; who may replace the program decides how."""
    with acting_as(context.owner):
        loaded = context.load()
    if context.program is None or not _foreign(context, loaded):
        return loaded
    lenient = provisional(context.program, context.data_dir())
    parsed = _owners_settings(context, _owners_text(context.program, {0, os.geteuid()}), lenient)
    if parsed.problems:
        raise bad_settings(context.program.base / OWNERS_FILE, parsed)
    for notice in parsed.notices:
        context.out.warn(f"{context.program.base / OWNERS_FILE}: {notice}")
    if told := _disobeyed(context.program, loaded, parsed):
        context.out.warn("; ".join(told))
    origins = {
        key: parsed.origins[key] if key.startswith("upgrade.") else of
        for key, of in loaded.parsed.origins.items()
    }
    settings = replace(loaded.settings, upgrade=parsed.settings.upgrade)
    return replace(loaded, settings=settings, parsed=replace(loaded.parsed, origins=origins))


def disobeyed(context: Context, loaded: Loaded) -> tuple[str, str] | None:
    """`[upgrade]` settings of the data's owner that do not count where another user upgrades the program,
    and where to put them: the program's owner upgrades it by his own (UPGR-14)."""
    program = context.program
    if program is None or not loaded.layout.data_dir.exists():
        return None
    owner = program.program.stat().st_uid
    if owner == loaded.layout.data_dir.stat().st_uid:
        return None
    return _disobeyed(program, loaded, _owners_settings(context, _owners_text(program, {0, owner}), True))


def _disobeyed(program: ProgramLayout, loaded: Loaded, obeyed: Parsed) -> tuple[str, str] | None:
    theirs, ours = loaded.settings.upgrade, obeyed.settings.upgrade
    names = [key.removeprefix("upgrade.") for key in loaded.parsed.origins if key.startswith("upgrade.")]
    found = [
        f"upgrade.{name}"
        for name in names
        if loaded.parsed.origins[f"upgrade.{name}"] == "file" and getattr(theirs, name) != getattr(ours, name)
    ]
    if not found:
        return None
    what = f"{', '.join(found)} of {loaded.layout.config} decide nothing about {program.program}"
    return f"{what}, which is another user's", f"put them into {program.base / OWNERS_FILE}"


def _owners_settings(context: Context, text: str | None, lenient: bool) -> Parsed:
    return parse(text, context.host.environ, {}, lenient=lenient, defaults=built_in())


@contextmanager
def reading(context: Context) -> Iterator[None]:
    """Open files of the data directory as its owner."""
    with acting_as(context.owner):
        yield


def _owner(context: Context) -> Owner | None:
    """Raises "python-out-of-reach": that user has to run this very Python, as daemon and as child."""
    owner = other_owner(context.data_dir())
    with acting_as(owner):
        reachable = owner is None or os.access(sys.executable, os.X_OK, effective_ids=True)
    if not reachable:
        raise WaiaasError(
            "python-out-of-reach",
            f"the owner of {context.data_dir()} may not run {sys.executable}, so nothing was changed",
            f"use a Python that everybody may run: /usr/bin/python3 {context.host.program.path} …",
        )
    return owner


def _foreign(context: Context, loaded: Loaded) -> bool:
    if os.geteuid() == 0:
        return context.owner is not None
    return loaded.layout.data_dir.stat().st_uid != os.geteuid()


def _owners_text(program: ProgramLayout, trusted: set[int]) -> str | None:
    """`.waiaas/config.toml`; refused if anybody but `trusted` users could have written it."""
    path = program.base / OWNERS_FILE
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as stream:
        found = os.fstat(stream.fileno())
        if found.st_uid not in trusted or stat.S_IMODE(found.st_mode) & 0o022:
            raise WaiaasError(
                "foreign-settings",
                f"{path} could have been written by somebody else, so it decides nothing",
                f"sudo chown root {path} && sudo chmod 644 {path}",
            )
        content = stream.read(MAX_FILE)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise UsageError("bad-settings", f"{path} is not UTF-8 text", "save it as UTF-8") from problem
