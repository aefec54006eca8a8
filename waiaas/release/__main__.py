"""`python -m waiaas.release`: the maker's tool, run from a checkout; never inside the artefact.

Of the whole maker's side only this module reads the environment, prints and exits.
"""

import argparse
import getpass
import os
import sys
from collections.abc import Callable
from pathlib import Path

from waiaas.core.errors import Exit, UsageError, WaiaasError
from waiaas.host.clock import Clock
from waiaas.host.files import Files
from waiaas.host.processes import Processes
from waiaas.release.arguments import parser

PASSPHRASE = "WAIAAS_RELEASE_PASSPHRASE"  # noqa: S105 - the variable's name
EPOCH = "SOURCE_DATE_EPOCH"


def main(argv: list[str]) -> Exit:
    """Run one command and return its exit code (CLI-3)."""
    try:
        arguments = parser().parse_args(argv)
        return COMMANDS[arguments.command](arguments)
    except WaiaasError as problem:
        _say(
            f"error: {problem.message}",
            *([f"hint: {problem.hint}"] if problem.hint else []),
            stream=sys.stderr,
        )
        return problem.exit_code
    except OSError as problem:
        _say(f"error: {problem}", "hint: check the path and its rights", stream=sys.stderr)
        return Exit.FAILED
    except KeyboardInterrupt:
        return Exit.INTERRUPTED


def _build(arguments: argparse.Namespace) -> Exit:
    from waiaas.release.build import Order, build

    order = Order(
        source=arguments.source.resolve(),
        output=arguments.output.resolve(),
        root=arguments.root,
        feed_url=arguments.feed_url,
        version=arguments.version,
        overlay=arguments.overlay,
        cache=arguments.cache and arguments.cache.resolve(),
        epoch=_epoch(),
        targets_floor=arguments.targets_floor,
    )
    artefact = build(order, Files(), Processes(os.environ))
    _say(str(artefact))
    if order.root is None:
        _say(
            "note: built without a root of trust, so it can never upgrade itself (--root)", stream=sys.stderr
        )
    return Exit.OK


def _epoch() -> int | None:
    text = os.environ.get(EPOCH, "")
    if text and not text.isdecimal():
        raise UsageError("bad-epoch", f"{EPOCH}={text} is no number of seconds", f"unset {EPOCH}")
    return int(text) if text else None


def _say(*lines: str, stream: object = None) -> None:
    for line in lines:
        print(line, file=stream or sys.stdout, flush=True)  # type: ignore[call-overload] # noqa: T201


COMMANDS: dict[str, Callable[[argparse.Namespace], Exit]] = {"build": _build}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
