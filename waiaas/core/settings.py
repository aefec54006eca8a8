"""What the user decided: every setting, where it came from, and all that is wrong with it at once.

A setting is declared once, as a field of its section below, with type, range, unit and one sentence;
the table `KEYS`, the parser, `waiaas config` and the README all derive from that. Precedence: flag >
environment (`WAIAAS_<SECTION>_<KEY>`) > `config.toml` > default (SPEC §5).
"""

from waiaas.core.settings_rules import Key, Problem, Rule
from waiaas.core.value import field, fields, frozen

TYPE_CHECKING = False  # importing `typing` is one of the things that every command saves (PRF-3)
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

PREFIX = "WAIAAS_"  # of the variables


def _key(default: "Any", sentence: str, **rule: "Any") -> "Any":
    """A field that carries its own rule; a list default is copied for each `Settings`."""
    kind = type(default).__name__
    declared = {
        "rule": Rule(kind={"str": "text", "tuple": "list"}.get(kind, kind), sentence=sentence, **rule)
    }
    return field(default=default, metadata=declared)


@frozen
class DaemonSettings:
    port: int = _key(3100, "TCP port of the HTTP interface; 0 takes any free one", low=0, high=65535)
    hostname: str = _key("127.0.0.1", "Address to listen on", form="network name")
    log_level: str = _key(
        "info",
        "Least serious entry that is logged",
        choices=("debug", "info", "warning", "error"),
        aliases={"trace": "debug", "warn": "warning"},
    )
    log_format: str = _key(
        "auto", "Form of the log; auto: text on a terminal, else json", choices=("auto", "text", "json")
    )
    shutdown_timeout: int = _key(
        30, "Time for requests in flight when the daemon stops", low=1, high=3600, unit="seconds"
    )
    update_check: bool = _key(True, "Look for a newer version, and tell of it")
    update_check_interval: int = _key(
        86400, "Time between two looks for a newer version", low=3600, high=604800, unit="seconds"
    )
    allowed_hosts: tuple[str, ...] = _key((), "Further names that a request's Host header may carry")
    max_connections: int = _key(
        4096, "Connections open at once; more are turned away", low=16, high=65536, unit="connections"
    )
    threads: int = _key(16, "Requests worked on at once", low=1, high=256, unit="threads")
    max_request_line: int = _key(4096, "Longest request line", low=256, high=65536, unit="bytes")
    max_headers: int = _key(16384, "Largest request head", low=1024, high=1048576, unit="bytes")
    max_body: int = _key(1048576, "Largest request body", low=1024, high=67108864, unit="bytes")
    request_timeout: int = _key(5, "Time a client has to send a request", low=1, high=600, unit="seconds")
    idle_timeout: int = _key(30, "Time an idle connection is kept open", low=1, high=3600, unit="seconds")


@frozen
class DatabaseSettings:
    path: str = _key("data/waiaas.db", "Database file; relative to the data directory", form="file")


@frozen
class UpgradeSettings:
    feed_url: str = _key(
        "", "Where releases are published: https://, file://, or http:// on this machine", form="feed URL"
    )
    trusted_root: str = _key(
        "", "Root of trust to use instead of the one inside the program", form="absolute path or nothing"
    )
    channel: str = _key("stable", "Which releases are offered", choices=("stable", "rc"))
    pin: str = _key("", "Stay within this version, like 1 or 1.8; empty: no limit", form="pin")
    keep_backups: int = _key(5, "Backups that are kept", low=1, high=1000, unit="backups")
    health_timeout: int = _key(
        30, "Time a new version has to become healthy", low=1, high=3600, unit="seconds"
    )
    probation: int = _key(
        10, "Time a new version must stay healthy before the upgrade counts", low=0, high=3600, unit="seconds"
    )
    mode: str = _key(
        "self", "Who replaces the program: itself, or something outside of it", choices=("self", "external")
    )


@frozen
class Settings:
    daemon: DaemonSettings = DaemonSettings()
    database: DatabaseSettings = DatabaseSettings()
    upgrade: UpgradeSettings = UpgradeSettings()


SECTIONS: "Mapping[str, Any]" = {f.name: f.default for f in fields(Settings)}
KEYS: "Mapping[str, Key]" = {
    f"{section}.{f.name}": Key(section, f.name, f.default, f.metadata["rule"])
    for section, defaults in SECTIONS.items()
    for f in fields(defaults)
}


@frozen
class Parsed:
    """Settings with the origin of each key: flag, environment, file or default. A key with a problem
    has its default. `notices` are worth a warning, no more."""

    settings: Settings
    origins: "Mapping[str, str]"
    problems: tuple[Problem, ...] = ()
    notices: tuple[str, ...] = ()


def parse(
    text: str | None,
    environ: "Mapping[str, str]",
    flags: "Mapping[str, str]",
    *,
    lenient: bool = False,
    defaults: "Mapping[str, str] | None" = None,
) -> Parsed:
    """Merge the four sources. Never raises: everything wrong is in `problems`, all at once.

    `text` is config.toml (None: there is none), `flags` and `defaults` map "section.key" to text;
    `lenient` lets unknown keys pass with a notice (during an open run and after a roll-back).
    """
    if not flags and _says_nothing(text or "") and not any(map(_may_be_meant, environ)):
        return _as_built(defaults or {})
    from waiaas.core.settings_sources import Collector

    found = Collector(KEYS, lenient)
    found.take_texts(defaults or {}, "default")
    found.take_file(text)
    found.take_environment(environ)
    found.take_texts(flags, "flag")
    sections = {
        name: type(default)(**{k: v for (s, k), v in found.values.items() if s == name})
        for name, default in SECTIONS.items()
    }
    origins = {dotted: found.origins.get(dotted, "default") for dotted in KEYS}
    return Parsed(Settings(**sections), origins, tuple(found.problems), found.notices())


def _as_built(defaults: "Mapping[str, str]") -> Parsed:
    """Where nobody set anything, as usual. What the artefact was built with was checked by its build."""
    given: dict[str, dict[str, str]] = {section: {} for section in SECTIONS}
    for dotted, text in defaults.items():
        section, _, name = dotted.partition(".")
        given[section][name] = text
    sections = {name: type(default)(**given[name]) for name, default in SECTIONS.items()}
    return Parsed(Settings(**sections), dict.fromkeys(KEYS, "default"))


def _says_nothing(text: str) -> bool:
    """A config.toml of comments alone, as `init` makes it, takes no parser to read."""
    lines = text.replace("\r\n", "\n").replace("\t", " ").split("\n")
    return all(line.isprintable() and line.lstrip(" ")[:1] in ("", "#") for line in lines)


def variables(environ: "Mapping[str, Any]") -> "dict[str, str]":
    """The variables that set something, and nothing else of an environment. None of it is secret."""
    return {name: str(environ[name]) for name in sorted(environ) if _may_be_meant(name)}


def _may_be_meant(variable: str) -> bool:
    """Not `WAIAAS_DATA_DIR`, say, and nothing that is not ours."""
    if not variable.startswith(PREFIX):
        return False
    from waiaas.core import legacy_settings

    section = variable.removeprefix(PREFIX).partition("_")[0].lower()
    return section in SECTIONS or section in legacy_settings.SECTIONS
