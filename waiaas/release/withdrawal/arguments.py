"""The command line of taking a release back: assess, withdraw, report, evidence, checklist."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from waiaas.core.version import Version
from waiaas.release.withdrawal.causes import CAUSES
from waiaas.release.withdrawal.roots import CLASSES
from waiaas.release.withdrawal.words import SEVERITIES

PROJECT = Path(__file__).parents[3]

if TYPE_CHECKING:
    from waiaas.release.arguments import Commands


def add(commands: "Commands") -> None:
    for command in (_assess, _withdraw, _report, _evidence, _checklist):
        command(commands)


def _assess(commands: "Commands") -> None:
    command = commands.add_parser(
        "assess", help="how urgent it is, and by when; without V: all that are open"
    )
    command.add_argument("version", type=Version.parse, nargs="?", metavar="V")
    command.add_argument("--cause", metavar="C", help=f"one of {', '.join(CAUSES)}")
    command.add_argument("--close", metavar="WHY", help="decided: it stays, because …")
    _place(command, needed=False)


def _withdraw(commands: "Commands") -> None:
    command = commands.add_parser("withdraw", help="take a release back: feed, notices, tags, record")
    command.add_argument("version", type=Version.parse, metavar="V")
    _place(command, needed=True)
    keys = command.add_mutually_exclusive_group()
    keys.add_argument("--keys", type=Path, metavar="K", help="folder with every key: signs all at once")
    keys.add_argument(
        "--online", type=Path, metavar="DIR", help="others have signed: go on with the two online keys"
    )
    command.add_argument("--reason", help="what happened, in one line; needed the first time")
    command.add_argument("--severity", choices=tuple(SEVERITIES), help="default: high")
    command.add_argument("--to", type=Version.parse, metavar="W", help="default: newest earlier good stable")
    command.add_argument("--nowhere", action="store_true", help="there is no version to go to, and I know it")
    command.add_argument("--yes", action="store_true", help="do not ask for the version to be typed")
    _texts(command)
    _reach(command)


def _report(commands: "Commands") -> None:
    command = commands.add_parser("report", help="the situation: versions, runs, downloads, issues, commits")
    command.add_argument("version", type=Version.parse, metavar="V")
    _place(command, needed=True)
    _reach(command)


def _evidence(commands: "Commands") -> None:
    command = commands.add_parser("evidence", help="collect what shows the root cause; name it with --class")
    command.add_argument("version", type=Version.parse, metavar="V")
    command.add_argument("--run", type=int, metavar="ID", help="release run (default: the last that failed)")
    command.add_argument("--class", dest="root", metavar="C", help=f"one of {', '.join(CLASSES)}")
    command.add_argument("--why", help="what it was, in one line; goes with --class")
    _source(command)
    _place(command, needed=False)
    _reach(command)


def _checklist(commands: "Commands") -> None:
    command = commands.add_parser("checklist", help="before the fix goes out; exit 0 when all is ticked")
    command.add_argument("version", type=Version.parse, metavar="V", help="the one that was withdrawn")
    command.add_argument("--check", action="store_true", help="let the machines look now: takes minutes")
    command.add_argument("--tick", metavar="ITEM", help="I have seen to it; goes with --note")
    command.add_argument("--note", help="what was done or seen, in one line")
    command.add_argument("--fixed-in", type=Version.parse, metavar="V", help="default: as in the record")
    command.add_argument(
        "--root", type=Path, metavar="FILE", help="root of trust (default: the feed's first)"
    )
    _source(command)
    _place(command, needed=True)


def _source(command: argparse.ArgumentParser) -> None:
    command.add_argument("--source", type=Path, default=PROJECT, metavar="DIR", help="the project's folder")


def _texts(command: argparse.ArgumentParser) -> None:
    command.add_argument("--fixed-in", type=Version.parse, metavar="V", help="version that will have the fix")
    command.add_argument("--eta", metavar="DATE", help="when that is expected, like 2026-11-20")
    command.add_argument(
        "--issue", type=int, action="append", metavar="N", help="number of a known issue; can be repeated"
    )


def _reach(command: argparse.ArgumentParser) -> None:
    """What a command may touch beside the feed; each of them is in F.toml as well."""
    command.add_argument("--branch", metavar="REMOTE#BRANCH", help="where the feed is public")
    command.add_argument("--repository", metavar="OWNER/NAME", help="on GitHub; without it nothing is posted")
    command.add_argument(
        "--image", action="append", default=[], metavar="NAME", help="image whose tags go back"
    )
    command.add_argument("--checkout", type=Path, metavar="DIR", help="git checkout for the roll-back tag")


def _place(command: argparse.ArgumentParser, *, needed: bool) -> None:
    command.add_argument(
        "--feed",
        type=Path,
        required=needed,
        default=None if needed else Path("feed"),
        metavar="F",
        help="folder of the feed" + ("" if needed else " (default: feed)"),
    )
    command.add_argument("--records", type=Path, metavar="DIR", help="folder of the records (F.records)")
    command.add_argument("--settings", type=Path, metavar="FILE", help="settings of the team (F.toml)")
    command.add_argument("--by", metavar="NAME", help="who acts (default: the checkout's user.name, or you)")
