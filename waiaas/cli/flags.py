"""The global flags, accepted before or after the command (SPEC §4).

They are taken out of the command line before a command's own parser sees it, so each command knows
them, none declares them, and `health` needs no parser at all. Everything after `--` is left alone.
"""

from collections.abc import Iterator, Sequence

from waiaas.core.errors import UsageError

WITH_VALUE = {"--data-dir": "data_dir", "--config": "config"}
SWITCHES = {
    "--json": "json",
    "-q": "quiet",
    "--quiet": "quiet",
    "-v": "verbose",
    "--verbose": "verbose",
    "--no-color": "no_color",
    "--offline": "offline",
}
SHORT = {"q": "quiet", "v": "verbose"}
HELP = """\
global options, before or after the command:
  --data-dir DIR  data directory (default: WAIAAS_DATA_DIR, else ~/.waiaas)
  --config FILE   settings (default: config.toml in the data directory)
  --json          exactly one JSON document on stdout, errors included
  -q, --quiet     no talk on stderr but errors
  -v, --verbose   more talk; may be repeated
  --no-color      no colours (also: NO_COLOR)
  --offline       no outgoing connection at all (also: WAIAAS_OFFLINE=1)
  -h, --help      help, of the command if one is named
  --version       version of the program
"""


class HelpAsked(Exception):
    """`-h` was given; `str()` is the help text."""


class Flags:
    """What the global flags say; the environment is not in it."""

    __slots__ = ("config", "data_dir", "json", "no_color", "offline", "quiet", "verbose")

    def __init__(
        self,
        data_dir: str | None = None,
        config: str | None = None,
        json: bool = False,
        quiet: bool = False,
        verbose: int = 0,
        no_color: bool = False,
        offline: bool = False,
    ) -> None:
        self.data_dir, self.config = data_dir, config
        self.json, self.quiet, self.verbose = json, quiet, verbose
        self.no_color, self.offline = no_color, offline


class CommandLine:
    """A command line taken apart: flags, the command's name (None: there is none), its arguments."""

    __slots__ = ("arguments", "command", "flags", "help", "version", "words")

    def __init__(self, words: Sequence[str] = ()) -> None:
        self.words = words  # as they were given
        self.flags = Flags()
        self.command: str | None = None
        self.arguments: list[str] = []
        self.help = False
        self.version = False


def take_apart(argv: Sequence[str]) -> CommandLine:
    """Raises `UsageError` for a global flag without its value."""
    line = CommandLine(argv)
    words = iter(argv)
    for word in words:
        if word == "--":
            line.arguments += [word, *words]
        elif not _is_global(line, word, words):
            _take_word(line, word)
    line.version = line.version or line.arguments[-1:] == ["--version"]
    return line


def _take_word(line: CommandLine, word: str) -> None:
    if line.command is None and not word.startswith("-"):
        line.command = word
    elif line.command is None and word in ("-h", "--help"):
        line.help = True
    elif line.command is None and word == "--version":
        line.version = True
    else:
        line.arguments.append(word)


def _is_global(line: CommandLine, word: str, following: Iterator[str]) -> bool:
    name, equals, value = word.partition("=")
    if name in WITH_VALUE:
        value = value if equals else next(following, "")
        if not value:
            raise UsageError("missing-value", f"{name} needs a value", f"{name} PATH")
        setattr(line.flags, WITH_VALUE[name], value)
        return True
    if word in SWITCHES:
        _switch(line.flags, SWITCHES[word])
        return True
    if len(word) > 2 and word[0] == "-" and all(letter in SHORT for letter in word[1:]):
        for letter in word[1:]:
            _switch(line.flags, SHORT[letter])
        return True
    return False


def _switch(flags: Flags, attribute: str) -> None:
    setattr(flags, attribute, flags.verbose + 1 if attribute == "verbose" else True)
