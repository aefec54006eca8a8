"""`waiaas config show|get|set|validate|path`: what is in force, and where each value comes from."""

import stat
from pathlib import Path

from waiaas.cli.output import Result
from waiaas.cli.table import table
from waiaas.core.errors import Exit, UsageError
from waiaas.core.layout import FILE_MODE
from waiaas.core.settings import KEYS, Settings, parse
from waiaas.core.settings_rules import BadValue, Key, shown

TYPE_CHECKING = False  # importing `typing` is one of the things that every command saves (PRF-3)
if TYPE_CHECKING:
    import argparse
    from typing import Any

    from waiaas.cli.context import Context, Loaded

KEPT = ".before-set"  # suffix of the first copy that `set` keeps; the next has `.2` behind it
MOST_KEPT = 5


def run(args: "argparse.Namespace", context: "Context") -> Result:
    loaded = context.load(broken_ok=True)
    match args.action:
        case "show":
            return _show(loaded, _excuse(context, loaded))
        case "get":
            key = _known(args.key)
            value = _value(loaded.settings, key)
            text = shown(value) if isinstance(value, bool | tuple) else str(value)
            document = {"key": key.dotted, "value": value, "origin": _origin(loaded, key)}
            return Result(document, text, _excuse(context, loaded))
        case "set":
            return _set(context, loaded, _known(args.key), args.value)
        case "validate":
            return _validate(context, loaded)
    return Result({"config": str(loaded.layout.config)}, str(loaded.layout.config))


def _excuse(context: "Context", loaded: "Loaded") -> Exit:
    """What is shown is not what the daemon would start on: it would not start (SPEC §5)."""
    if not (count := len(loaded.parsed.problems)):
        return Exit.OK
    many = "1 problem" if count == 1 else f"{count} problems"
    context.out.warn(f"{many} in the settings; a key with one shows its default: `waiaas config validate`")
    return Exit.USAGE


def _show(loaded: "Loaded", code: Exit) -> Result:
    rows = [
        (k.dotted, shown(_value(loaded.settings, k)), _origin(loaded, k), k.rule.unit) for k in KEYS.values()
    ]
    document = {
        k.dotted: {"value": _value(loaded.settings, k), "origin": _origin(loaded, k), "default": k.default}
        for k in KEYS.values()
    }
    return Result(document, table(("setting", "value", "from", "unit"), rows), code)


def _validate(context: "Context", loaded: "Loaded") -> Result:
    found, notices = loaded.parsed.problems, loaded.parsed.notices
    document = {
        "valid": not found,
        "problems": [{"line": p.line, "key": p.key, "message": p.message, "hint": p.hint} for p in found],
        "notices": list(notices),
    }
    for notice in notices:
        context.out.warn(notice)
    text = "\n".join(str(problem) for problem in found) or f"{loaded.layout.config} is valid"
    return Result(document, text, Exit.USAGE if found else Exit.OK)


def _set(context: "Context", loaded: "Loaded", key: Key, text: str) -> Result:
    """Refuses a value that the daemon would not start on; keeps the file as it was beside it."""
    from waiaas.core.settings_values import from_text

    try:
        value = from_text(key.rule, text)
    except BadValue as problem:
        raise UsageError(
            "bad-value", f"{key.dotted} must be {problem}", f"the default is {shown(key.default)}"
        ) from problem
    before = _read(loaded)
    kept = _write(context, loaded, before, _with(before, key, value))
    if _origin(context.load(broken_ok=True), key) != "file":
        there = f"{key.variable}={context.host.environ.get(key.variable, '')}"
        context.out.warn(f"{there} in the environment is stronger; unset it")
    document = {
        "key": key.dotted,
        "value": value,
        "config": str(loaded.layout.config),
        "kept": kept and str(kept),
    }
    since = "at once" if key.section == "upgrade" else "from the next start of the daemon on"
    copied = f"\nthe file as it was, comments and all, is in {kept}" if kept else ""
    return Result(document, f"{key.dotted} = {shown(value)}; it counts {since}{copied}")


def _read(loaded: "Loaded") -> str:
    try:
        return loaded.layout.config.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return ""


def _with(before: str, key: Key, value: "Any") -> str:
    import tomllib

    import tomli_w

    try:
        document = tomllib.loads(before)
    except tomllib.TOMLDecodeError as problem:
        raise UsageError(
            "bad-settings", f"config.toml is no valid TOML: {problem}", "waiaas config validate"
        ) from problem
    alone = before.strip() and not document
    comments = before.rstrip() + "\n\n" if alone else ""  # as of `init`; between keys they are lost
    section = document.setdefault(key.section, {})
    if not isinstance(section, dict):
        raise UsageError("bad-settings", f"{key.section} must be a section", "waiaas config validate")
    section[key.name] = list(value) if isinstance(value, tuple) else value
    after = comments + tomli_w.dumps(document)
    found = [p for p in parse(after, {}, {}).problems if p.key == key.dotted]
    if found:
        raise UsageError("bad-value", found[0].message, found[0].hint)
    return after


def _write(context: "Context", loaded: "Loaded", before: str, after: str) -> Path | None:
    """Where the copy of the file as it was is, if there was one."""
    path = loaded.layout.config
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else FILE_MODE
    kept = _copy_of(path) if before else None
    if kept:
        context.host.files.write("config.keep", kept, before.encode(), mode)
    context.host.files.write("config.set", path, after.encode(), mode)
    return kept


def _copy_of(path: Path) -> Path:
    """The first copies stay, with what people wrote into the file; of those beyond, only the newest."""
    names = [path.with_name(path.name + KEPT + (f".{n}" if n > 1 else "")) for n in range(1, MOST_KEPT + 1)]
    return next((name for name in names if not name.exists()), names[-1])


def _known(dotted: str) -> Key:
    if dotted in KEYS:
        return KEYS[dotted]
    from waiaas.cli.parser import nearest

    near = nearest(dotted, KEYS)
    hint = f"did you mean {near}?" if near else "`waiaas config show` lists them"
    raise UsageError("unknown-setting", f"there is no setting {dotted}", hint)


def _value(settings: Settings, key: Key) -> "Any":
    return getattr(getattr(settings, key.section), key.name)


def _origin(loaded: "Loaded", key: Key) -> str:
    return loaded.parsed.origins[key.dotted]
