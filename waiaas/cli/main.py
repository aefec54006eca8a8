"""From the command line to the exit code. The one place that exits, and the only one that sees the
process's own streams; `waiaas/__main__.py` hands in arguments and environment."""

import os
import sys
from collections.abc import Mapping, Sequence

from waiaas import __version__
from waiaas.cli import commands
from waiaas.cli.flags import CommandLine, Flags, HelpAsked, take_apart
from waiaas.cli.output import Output, Result
from waiaas.core.errors import Busy, Exit, SchemaIncompatible, UsageError, WaiaasError

BEFORE_START = {"--recover", "--no-start"}  # of upgrade: a service manager says it before each start
TYPE_CHECKING = False  # importing `typing` costs more than the whole answer of `health` may take
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any, TextIO

    from waiaas.cli.context import Context
    from waiaas.host.program import Program


def main(
    argv: Sequence[str],
    environ: Mapping[str, str],
    program: "Program",
    stdout: "TextIO | None" = None,
    stderr: "TextIO | None" = None,
) -> int:
    """Run one command line and return its exit code (CLI-3). Prints, never raises."""
    stdout, stderr = stdout or sys.stdout, stderr or sys.stderr
    out = Output(stdout, stderr, Flags(json="--json" in argv), environ)
    try:
        line = take_apart(argv)
        out = Output(stdout, stderr, line.flags, environ)
        out.among_ourselves = line.command == "step"
        return _answer(line, environ, program, out)
    except WaiaasError as problem:
        if problem.exit_code == Exit.INTERRUPTED:
            from waiaas.cli import failures

            failures.mind_no_more()
        out.error(problem)
        return problem.exit_code
    except KeyboardInterrupt:
        from waiaas.cli import failures

        failures.mind_no_more()
        out.error(failures.interrupted(argv))
        return Exit.INTERRUPTED
    except Exception as problem:  # noqa: BLE001 - the last resort: expected ones get words, others a report
        from waiaas.cli import failures

        told, code = failures.explain(problem, argv, environ)
        out.error(told)
        return code


def _answer(line: CommandLine, environ: Mapping[str, str], program: "Program", out: Output) -> int:
    if line.version:
        return out.render(Result({"version": __version__}, __version__))
    if line.command == "health" and not {"-h", "--help"} & set(line.arguments):
        from waiaas.cli.health import answer

        return _rendered(out, answer(line.arguments, line.flags, environ))
    if line.command == "help":
        line = take_apart(["--help"] if not line.arguments else [*line.arguments[:1], "--help"])
    if line.command is None and (line.help or line.arguments):
        return _rendered(out, _help(line))
    if line.command == "upgrade" and set(line.arguments) == BEFORE_START:
        from waiaas.cli.before_start import answer as before_start

        if idle := before_start(program.path, line.flags, environ):
            return _rendered(out, idle)
    if line.command is None:
        from waiaas.cli.overview import overview

        return _rendered(out, overview(_context(environ, program, out)))
    name = _known(line.command)
    try:
        arguments = _arguments(name, line.arguments)
    except HelpAsked as asked:
        return _rendered(out, Result({"help": str(asked)}, str(asked).rstrip(), about_data=False))
    if name in commands.OF_THE_PROGRAM:
        return _rendered(out, _module(name).run(arguments))
    context = _context(environ, program, out)
    context.words = line.words
    return _run(name, arguments, context)


def _run(name: str, arguments: "Any", context: "Context") -> int:
    _settle_rights(name, context)
    if name in commands.TOLD_OF_RUNS and getattr(arguments, "action", None) not in commands.SEE_TO_RUNS:
        _tell_open_run(context)
    try:
        return _rendered(context.out, _module(name).run(arguments, context))
    except SchemaIncompatible:
        _excuse_if_overtaken(context)
        raise
    finally:
        if name not in commands.WITHOUT_NOTICE and not _serves(name, arguments):
            _notice(context)


def _arguments(name: str, words: "Sequence[str]") -> "Any":
    """As the command's parser reads these words, which the most common ones do not need."""
    if not words and name in commands.BARE:
        return None
    if len(words) == 1 and (plain := commands.PLAIN.get(f"{name} {words[0]}")):
        from types import SimpleNamespace

        return SimpleNamespace(**plain)
    from waiaas.cli.parser import build

    return build(name).parse_args(words)


def _settle_rights(name: str, context: "Context") -> None:
    """Root, in a directory that belongs to somebody else, becomes that user."""
    if os.geteuid() == 0 and not _belongs_to_root(context.data_dir()):
        from waiaas.cli.rights import settle

        settle(name, context)


def _belongs_to_root(folder: "Path") -> bool:
    try:
        return folder.stat().st_uid == 0
    except OSError:
        return False


def _tell_open_run(context: "Context") -> None:
    """What a command shows of data that an upgrade is about to change, or left half-way (UPGR-06)."""
    path = context.host.program.path
    if not context.out.talks or path is None or not os.path.lexists(path.parent / ".waiaas/journal"):
        return
    from waiaas.cli.underway import open_here

    if told := open_here(context, str(context.data_dir())):
        context.out.warn("; ".join(told))


def _excuse_if_overtaken(context: "Context") -> None:
    """An upgrade that swapped program and database while this command started is no wrong schema."""
    path = context.host.program.path
    if path is not None and context.host.program.replaced_at(path):
        raise Busy("program-replaced", "an upgrade replaced this program just now", "run the command again")


def _rendered(out: Output, result: Result) -> int:
    return out.render(result)


def _known(word: str) -> str:
    name = commands.ALIASES.get(word, word)
    if name in commands.COMMANDS:
        return name
    from waiaas.cli.parser import unknown

    raise unknown(word)


def _module(name: str) -> "Any":
    import importlib

    return importlib.import_module(commands.COMMANDS[name])


def _help(line: CommandLine) -> Result:
    if line.arguments:
        raise UsageError("bad-arguments", f"unknown option {line.arguments[0]}", "waiaas --help")
    from waiaas.cli.overview import help_text

    text = help_text(commands.SENTENCES)
    return Result({"help": text}, text, about_data=False)


def _context(environ: Mapping[str, str], program: "Program", out: Output) -> "Context":
    """The outside world, made once."""
    from waiaas.cli.context import Context
    from waiaas.host.host import Outside

    offline = out.flags.offline or environ.get("WAIAAS_OFFLINE", "").lower() in ("1", "true", "yes", "on")
    return Context(Outside(program, environ, offline), out, out.flags)


def _serves(name: str, arguments: "Any") -> bool:
    """A daemon in the foreground is no command that anybody reads the end of."""
    return name == "start" and not getattr(arguments, "detach", False)


def _notice(context: "Context") -> None:
    if context.nothing_new or not context.out.talks:
        return
    if context.loaded is not None and context.loaded.initialised:
        _settle_rights("notice", context)  # root, if the command went through systemd: never in those data
        from waiaas.upgrade.notice import notice

        loaded = context.loaded
        asked = loaded.parsed.origins["upgrade.mode"] != "default"
        spoken = context.out.spoken
        box = notice(context.host, loaded.layout, loaded.settings, asked=asked, spoken=spoken)
        if box:
            context.out.notice(box)
