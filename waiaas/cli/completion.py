"""`waiaas completion bash|zsh|fish`, generated from the parsers themselves."""

import argparse
import importlib
from collections.abc import Mapping, Sequence

from waiaas.cli.commands import ALIASES, COMMANDS, VISIBLE
from waiaas.cli.context import Context
from waiaas.cli.flags import SWITCHES, WITH_VALUE
from waiaas.cli.output import Result
from waiaas.cli.parser import build

HELP = "print a completion script for a shell"
GLOBAL = sorted({*WITH_VALUE, *(word for word in SWITCHES if word.startswith("--")), "--help", "--version"})
BASH = """\
# waiaas completion for bash: eval "$(waiaas completion bash)"
_waiaas() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} command= each words
    for each in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case $each in
            -*) ;;
            {commands}) command=$each; break ;;
        esac
    done
    case $command in
{cases}
        *) words="{top}" ;;
    esac
    COMPREPLY=($(compgen -W "$words {flags}" -- "$word"))
    [ ${{#COMPREPLY[@]}} -gt 0 ] || COMPREPLY=($(compgen -f -- "$word"))
}}
complete -F _waiaas waiaas"""
ZSH = """\
# waiaas completion for zsh: eval "$(waiaas completion zsh)"
autoload -Uz bashcompinit && bashcompinit
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "fish"))


def run(args: argparse.Namespace, context: Context) -> Result:
    words = vocabulary()
    script = {"bash": _bash, "zsh": _zsh, "fish": _fish}[args.shell](words)
    return Result({"shell": args.shell, "script": script}, script)


def vocabulary() -> Mapping[str, Sequence[str]]:
    """Command → the words that may follow it: its actions and the options of all of them."""
    found = {}
    for name in VISIBLE:
        module = importlib.import_module(COMMANDS[name])
        found[name] = tuple(dict.fromkeys(_words(build(name, module))))
    return found | {alias: found[name] for alias, name in ALIASES.items()}


def _words(parser: argparse.ArgumentParser) -> list[str]:
    words: list[str] = []
    for action in parser._actions:
        if action.help == argparse.SUPPRESS:
            continue
        words += [option for option in action.option_strings if option.startswith("--")]
        if isinstance(action.choices, Mapping):
            for verb, below in action.choices.items():
                words += [verb, *_words(below)]
        elif action.choices and not action.option_strings:
            words += map(str, action.choices)
    return [word for word in words if word not in GLOBAL]


def _bash(words: Mapping[str, Sequence[str]]) -> str:
    cases = "\n".join(f'        {name}) words="{" ".join(found)}" ;;' for name, found in words.items())
    return BASH.format(commands="|".join(words), cases=cases, top=" ".join(words), flags=" ".join(GLOBAL))


def _zsh(words: Mapping[str, Sequence[str]]) -> str:
    return ZSH + _bash(words).partition("\n")[2]


def _fish(words: Mapping[str, Sequence[str]]) -> str:
    lines = ["# waiaas completion for fish: waiaas completion fish | source", "complete -c waiaas -f"]
    lines += [f"complete -c waiaas -n __fish_use_subcommand -a {name}" for name in words]
    for name, found in words.items():
        seen = f"-n '__fish_seen_subcommand_from {name}'"
        for word in found:
            what = f"-l {word[2:]}" if word.startswith("--") else f"-a {word}"
            lines.append(f"complete -c waiaas {seen} {what}")
    lines += [f"complete -c waiaas -l {flag[2:]}" for flag in GLOBAL]
    return "\n".join(lines)
