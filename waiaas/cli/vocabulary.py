"""What may be typed after `waiaas`: read out of the commands' own parsers, for completion and manual."""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path

from waiaas.cli import flags
from waiaas.cli.commands import ALIASES, SENTENCES
from waiaas.cli.parser import build
from waiaas.core.settings import KEYS
from waiaas.core.value import frozen

FILE, FOLDER = "file", "folder"  # kinds of values that a shell completes by itself
FILES = ("FILE", "BUNDLE", "PATH")
KNOWN = {"key": tuple(KEYS)}  # positional → its values, where the parser does not hold them


@frozen
class Option:
    """`names` as they are typed, the longest last; `value` is what the usage calls it, empty for a switch.
    `choices` or `kind` (FILE, FOLDER) say what a value may be, where that is known."""

    names: tuple[str, ...]
    help: str
    value: str = ""
    choices: tuple[str, ...] = ()
    kind: str = ""


@frozen
class Word:
    """A command or one of its actions. `arguments` are its positionals: (name, help, choices, kind)."""

    name: str
    help: str
    options: tuple[Option, ...]
    arguments: tuple[Option, ...]
    actions: tuple["Word", ...] = ()


def words() -> tuple[Word, ...]:
    """Every visible command in the order of `--help`, aliases last."""
    found = tuple(_word(name, build(name), said) for name, said in SENTENCES.items())
    by_name = {word.name: word for word in found}
    aliases = (
        Word(alias, f"the same as {name}", by_name[name].options, by_name[name].arguments)
        for alias, name in ALIASES.items()
    )
    return (*found, *aliases)


def global_options() -> tuple[Option, ...]:
    """The flags that every command knows, out of the one text that explains them."""
    found = []
    for line in flags.HELP.splitlines()[1:]:
        left, _, sentence = line.strip().partition("  ")
        names = tuple(part.split()[0] for part in left.split(", "))
        value = left.rpartition(" ")[2] if " " in left.split(", ")[-1] else ""
        kind = {"DIR": FOLDER, "FILE": FILE}.get(value, "")
        found.append(Option(names, sentence.strip(), value, (), kind))
    return tuple(found)


def _word(name: str, parser: argparse.ArgumentParser, sentence: str) -> Word:
    return Word(
        name,
        sentence,
        tuple(_option(action) for action in _shown(parser) if action.option_strings),
        tuple(
            _option(action)
            for action in _shown(parser)
            if not action.option_strings and not isinstance(action.choices, Mapping)
        ),
        tuple(_actions(parser)),
    )


def _shown(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:
        if action.help != argparse.SUPPRESS and "--help" not in action.option_strings:
            yield action


def _actions(parser: argparse.ArgumentParser) -> Iterator[Word]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            sentences = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, below in action.choices.items():
                yield _word(name, below, sentences.get(name, ""))


def _option(action: argparse.Action) -> Option:
    choices = tuple(map(str, action.choices or KNOWN.get(action.dest, ())))
    takes = action.nargs != 0
    value = str(action.metavar or action.dest.upper()) if takes else ""
    kind = FILE if takes and (action.type is Path or value in FILES) else ""
    names = tuple(sorted(action.option_strings, key=len)) or (str(action.metavar or action.dest),)
    return Option(names, action.help or "", value, choices, kind)
