"""`waiaas upgrade` (SPEC §8): its words, and the history of runs. The rest is `upgrade_work.py`."""

import argparse

from waiaas.cli.context import Context, installed
from waiaas.cli.output import Result
from waiaas.cli.upgrade_usage import check_usage


def arguments(parser: argparse.ArgumentParser) -> None:
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


def run(args: argparse.Namespace, context: Context) -> Result:
    check_usage(args, context)
    if args.history:
        return _history(context)
    from waiaas.cli import upgrade_work as work

    return work.before_start(context) if args.recover and args.no_start else work.run(args, context)


def _history(context: Context) -> Result:
    from waiaas.cli import rights
    from waiaas.cli.runs_text import describe_runs
    from waiaas.upgrade.book import history

    rights.load(context)
    runs = list(reversed(history(installed(context))))
    return Result(runs, describe_runs(runs))
