"""`waiaas step VERB`: what one version asks another to do for a run; not for people.

The verbs and their JSON are a wire format between two versions (see `upgrade/work.py`).
"""

import json
from contextlib import suppress
from pathlib import Path

from waiaas.cli.context import Context
from waiaas.cli.output import Result
from waiaas.core.errors import NotReady, UsageError, WaiaasError
from waiaas.host import lifeline

TYPE_CHECKING = False  # importing argparse is one of the things that the daily check saves (PRF-12)
if TYPE_CHECKING:
    import argparse

VERBS = ("check", "keep", "rehearse", "migrate", "verify", "record")


def arguments(parser: "argparse.ArgumentParser") -> None:
    parser.add_argument("verb", choices=VERBS)
    parser.add_argument("--database", type=Path, help="the copy to rehearse on")
    parser.add_argument("--task", help="with keep: what to do")
    parser.add_argument("--arguments", type=json.loads, default={}, help="with keep: of the verb, as JSON")
    parser.add_argument(
        "--wait", action="store_true", help="with verify: read the modules, then await a word"
    )


def run(args: "argparse.Namespace", context: Context) -> Result:
    lifeline.die_with_parent()
    if args.verb == "check":  # which the daemon asks every day, and which needs none of the rest
        return _check(context)
    from waiaas.upgrade import keeper, work

    if args.wait:
        _await_word(context)
    loaded = context.load(lenient=True)
    host, layout = context.host, loaded.layout
    match args.verb:
        case "keep" if args.task not in keeper.VERBS:
            raise UsageError("bad-arguments", f"there is no task {args.task!r}", "waiaas step --help")
        case "keep":
            return Result(keeper.perform(host, layout, args.task, args.arguments), "")
        case "rehearse":
            return Result(work.rehearse(host, layout, args.database), "")
        case "migrate":
            return Result(work.migrate(host, layout), "")
        case "verify":
            return Result(work.verify(host, layout, context.program), "")
    program = context.program
    if program is None:
        raise UsageError("no-program", "runs are recorded beside a program file, and there is none")
    return Result(work.record(host, layout, program), "")


def _check(context: Context) -> Result:
    from waiaas.upgrade.check import check_once
    from waiaas.upgrade.installation import installation_id

    loaded = context.load(lenient=True)
    layout = loaded.layout
    return Result(check_once(context.host, layout, loaded.settings, installation_id(layout)).to_json(), "")


def _await_word(context: Context) -> None:
    """Ready, but with nothing opened, until the run comes to its step. What is read of the settings is read
    again then. Raises NotReady where another file lies at the program's path than the one that we are."""
    with suppress(WaiaasError, OSError):
        context.load(lenient=True)
    lifeline.await_word()
    program, ours = context.program, context.host.program
    if program is None or ours.pin is None or ours.replaced_at(program.program):
        raise NotReady("not-at-its-path", "the program at its path is another one than this")
