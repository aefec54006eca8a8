"""Commands to type, told with the data directory and the settings that this one was given (CLI-2).

Whoever chose them by flag has to choose them again in each command that is told him; what came
from the environment stays in force in his shell. Messages are written far below, where nobody knows of
flags, so `Output` looks for the commands in them.
"""

import re

from waiaas.cli.commands import ALIASES, COMMANDS

UNBOUND = {"completion", "step"}  # know no data directory
NAMES = "|".join(sorted({*COMMANDS, *ALIASES, "mcp"} - UNBOUND))
COMMAND = rf"waiaas (?:{NAMES})(?![\w-])"
QUOTED = re.compile(rf"`(?:[^`\n]*[ /])?{COMMAND}[^`\n]*(?=`)")
END = r"(?=\s*(?:[`\n;()#&|,│]|$))"
SAID = re.compile(rf"(?:\b[Rr]un:|\bundo|\bhint:) +{COMMAND}[^`\n;()#&|,│]*?{END}")
BARE = re.compile(rf"(?<![\w./`-]){COMMAND}[^`\n;()#&|,│]*?{END}")


def spoken(text: str, chosen: str, *, hint: bool = False) -> str:
    """`text` with the words of `where.chosen` in each command in backticks, or after "Run:", "undo" or
    "hint:". In a hint every command is one to type."""
    if not chosen or "waiaas " not in text:
        return text
    first = chosen.split()[0]

    def named(found: re.Match[str]) -> str:
        command = found[0]
        return command if first in command or "--help" in command else command + chosen

    return (BARE if hint else SAID).sub(named, QUOTED.sub(named, text))


def in_document(value: object, chosen: str) -> object:
    """The same for every `hint`, and every `next`, in what `--json` prints; all else is data."""
    if isinstance(value, dict):
        return {key: _member(key, each, chosen) for key, each in value.items()}
    return [in_document(each, chosen) for each in value] if isinstance(value, list) else value


def _member(key: object, value: object, chosen: str) -> object:
    if key in ("hint", "next") and isinstance(value, str):
        return spoken(value, chosen, hint=True)
    return in_document(value, chosen)
