"""Everything that is printed: data on stdout, talk on stderr, one JSON document where asked (CLI-1)."""

from collections.abc import Mapping

from waiaas.cli import where
from waiaas.core.errors import Exit, WaiaasError

TYPE_CHECKING = False  # importing `typing` costs more than the whole answer of `health` may take
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import TextIO

    from waiaas.cli.flags import Flags
    from waiaas.cli.progress import Progress

SAID = object()  # as document of a result: a child of ours has printed it already
RED, YELLOW, BOLD, DIM, PLAIN = "31", "33", "1", "2", "0"


class Result:
    """What a command found out: a document for `--json`, a text for people, the exit code."""

    __slots__ = ("about_data", "document", "exit_code", "text")

    def __init__(
        self, document: object, text: str, exit_code: Exit = Exit.OK, *, about_data: bool = True
    ) -> None:
        self.document = document
        self.text = text
        self.exit_code = exit_code
        self.about_data = about_data  # of a data directory, which the commands in the text are meant for


class Output:
    """The only one that prints. With `--json` or `--quiet` it does not talk."""

    def __init__(
        self,
        stdout: "TextIO | None",
        stderr: "TextIO | None",
        flags: "Flags",
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._stdout = stdout
        self._stderr = stderr
        self._environ = environ or {}
        self._bar: Progress | None = None  # the last one; it may stand on the terminal right now
        self.flags = flags
        self.among_ourselves = False  # a child of ours: who asked us knows what the user chose

    @property
    def talks(self) -> bool:
        return not (self.flags.quiet or self.flags.json)

    @property
    def terminal(self) -> bool:
        """stderr is a terminal that can move its cursor."""
        capable = self._environ.get("TERM", "") != "dumb"
        return capable and self._stderr is not None and self._stderr.isatty()

    def say(self, text: str) -> None:
        """Talk: what is going on. Not data; nobody parses it."""
        if self.talks:
            self._talk(self.spoken(text))

    def spoken(self, text: str, *, hint: bool = False) -> str:
        """With data directory and settings in the commands it names, where a flag chose them (`again.py`)."""
        chosen = self._chosen
        if not chosen or "waiaas " not in text:
            return text
        commands = (each.partition("\n")[0].partition("`")[0] for each in text.split("waiaas ")[1:])
        if all(chosen.split()[0] in command for command in commands):
            return text
        from waiaas.cli.again import spoken

        return spoken(text, chosen, hint=hint)

    @property
    def _chosen(self) -> str:
        return "" if self.among_ourselves else where.chosen(self.flags.data_dir, self.flags.config)

    def detail(self, text: str) -> None:
        """Talk for `--verbose`."""
        if self.flags.verbose:
            self.say(text)

    def warn(self, text: str) -> None:
        """Something to know that stops nothing."""
        self.say(self._ranked(self._paint("warning:", YELLOW) + f" {text}", 4))

    def line(self, text: str) -> bool:
        """One line of data at once, for a stream (UPGR-11); nobody has to listen. Whether anybody does."""
        try:
            self._put(text, self._stdout)
        except (OSError, ValueError):
            self._stdout = None
        return self._stdout is not None

    def progress(self, label: str, total: int, *, plain: bool = True) -> "Progress":
        """A bar on a terminal, lines elsewhere if `plain`, nothing with `--quiet` or `--json` (CLI-4)."""
        from waiaas.cli.progress import Progress

        show, wanted = (self.redraw, True) if self.terminal else (self._told, plain)
        self._bar = Progress(show, label, total, self.talks and wanted, self.terminal)
        return self._bar

    def activity(
        self, label: str, total: int = 0, measure: "Callable[[], int] | None" = None, *, plain: bool = True
    ) -> "AbstractContextManager[object]":
        """The same around a block that cannot tell by itself how far it is. `total` 0: only time is told."""
        from contextlib import nullcontext

        from waiaas.cli.progress import Activity

        if not self.talks or not (plain or self.terminal):
            return nullcontext()
        return Activity(self.progress(label, total, plain=plain), measure)

    def redraw(self, text: str) -> None:
        """Draw over the line the cursor stands on."""
        self._told("\r\x1b[K" + text, end="")

    def render(self, result: Result) -> Exit:
        """The command's data: exactly one document, or its text. Returns the exit code: what came out of the
        command stands, and success is none where nobody can have the data."""
        taken = True
        if result.document is SAID:
            return result.exit_code
        if self.flags.json:
            taken = self._document(result.document)
        elif result.text:
            taken = self._deliver(self.spoken(result.text) if result.about_data else result.text)
        return result.exit_code if taken else result.exit_code or Exit.FAILED

    def error(self, problem: WaiaasError) -> None:
        """What happened, whose fault, what to type next (CLI-2)."""
        if self.flags.json:
            self._document(problem.to_json())
            return
        message, hint = self.spoken(problem.message), self.spoken(problem.hint, hint=True)
        self._talk(self._ranked(f"waiaas: {self._paint('error:', RED)} {message}", 3))
        if hint:
            self._talk(self._ranked(f"{self._paint('hint:', BOLD)} {hint}", 3))

    def ask(self, question: str) -> None:
        """A question on the terminal; the cursor stays behind it."""
        _print(question, self._stderr, end="")

    def notice(self, box: str) -> None:
        """The box that tells of a newer version; its caller knows when (VCHK-07)."""
        self._talk(box)

    def _talk(self, text: str) -> None:
        if self._bar is None:
            self._told(text)
        else:
            with self._bar.hidden():
                self._told(text)

    def _told(self, text: str, end: str = "\n") -> None:
        """Never fails: whatever is at work does not depend on who listens."""
        try:
            _print(text, self._stderr, end)
        except (OSError, ValueError):  # a terminal that closed, a pipe without a reader
            self._stderr = None

    def _ranked(self, text: str, priority: int) -> str:
        """For the journal of systemd, which shows errors as such."""
        if self._stderr is None or "JOURNAL_STREAM" not in self._environ:
            return text
        from waiaas.host.journal import is_journal, ranked

        return ranked(text, priority) if is_journal(self._stderr, self._environ) else text

    def _put(self, text: str, stream: "TextIO | None") -> None:
        """One line or more, and no bar in the middle of it."""
        if self._bar is None:
            _print(text, stream)
        else:
            with self._bar.hidden():
                _print(text, stream)

    def _deliver(self, text: str) -> bool:
        """Data. A reader that went away has all that it wanted; False: stdout is full, say."""
        try:
            self._put(text, self._stdout)
        except BrokenPipeError:
            return True
        except (OSError, ValueError) as problem:
            why = getattr(problem, "strerror", None) or problem
            self._talk(f"waiaas: {self._paint('error:', RED)} the answer could not be written: {why}")
            return False
        return True

    def _document(self, document: object) -> bool:
        import json

        if chosen := self._chosen:
            from waiaas.cli.again import in_document

            document = in_document(document, chosen)
        return self._deliver(json.dumps(document, ensure_ascii=False, indent=2))

    def _paint(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[{PLAIN}m" if self._colourful() else text

    def _colourful(self) -> bool:
        if self.flags.no_color or self._environ.get("NO_COLOR"):
            return False
        if self._environ.get("FORCE_COLOR", "0") not in ("", "0"):
            return True
        return self.terminal


def _print(text: str, stream: "TextIO | None", end: str = "\n") -> None:
    if stream is None:  # the caller closed it
        return
    try:
        print(text, file=stream, end=end, flush=True)
    except UnicodeEncodeError:
        encoding = stream.encoding or "ascii"
        print(text.encode(encoding, "replace").decode(encoding), file=stream, end=end, flush=True)
