"""The words of each command: what may follow it, and the sentence that `--help` has for it.

In one room, so that completion, manual and `--help` load no command, and a command none of its words
where it was asked the common way (`commands.py`, PRF-3).
"""

import argparse
from collections.abc import Callable
from pathlib import Path

from waiaas.cli.parser import Parser, actions, positive

ROWS = 50  # unless a number is asked for


def start(parser: Parser) -> None:
    parser.add_argument("--detach", action="store_true", help="return when the daemon is healthy")
    parser.add_argument("--init", action="store_true", help="create the data directory where there is none")
    parser.add_argument("--background", action="store_true", help=argparse.SUPPRESS)


def health(parser: Parser) -> None:
    """For `--help` and completion; `health.py` reads them itself."""
    parser.add_argument("--url", help="ask there instead of the daemon of the data directory")
    parser.add_argument("--timeout", metavar="S", type=float, default=5.0, help="seconds (default 5)")


def logs(parser: Parser) -> None:
    parser.add_argument(
        "-n", "--lines", type=positive, default=ROWS, metavar="N", help=f"lines (default {ROWS})"
    )
    parser.add_argument("-f", "--follow", action="store_true", help="go on as the daemon writes more")


def upgrade(parser: Parser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="say what is offered, change nothing")
    what.add_argument("--rollback", action="store_true", help="undo the last upgrade, program and data")
    what.add_argument("--recover", action="store_true", help="finish or undo an interrupted run")
    what.add_argument("--history", action="store_true", help="list the runs of this program")
    what.add_argument("--dry-run", action="store_true", help="say what an upgrade would do")
    parser.add_argument("--to", metavar="V", help="exactly this version")
    parser.add_argument(
        "--from", dest="source", metavar="BUNDLE", help="from a bundle or a feed's folder, with no network"
    )
    parser.add_argument(
        "--accept-expired",
        action="store_true",
        help="with --from: also when its list of releases is out of date",
    )
    parser.add_argument(
        "--no-start",
        action="store_true",
        help="leave the daemon stopped; with --recover: for a service manager about to start it",
    )
    parser.add_argument("--keep-data", action="store_true", help="with --rollback: only the program")
    parser.add_argument("--yes", action="store_true", help="do not ask before going to a lower version")
    parser.add_argument(
        "--exit-code", action="store_true", help="with --check: exit 10 if there is an update"
    )
    parser.add_argument(
        "--events", action="store_true", help="print one JSON line for each event, and nothing else"
    )


def backup(parser: Parser) -> None:
    verbs = actions(parser)
    verbs.add_parser("create", help="back up database, settings and program, also while the daemon serves")
    listed = verbs.add_parser("list", help="list the backups, newest first")
    listed.add_argument("--verify", action="store_true", help="verify each of them")
    verified = verbs.add_parser("verify", help="check sizes, digests and the database of a backup")
    verified.add_argument("id", nargs="?", help="backup (default: the newest)")
    verified.add_argument("--full", action="store_true", help="SQLite's complete integrity check")
    restored = verbs.add_parser("restore", help="replace database and settings by those of a backup")
    restored.add_argument("id", help="backup, as `waiaas backup list` names it")
    restored.add_argument("--keep-config", action="store_true", help="leave config.toml as it is")
    restored.add_argument("--yes", action="store_true", help="do not ask")
    pruned = verbs.add_parser("prune", help="remove old backups")
    pruned.add_argument("--keep", type=positive, metavar="N", help="how many stay (default: keep_backups)")
    pruned.add_argument("--yes", action="store_true", help="do not ask")


def bundle(parser: Parser) -> None:
    verbs = actions(parser)
    made = verbs.add_parser("create", help="download and verify a release and write it into one file")
    made.add_argument("--version", metavar="V", help="exactly this version (default: the newest)")
    made.add_argument("-o", "--output", metavar="FILE", required=True, help="the bundle, a .tgz file")
    shown = verbs.add_parser("show", help="say what is in a bundle, without believing it")
    shown.add_argument("file", type=Path)
    verified = verbs.add_parser("verify", help="verify a bundle as an upgrade would; changes nothing")
    verified.add_argument("file", type=Path)


def db(parser: Parser) -> None:
    verbs = actions(parser)
    verbs.add_parser("status", help="schema version, and what a start would migrate")
    verbs.add_parser("migrate", help="back up and migrate now instead of at the next start")
    check = verbs.add_parser("check", help="is the database file whole")
    check.add_argument("--full", action="store_true", help="SQLite's complete integrity check")


def config(parser: Parser) -> None:
    verbs = actions(parser)
    verbs.add_parser("show", help="every setting, its value and where it comes from")
    got = verbs.add_parser("get", help="one value")
    got.add_argument("key", help="like daemon.port")
    put = verbs.add_parser("set", help="write a value into config.toml, keeping a copy of the file")
    put.add_argument("key", help="like daemon.port")
    put.add_argument("value", help="true or false, a number, a text, or a list like a,b")
    verbs.add_parser("validate", help="everything that is wrong with the settings, with line and hint")
    verbs.add_parser("path", help="where config.toml is")


def kill_switch(parser: Parser) -> None:
    verbs = actions(parser)
    verbs.add_parser("on", help="throw the switch: nothing acts on wallets any more")
    verbs.add_parser("off", help="allow it again")
    verbs.add_parser("status", help="how it stands")


def wallets(parser: Parser) -> None:
    verbs = actions(parser)
    verbs.add_parser("list", help="every wallet, the oldest first")
    shown = verbs.add_parser("show", help="one wallet")
    shown.add_argument("id", help="as `waiaas wallets list` names it")


def audit(parser: Parser) -> None:
    parser.add_argument("--limit", type=positive, default=ROWS, metavar="N", help=f"rows (default {ROWS})")
    parser.add_argument("--before", type=positive, metavar="ID", help="only rows older than this one")
    parser.add_argument("--type", metavar="EVENT", help="only this type of event")


def completion(parser: Parser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="for which shell")


ARGUMENTS: dict[str, Callable[[Parser], None]] = {
    "start": start,
    "health": health,
    "logs": logs,
    "upgrade": upgrade,
    "backup": backup,
    "bundle": bundle,
    "db": db,
    "config": config,
    "kill-switch": kill_switch,
    "wallets": wallets,
    "audit": audit,
    "completion": completion,
}
