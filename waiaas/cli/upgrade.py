"""`waiaas upgrade` (SPEC §8): its words, and the history of runs. The rest is `upgrade_work.py`."""

from waiaas.cli.output import Result
from waiaas.cli.upgrade_usage import check_usage

TYPE_CHECKING = False  # importing `typing` is one of the things that every command saves (PRF-3)
if TYPE_CHECKING:
    import argparse

    from waiaas.cli.context import Context


def run(args: "argparse.Namespace", context: "Context") -> Result:
    check_usage(args, context)
    if args.history:
        return _history(context)
    from waiaas.cli import upgrade_work as work

    return work.before_start(context) if args.recover and args.no_start else work.run(args, context)


def _history(context: "Context") -> Result:
    from waiaas.cli import rights
    from waiaas.cli.context import installed
    from waiaas.cli.runs_text import describe_runs
    from waiaas.upgrade.book import history

    rights.load(context)
    runs = list(reversed(history(installed(context))))
    return Result(runs, describe_runs(runs))
