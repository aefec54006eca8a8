"""Commands to type, told with the data directory that this one was given (CLI-2).

Whoever chose a directory by flag has to choose it again in each command that is told him; one that came
from the environment stays in force in his shell. Messages are written far below, where nobody knows of
flags, so `Output` looks for the commands in them.
"""

import re

from waiaas.cli.commands import ALIASES, COMMANDS
from waiaas.cli.where import chosen

UNBOUND = {"completion", "step"}  # know no data directory
NAMES = "|".join(sorted({*COMMANDS, *ALIASES, "mcp"} - UNBOUND))
COMMAND = rf"waiaas (?:{NAMES})(?![\w-])"
QUOTED = re.compile(rf"`(?:[^`\n]*[ /])?{COMMAND}[^`\n]*(?=`)")
END = r"(?=\s*(?:[`\n;()#&|,│]|$))"
SAID = re.compile(rf"(?:\b[Rr]un:|\bundo|\bhint:) +{COMMAND}[^`\n;()#&|,│]*?{END}")
BARE = re.compile(rf"(?<![\w./`-]){COMMAND}[^`\n;()#&|,│]*?{END}")


def spoken(text: str, flag: str | None, *, hint: bool = False) -> str:
    """`text` with the directory named in each command in backticks, or after "Run:", "undo" or "hint:". In
    a hint every command is one to type."""
    if not flag or "waiaas " not in text:
        return text

    def named(found: re.Match[str]) -> str:
        command = found[0]
        return command if "--data-dir" in command or "--help" in command else command + chosen(flag)

    return (BARE if hint else SAID).sub(named, QUOTED.sub(named, text))


def in_document(value: object, flag: str | None) -> object:
    """The same for every `hint`, and every `next`, in what `--json` prints; all else is data."""
    if isinstance(value, dict):
        return {key: _member(key, each, flag) for key, each in value.items()}
    return [in_document(each, flag) for each in value] if isinstance(value, list) else value


def _member(key: object, value: object, flag: str | None) -> object:
    if key in ("hint", "next") and isinstance(value, str):
        return spoken(value, flag, hint=True)
    return in_document(value, flag)
