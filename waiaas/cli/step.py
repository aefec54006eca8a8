"""`waiaas step VERB`: what one version asks another to do for a run; not for people.

The verbs and their JSON are a wire format between two versions (see `upgrade/work.py`).
"""

import argparse
import json
from pathlib import Path

from waiaas.cli.context import Context
from waiaas.cli.output import Result
from waiaas.cli.place import installation_id
from waiaas.core.errors import UsageError
from waiaas.upgrade import keeper, work

VERBS = ("check", "keep", "rehearse", "migrate", "verify", "record")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("verb", choices=VERBS)
    parser.add_argument("--database", type=Path, help="the copy to rehearse on")
    parser.add_argument("--task", choices=tuple(keeper.VERBS), help="with keep: what to do")
    parser.add_argument("--arguments", type=json.loads, default={}, help="with keep: of the verb, as JSON")


def run(args: argparse.Namespace, context: Context) -> Result:
    context.host.processes.die_with_parent()
    loaded = context.load(lenient=True)
    host, layout = context.host, loaded.layout
    match args.verb:
        case "check":
            from waiaas.upgrade.check import check_once

            outcome = check_once(host, layout, loaded.settings, installation_id(layout))
            return Result(outcome.to_json(), "")
        case "keep":
            return Result(keeper.perform(host, layout, args.task, args.arguments), "")
        case "rehearse":
            return Result(work.rehearse(host, layout, args.database), "")
        case "migrate":
            return Result(work.migrate(host, layout), "")
        case "verify":
            return Result(work.verify(host, layout), "")
    program = context.program
    if program is None:
        raise UsageError("no-program", "runs are recorded beside a program file, and there is none")
    return Result(work.record(host, layout, program), "")
