"""A command's own arguments: argparse, with errors that are ours and nothing printed behind our back."""

import argparse
import difflib
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from waiaas.cli.flags import HELP
from waiaas.core.errors import UsageError


class HelpAsked(Exception):
    """`-h` was given; `str()` is the help text."""


class _ShowHelp(argparse.Action):
    def __init__(self, option_strings: Sequence[str], dest: str, **_: Any) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, help="show this help")

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        raise HelpAsked(parser.format_help())


class Parser(argparse.ArgumentParser):
    """Raises `UsageError` and `HelpAsked`; prints nothing, exits never, guesses no abbreviations."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(**{**options, "add_help": False, "allow_abbrev": False})
        self.add_argument("-h", "--help", action=_ShowHelp)
        self.epilog = options.get("epilog") or HELP

    def error(self, message: str) -> NoReturn:
        raise UsageError("bad-arguments", f"{self.prog}: {message}", f"{self.prog} --help")


def build(command: str, module: Any) -> Parser:
    """The parser of one command."""
    parser = Parser(prog=f"waiaas {command}", description=module.HELP)
    module.arguments(parser)
    return parser


def actions(parser: argparse.ArgumentParser, title: str = "action") -> Any:
    """Sub-commands (`backup create`); the chosen name is in `args.action`."""
    return parser.add_subparsers(dest="action", metavar=title, required=True, parser_class=Parser)


def nearest(word: str, known: Iterable[str]) -> str | None:
    found = difflib.get_close_matches(word, list(known), 1, 0.5)
    return found[0] if found else None


def positive(text: str) -> int:
    """argparse type: a whole number above zero."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def seconds(text: str) -> float:
    """argparse type: a time above zero."""
    number = float(text)
    if not 0 < number < 1e6:
        raise ValueError(text)
    return number
