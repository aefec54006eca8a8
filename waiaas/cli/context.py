"""What every command starts from: the outside world, the flags, and the data directory with its settings.

A directory is ours once it holds `installation.json`. One without it, but with `config.toml` or a
database, was written by the previous implementation: it is opened by that one's rules until it is
adopted (`adopt.py`). Anything else was never initialised, and nothing is created in it (DIR-3).
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from waiaas.cli import where
from waiaas.cli.flags import Flags as Flags
from waiaas.cli.output import Output
from waiaas.core.errors import NotReady, UsageError, WaiaasError
from waiaas.core.layout import FOLDER, Layout, ProgramLayout
from waiaas.core.settings import DatabaseSettings, Parsed, Settings, parse
from waiaas.core.settings_rules import Problem
from waiaas.core.value import frozen, mutable, replace
from waiaas.host.host import Host

TYPE_CHECKING = False  # importing `typing` is one of the things that every command saves (PRF-3)
if TYPE_CHECKING:
    from waiaas.host.gate import Gate
    from waiaas.host.owner import Owner

CONFIG = "config.toml"
MAX_CONFIG = 1 << 20  # bytes


@frozen
class Loaded:
    """A data directory as it is: `initialised` ours, `legacy` the previous implementation's, not yet
    adopted, or neither."""

    layout: Layout
    settings: Settings
    parsed: Parsed
    initialised: bool
    legacy: bool

    @property
    def adopted(self) -> bool:
        return self.initialised


@mutable
class Context:
    """Handed to every command. `loaded` is what it found first, for the notice after it: a directory
    that was adopted just now is not written to (MIG-07). `owner`: whom root has to be in the data directory
    (`rights.py`, UPGR-14)."""

    host: Host
    out: Output
    flags: Flags
    loaded: Loaded | None = None
    words: Sequence[str] = ()  # the command line
    owner: "Owner | None" = None
    nothing_new: bool = False  # the command has seen already that there is nothing to notify of
    _data_dir: Path | None = None

    def load(
        self,
        *,
        lenient: bool = False,
        uninitialised_ok: bool = False,
        broken_ok: bool = False,
        unreadable_ok: bool = False,
        overrides: Mapping[str, str] | None = None,
    ) -> Loaded:
        """Find the data directory and read its settings. Creates nothing.

        Raises NotReady "not-initialised", NotAuthorised "data-dir-closed" and UsageError "bad-settings"
        with all problems at once.
        `broken_ok`: a key with a problem has its default (`stop` must work whatever the file says);
        `unreadable_ok`: so has every key of a file that cannot be read.
        """
        data_dir = self.data_dir()
        if data_dir.is_dir() and not os.access(data_dir, os.X_OK, effective_ids=True):
            from waiaas.cli.closed import closed

            raise closed(data_dir, self.words)
        config = Path(self.flags.config).absolute() if self.flags.config else data_dir / CONFIG
        initialised = _exists(data_dir / "installation.json")
        legacy = not initialised and (_exists(data_dir / CONFIG) or _exists(data_dir / "data/waiaas.db"))
        if not (initialised or legacy or uninitialised_ok):
            raise NotReady(
                "not-initialised", f"{data_dir} is not initialised", f"{self.again('init')} creates it"
            )
        required = not uninitialised_ok and config != data_dir / CONFIG
        text, unread = _config_text(config, required, unreadable_ok)
        given = (text, self.host.environ, overrides or {})
        parsed = parse(*given, lenient=lenient, defaults=built_in())
        if parsed.problems or unread:
            from waiaas.cli import unsettled

            if not lenient and unsettled.provisional(self.program, data_dir):
                parsed = parse(*given, lenient=True, defaults=built_in())
            if unread:
                parsed = replace(parsed, problems=(unread, *parsed.problems))
            if parsed.problems and not broken_ok:
                raise unsettled.bad_settings(config, parsed)
        layout = Layout(data_dir, _database(data_dir, parsed.settings.database.path, legacy), config)
        found = Loaded(layout, parsed.settings, parsed, initialised, legacy)
        self.loaded = self.loaded or found
        return found

    def gate(self, layout: Layout) -> "Gate":
        from waiaas.host.gate import Gate

        return Gate(layout.gate, self.host.clock)

    @property
    def offline(self) -> bool:
        return self.host.offline

    @property
    def program(self) -> ProgramLayout | None:
        """What lies beside the program; None when run from a source tree."""
        path = self.host.program.path
        if path is None or path.parent.name != FOLDER:
            return ProgramLayout(path) if path else None
        from waiaas.upgrade.book import installed_program

        return ProgramLayout(installed_program(path))

    def again(self, command: str) -> str:
        """A command line for a hint, with the same data directory and settings as this one."""
        return f"`waiaas {command}{where.chosen(self.flags.data_dir, self.flags.config)}`"

    def data_dir(self) -> Path:
        """Raises UsageError "no-home"."""
        if self._data_dir is None:
            self._data_dir = Path(where.data_dir(self.flags.data_dir, self.host.environ))
        return self._data_dir


def installed(context: Context) -> ProgramLayout:
    """Raises `not-installed` when there is no program file."""
    program = context.program
    if program is None:
        raise WaiaasError(
            "not-installed",
            "this is waiaas run from its source tree, which has no program file to upgrade",
            "build one with `make build` and run that",
        )
    return program


def _config_text(config: Path, required: bool, unreadable_ok: bool) -> tuple[str | None, Problem | None]:
    """The text of config.toml, or what stands against reading it where the caller goes on all the same."""
    try:
        return _read_config(config, required), None
    except (UsageError, OSError) as problem:
        from waiaas.core import causes

        told = causes.told(problem)
        if not unreadable_ok or told is None or told.code == "no-config":
            raise
        return None, Problem(None, "", told.message, told.hint)


def _read_config(config: Path, required: bool) -> str | None:
    try:
        with config.open("rb") as stream:
            content = stream.read(MAX_CONFIG + 1)
    except (FileNotFoundError, NotADirectoryError) as problem:
        if required:
            raise UsageError("no-config", f"there is no file {config}", "--config FILE") from problem
        return None
    if len(content) > MAX_CONFIG:
        raise UsageError("bad-settings", f"{config} is larger than {MAX_CONFIG} bytes", "shorten it")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = content[: problem.start].count(b"\n") + 1
        raise UsageError(
            "bad-settings", f"{config} is not UTF-8 text (line {line})", "save it as UTF-8"
        ) from problem


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _database(data_dir: Path, configured: str, legacy: bool) -> Path:
    """The previous implementation joined even an absolute path to its data directory. Behind a link the
    file that it leads to, for SQLite has `-wal` and `-shm` there, and a rename must not hit the link."""
    path = configured.lstrip("/") or DatabaseSettings().path if legacy else configured
    found = Path(os.path.normpath(data_dir / path))
    linked = os.path.islink(found)  # noqa: PTH114 - no error where the folder is closed to us
    return Path(os.path.realpath(found)) if linked else found


def built_in() -> Mapping[str, str]:
    """Defaults that the artefact was built with."""
    from waiaas.upgrade.embedded import feed_url

    url = feed_url()
    return {"upgrade.feed_url": url} if url else {}
