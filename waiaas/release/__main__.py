"""`python -m waiaas.release`: the maker's tool, run from a checkout; never inside the artefact.

Of the whole maker's side only this module reads the environment, prints and exits. The commands
lie in commands.py and say what they have to say through the functions handed to them.
"""

import getpass
import os
import sys
from functools import cache

from waiaas.core.errors import Exit, UsageError, WaiaasError
from waiaas.host.clock import Clock
from waiaas.host.files import Files
from waiaas.host.processes import Processes
from waiaas.release.arguments import parser
from waiaas.release.commands import COMMANDS, Bench, Passphrases

PASSPHRASE = "WAIAAS_RELEASE_PASSPHRASE"  # noqa: S105 - the name of the variable


def main(argv: list[str]) -> Exit:
    """Run one command and return its exit code (CLI-3)."""
    environ = dict(os.environ)
    ask = Passphrases(_passphrase, _new_passphrase)
    bench = Bench(Files(), Clock(), Processes(environ), environ, ask, _say, _remark, _ask)
    try:
        arguments = parser().parse_args(argv)
        return COMMANDS[arguments.command](bench, arguments)
    except WaiaasError as problem:
        _remark(f"error: {problem.message}")
        if problem.hint:
            _remark(f"hint: {problem.hint}")
        return problem.exit_code
    except OSError as problem:
        _remark(f"error: {problem}")
        _remark("hint: check that path and its rights")
        return Exit.FAILED
    except KeyboardInterrupt:
        return Exit.INTERRUPTED


@cache
def _passphrase() -> bytes:
    """Asked once for all keys of a command; never an argument, so that `ps` does not show it."""
    given = os.environ.get(PASSPHRASE)
    found = getpass.getpass("Passphrase of the keys: ") if given is None else given
    if not found:
        raise UsageError("no-passphrase", "the passphrase is empty", "give one, or --plain for keys without")
    return found.encode()


def _new_passphrase() -> bytes:
    """Typed twice: a slip of the finger would lock the keys for ever."""
    found = _passphrase()
    if PASSPHRASE not in os.environ and getpass.getpass("The same again: ").encode() != found:
        raise UsageError("no-passphrase", "the two passphrases differ", "try again")
    return found


def _ask(question: str) -> str | None:
    if not sys.stdin or not sys.stdin.isatty():
        return None
    print(question, end="", file=sys.stderr, flush=True)  # noqa: T201
    return sys.stdin.readline().strip()


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


def _remark(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
