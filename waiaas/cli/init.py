"""`waiaas init`: a new data directory, or the adoption of an old one."""

import stat

from waiaas.cli.adopt import adopt, make_token, mark
from waiaas.cli.closed import require_writable
from waiaas.cli.context import CONFIG
from waiaas.cli.legacy import refuse_legacy_daemon
from waiaas.cli.output import Result
from waiaas.core.errors import UsageError
from waiaas.core.layout import Layout
from waiaas.core.settings import Settings
from waiaas.host.locks import Lock

TYPE_CHECKING = False  # see `commands.py`
if TYPE_CHECKING:
    from waiaas.cli.context import Context, Loaded

OURS = {"data", "keystore", "backups", "feed", "logs", "daemon.lock", "admin.token", CONFIG}
NEXT = (
    ("start --detach", "run the daemon"),
    ("status", "how it stands"),
    ("upgrade --check", "what is newer"),
)
HARMLESS = {"lost+found", ".gitkeep", ".keep", ".DS_Store"}
TEMPLATE = """\
# Settings of WAIaaS. `waiaas config show` lists all of them, with their values and where each comes from.
# A change counts from the next start of the daemon on. What stands here without the # is its default.

# [daemon]
# port = {port}
# hostname = "{hostname}"

# [database]
# path = "{path}"

"""


def run(_args: object, context: "Context") -> Result:
    found = context.load(uninitialised_ok=True)
    if found.initialised:
        return _again(context, found)
    if found.legacy:
        return _adopt(context, found)
    initialise(context, found)
    return _told(context, context.load(), "initialised", created=True)


def _again(context: "Context", found: "Loaded") -> Result:
    """A lost token is the one thing that is made anew: there is no other way to get one."""
    layout = found.layout
    if layout.admin_token.exists() and layout.admin_token.stat().st_size:
        return _told(context, found, "already initialised; nothing was changed", created=False)
    make_token(context.host, layout)
    told = "already initialised; its administration token was lost, and there is a new one"
    return _told(context, found, told, created=False)


def initialise(context: "Context", found: "Loaded") -> None:
    """Create everything in a directory that was never initialised. Raises UsageError "not-empty" where
    it holds something that is not ours, NotAuthorised "data-dir-closed" where it is somebody else's."""
    from waiaas.store import schema

    host, layout = context.host, found.layout
    require_writable(layout.data_dir, context.words)
    _refuse_foreign_content(layout)
    for folder in (layout.data_dir, layout.keystore, layout.backups, layout.feed, layout.log.parent):
        host.files.make_directory("init", folder)
    with Lock.acquire(layout.daemon_lock, "daemon"):
        if not layout.config.exists():
            host.files.write("config", layout.config, template(Settings()).encode())
        host.files.make_directory("init", layout.database.parent)
        if not layout.database.exists():
            schema.create(host.files, host.clock, layout.database)
        mark(host, layout, None)
    if stat.S_IMODE(layout.data_dir.stat().st_mode) & 0o077:
        context.out.warn(f"{layout.data_dir} is open to other users; close it: chmod 700 {layout.data_dir}")


def template(settings: Settings) -> str:
    """A new config.toml: the keys that people change first."""
    daemon = settings.daemon
    return TEMPLATE.format(port=daemon.port, hostname=daemon.hostname, path=settings.database.path)


def _adopt(context: "Context", found: "Loaded") -> Result:
    """`init` was asked for by a person, so a directory that the old `init` made, and no daemon ever
    started on, gets its database here. `start` never does that: there it would hide a lost one."""
    from waiaas.store import schema
    from waiaas.store.inspect import inspect

    host, layout = context.host, found.layout
    refuse_legacy_daemon(host, layout, found.settings)
    if layout.database.exists():
        inspect(layout.database, context.gate(layout)).require()  # what is refused is not adopted either
    with Lock.acquire(layout.daemon_lock, "daemon"):
        adopt(host, found)
        if not layout.database.exists() and not _has_keys(layout):
            host.files.make_directory("init", layout.database.parent)
            schema.create(host.files, host.clock, layout.database)
    for notice in found.parsed.notices:
        context.out.warn(notice)
    return _told(context, context.load(), "adopted from the previous implementation", created=False)


def _has_keys(layout: Layout) -> bool:
    return layout.keystore.is_dir() and any(layout.keystore.iterdir())


def _refuse_foreign_content(layout: Layout) -> None:
    if not layout.data_dir.exists():
        return
    foreign = sorted(p.name for p in layout.data_dir.iterdir() if p.name not in OURS | HARMLESS)
    if foreign:
        raise UsageError(
            "not-empty",
            f"{layout.data_dir} holds something that is not of WAIaaS: {', '.join(foreign[:5])}",
            "choose an empty or a new directory: waiaas init --data-dir DIR",
        )


def _told(context: "Context", found: "Loaded", what: str, *, created: bool) -> Result:
    document = {
        "dataDir": str(found.layout.data_dir),
        "database": str(found.layout.database),
        "config": str(found.layout.config),
        "created": created,
        "state": what.partition(";")[0],
    }
    following = [(context.again(command).strip("`"), why) for command, why in NEXT]
    width = max(len(command) for command, _ in following)
    lines = (f"  {command:{width}}  {why}" for command, why in following)
    return Result(document, "\n".join((f"{found.layout.data_dir}: {what}", "", "next:", *lines)))
