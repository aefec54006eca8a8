"""The maker's command line: explicit folders, so that anyone can run a private feed (SPEC §4)."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from waiaas.core.version import Version
from waiaas.release import ceremony_arguments, deploy_arguments, supply_arguments
from waiaas.release.withdrawal import quick
from waiaas.release.withdrawal.arguments import add as _taking_back

PROJECT = Path(__file__).parents[2]

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def parser() -> argparse.ArgumentParser:
    """Every command; `command` names the one that was chosen."""
    top = argparse.ArgumentParser(
        prog="python -m waiaas.release",
        description="Build, sign and publish releases of WAIaaS.",
        epilog=quick.TEXT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for add in (_keys, _build, _prepare, _publish, _rollout, _taking_back, _refresh, _rotate, _look):
        add(commands)
    ceremony_arguments.add(commands)
    supply_arguments.add(commands, PROJECT)
    _terms(deploy_arguments.add(commands, PROJECT))
    return top


def _keys(commands: "Commands") -> None:
    command = commands.add_parser("keys", help="make the keys of a new feed and its root of trust")
    command.add_argument("--dir", type=Path, required=True, metavar="K", help="folder for keys and root.json")
    command.add_argument("--plain", action="store_true", help="no passphrase: for tests and demos")
    command.add_argument(
        "--threshold", type=int, default=2, metavar="N", help="targets keys needed to sign, of 3 (default 2)"
    )


def _build(commands: "Commands") -> None:
    command = commands.add_parser("build", help="build the artefact, the same bytes every time")
    command.add_argument("-o", "--output", type=Path, required=True, metavar="DIST")
    command.add_argument("--root", type=Path, metavar="K/root.json", help="root of trust to build in")
    command.add_argument("--feed-url", default="", metavar="URL", help="where this build looks for updates")
    command.add_argument("--version", type=Version.parse, metavar="V", help="another version than the tree's")
    command.add_argument(
        "--overlay", type=Path, metavar="DIR", help="files added or replaced, for rehearsals"
    )
    command.add_argument("--source", type=Path, default=PROJECT, metavar="DIR", help="the project's folder")
    command.add_argument("--cache", type=Path, metavar="DIR", help="installed dependencies (default .cache)")
    command.add_argument(
        "--targets-floor", type=int, default=0, metavar="N", help="believe no list of releases older than N"
    )


def _prepare(commands: "Commands") -> None:
    command = commands.add_parser("prepare", help="freeze the bytes to sign into F.pending")
    _feed(command)
    command.add_argument("artefacts", nargs="+", type=Path, metavar="ARTEFACT")
    command.add_argument("--root", type=Path, metavar="K/root.json", help="for the first release of a feed")
    _shell(command)
    _terms(command)


def _publish(commands: "Commands") -> None:
    command = commands.add_parser("publish", help="publish what is prepared and signed, or artefacts at once")
    _feed(command)
    command.add_argument("artefacts", nargs="*", type=Path, metavar="ARTEFACT")
    command.add_argument("--keys", type=Path, metavar="K", help="folder with every key: signs all at once")
    command.add_argument("--online", type=Path, metavar="DIR", help="folder with snapshot and timestamp keys")
    _shell(command)
    _terms(command)


def _rollout(commands: "Commands") -> None:
    command = commands.add_parser("rollout", help="offer a release to this share of installations")
    _signed_change(command)
    command.add_argument("percent", type=int, metavar="N", help="0 to 100")


def _refresh(commands: "Commands") -> None:
    command = commands.add_parser(
        "refresh", help="sign timestamp anew, and snapshot when it ages; run it daily"
    )
    _feed(command)
    command.add_argument("--keys", type=Path, required=True, metavar="K")


def _rotate(commands: "Commands") -> None:
    command = commands.add_parser("rotate", help="a new key for a role, and a new root of trust")
    _feed(command)
    command.add_argument("--keys", type=Path, required=True, metavar="K")
    command.add_argument("role", choices=("root", "targets", "snapshot", "timestamp"), metavar="ROLE")
    command.add_argument(
        "--replace", default="", metavar="KEYID", help="which key goes (default: the oldest)"
    )
    command.add_argument("--threshold", type=int, metavar="N", help="from now on, keys needed to sign")
    command.add_argument("--plain", action="store_true", help="no passphrase on the new key")


def _look(commands: "Commands") -> None:
    status = commands.add_parser(
        "status", help="versions, dates, releases; exit 1 when something expires soon"
    )
    _feed(status)
    verify = commands.add_parser("verify", help="read the feed as a client does, every byte of it")
    _feed(verify)
    verify.add_argument("--root", type=Path, required=True, metavar="K/root.json")


def _feed(command: argparse.ArgumentParser) -> None:
    command.add_argument("--feed", type=Path, required=True, metavar="F", help="folder of the feed")


def _signed_change(command: argparse.ArgumentParser) -> None:
    _feed(command)
    command.add_argument("--keys", type=Path, required=True, metavar="K")
    command.add_argument("version", type=Version.parse, metavar="V")


def _shell(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--shell",
        action="append",
        default=[],
        metavar="PLATFORM=FILE",
        help="a bundle of the desktop shell, like linux-x86_64=FILE; repeat",
    )


def _terms(command: argparse.ArgumentParser) -> None:
    """How a release is offered."""
    command.add_argument("--channel", choices=("stable", "rc"), help="default: what the version says")
    command.add_argument("--rollout", type=int, default=100, metavar="N", help="percent of installations")
    command.add_argument("--critical", action="store_true", help="everybody at once, whatever the roll-out")
    command.add_argument(
        "--min-from", type=Version.parse, metavar="V", help="oldest version it installs over"
    )
    command.add_argument(
        "--via",
        type=Version.parse,
        action="append",
        default=[],
        metavar="V",
        help="stepping stone on the way",
    )
    command.add_argument("--notes", default="", metavar="URL", help="release notes")
    command.add_argument(
        "--min-safe", type=Version.parse, metavar="V", help="nothing older is installed again"
    )
