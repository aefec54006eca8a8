"""What the commands stand on: settings, records, programs of others, releases, from the arguments."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from waiaas.core.release import Release
from waiaas.host.http import Network
from waiaas.release import publish
from waiaas.release.withdrawal import settings, target, words
from waiaas.release.withdrawal.case import Desk, Tools
from waiaas.release.withdrawal.outside import Outside
from waiaas.release.withdrawal.records import Shelf, folder_beside
from waiaas.release.withdrawal.secrets import Secrets
from waiaas.release.withdrawal.settings import Settings

if TYPE_CHECKING:
    from waiaas.release.commands import Bench


def desk(bench: "Bench", arguments: argparse.Namespace) -> Desk:
    """Everything that looks; `arguments` of a command that can reach outside."""
    team = reach(arguments)
    programs = outside(bench)
    return Desk(
        shelf(bench, arguments, team),
        team,
        Tools.probe(programs, team),
        programs,
        Network(bench.environ, bench.clock),
    )


def shelf(bench: "Bench", arguments: argparse.Namespace, team: Settings) -> Shelf:
    """The records, and in whose name they are written."""
    folder = arguments.records or folder_beside(arguments.feed)
    author = arguments.by or _git_name(bench, team) or bench.environ.get("LOGNAME") or "unknown"
    return Shelf(folder, bench.files, bench.clock, words.line("name", author, 80), Secrets(bench.environ))


def outside(bench: "Bench") -> Outside:
    return Outside(bench.processes, bench.environ, Secrets(bench.environ))


def reach(arguments: argparse.Namespace) -> Settings:
    """The settings, with what the command line says instead."""
    return settings.amended(
        team(arguments), arguments.repository, arguments.image, arguments.checkout, arguments.branch
    )


def team(arguments: argparse.Namespace) -> Settings:
    """The settings as the file has them; a file that is named must exist."""
    path: Path | None = arguments.settings
    return settings.read(path or settings.file_beside(arguments.feed), needed=path is not None)


def releases(bench: "Bench", arguments: argparse.Namespace) -> tuple[Release, ...]:
    """Those of the feed; raises UsageError `unknown-version` if the version is none of them."""
    found = publish.Maker(bench.files, bench.clock).repository(arguments.feed).releases()
    target.find(found, arguments.version)
    return found


def _git_name(bench: "Bench", team: Settings) -> str:
    """As the checkout has it, where one is named."""
    programs = outside(bench)
    if team.checkout is None or not programs.has("git"):
        return ""
    return programs.run(("git", "-C", str(team.checkout), "config", "--get", "user.name")).stdout.strip()
