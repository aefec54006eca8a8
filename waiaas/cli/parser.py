"""A command's own arguments: argparse, with errors that are ours and nothing printed behind our back."""

import argparse
import re
from collections.abc import Iterable, Sequence

from waiaas.cli.commands import ALIASES, BARE, SENTENCES
from waiaas.cli.flags import HELP, HelpAsked
from waiaas.core.errors import UsageError

TYPE_CHECKING = False  # importing `typing` is one of the things that every command saves (PRF-3)
if TYPE_CHECKING:
    from typing import Any, NoReturn

CHOICE = r"invalid choice: '([^']*)' \(choose from (.*)\)"  # as argparse says it


class _ShowHelp(argparse.Action):
    def __init__(self, option_strings: Sequence[str], dest: str, **_: "Any") -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, help=argparse.SUPPRESS)

    def __call__(self, parser: argparse.ArgumentParser, *_: "Any") -> "NoReturn":
        raise HelpAsked(parser.format_help())


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Room for the names of actions, whose indent argparse forgets."""

    def add_argument(self, action: argparse.Action) -> None:
        super().add_argument(action)
        if isinstance(action, argparse._SubParsersAction):
            self._action_max_length += 2


class Parser(argparse.ArgumentParser):
    """Raises `UsageError` and `HelpAsked`; prints nothing, exits never, guesses no abbreviations."""

    def __init__(self, **options: "Any") -> None:
        self._width: int | None = 80  # None: as wide as the terminal
        super().__init__(**{**options, "add_help": False, "allow_abbrev": False})
        self.add_argument("-h", "--help", action=_ShowHelp)
        self.epilog = options.get("epilog") or HELP

    def format_help(self) -> str:
        self._width = None
        return super().format_help()

    def _get_formatter(self) -> argparse.HelpFormatter:
        """One is made for each argument, only to try its name: that one need not ask the terminal."""
        return _Formatter(self.prog, width=self._width)

    def error(self, message: str) -> "NoReturn":
        raise UsageError("bad-arguments", f"{self.prog}: {message}", self._hint(message))

    def _hint(self, message: str) -> str:
        """What was meant, where a word is close to one that exists."""
        for action in self._actions if message.endswith("required: action") else ():
            if isinstance(action, argparse._SubParsersAction):
                return f"{self.prog} ACTION, one of {', '.join(action.choices)}"
        wrong = re.search(CHOICE, message)
        near = nearest(wrong[1], re.findall(r"[\w-]+", wrong[2])) if wrong else None
        return f"did you mean `{near}`? See {self.prog} --help" if near else f"{self.prog} --help"


class _Actions(argparse._SubParsersAction):  # type: ignore[type-arg]
    """An action's own help begins with the sentence that the list of actions has for it."""

    def add_parser(self, name: str, **options: "Any") -> "Any":
        return super().add_parser(name, **{"description": options.get("help"), **options})


def build(command: str) -> Parser:
    """The parser of one command."""
    parser = Parser(prog=f"waiaas {command}", description=SENTENCES.get(command))
    if command == "step":
        from waiaas.cli.step import arguments

        arguments(parser)
    elif command not in BARE:
        from waiaas.cli.usage import ARGUMENTS

        ARGUMENTS[command](parser)
    return parser


def actions(parser: argparse.ArgumentParser, title: str = "action") -> "Any":
    """Sub-commands (`backup create`); the chosen name is in `args.action`."""
    parser.register("action", "parsers", _Actions)
    return parser.add_subparsers(
        prog=parser.prog, dest="action", metavar=title, required=True, parser_class=Parser
    )


def unknown(word: str) -> UsageError:
    """There is no such command."""
    near = nearest(word, (*SENTENCES, *ALIASES))
    hint = f"did you mean `waiaas {near}`?" if near else "`waiaas --help` lists the commands"
    return UsageError("unknown-command", f"there is no command {word!r}", hint)


def nearest(word: str, known: Iterable[str]) -> str | None:
    from difflib import get_close_matches

    found = get_close_matches(word, list(known), 1, 0.6)
    return found[0] if found else None


def positive(text: str) -> int:
    """argparse type: a whole number above zero."""
    if not (text.isascii() and text.isdigit() and len(text) < 19 and int(text)):
        raise argparse.ArgumentTypeError(f"must be a whole number above zero, not {text!r}")
    return int(text)


def seconds(text: str) -> float:
    """argparse type: a time above zero."""
    number = float(text)
    if not 0 < number < 1e6:
        raise ValueError(text)
    return number
