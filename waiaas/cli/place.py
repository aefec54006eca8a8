"""Where upgrade runs happen: from what the command line knows to what `upgrade/` works on."""

import os
from pathlib import Path

from waiaas import __version__
from waiaas.cli import rights
from waiaas.cli.context import Context, Loaded, installed
from waiaas.core.layout import Layout, ProgramLayout
from waiaas.core.version import Version
from waiaas.host.host import Host
from waiaas.upgrade.feed import Feed
from waiaas.upgrade.installation import installation_id
from waiaas.upgrade.place import Place
from waiaas.upgrade.report import Reporter
from waiaas.upgrade.trust import open_feed


def place(context: Context, loaded: Loaded, report: Reporter) -> Place:
    """Raises `not-installed` when there is no program file."""
    program = installed(context)
    return Place(
        context.host,
        loaded.layout,
        program,
        loaded.settings,
        report,
        Version.parse(__version__),
        _installation_id(context, loaded.layout),
        context.owner,
    )


def _installation_id(context: Context, layout: Layout) -> str:
    with rights.reading(context):
        return installation_id(layout)


def feed(where: Place) -> Feed:
    """The signed feed as `upgrade` sees it."""
    cache, floors = caches(where.host, where.layout, where.program)
    return open_feed(where.host, where.settings, cache, floors)


def caches(host: Host, layout: Layout, program: ProgramLayout | None) -> tuple[Path, Path]:
    """Verified metadata and floors: beside the program (UPGR-14).

    A user who may only ask (`--check`) and not write there asks with the daemon's own cache.
    """
    if program is None or not os.access(program.program.parent, os.W_OK):
        return layout.feed, layout.feed / "floors.json"
    host.files.make_directory("place", program.base, 0o755)
    return program.metadata, program.floors
