"""Reading the four sources of settings into one collection of values, origins and problems."""

import tomllib
from collections.abc import Iterable, Mapping

from waiaas.core import legacy_settings
from waiaas.core.settings import PREFIX
from waiaas.core.settings_rules import BadValue, Key, Problem, shown
from waiaas.core.settings_values import accept, from_text

TYPE_CHECKING = False  # importing `typing` is one of the things that every command saves (PRF-3)
if TYPE_CHECKING:
    from typing import Any

DUPLICATES = {
    "Cannot overwrite": "this key stands twice; keep one of them",
    "Cannot declare": "this section stands twice; put its keys together",
}


class Collector:
    """Takes the sources from the weakest to the strongest; a later one wins."""

    def __init__(self, keys: Mapping[str, "Key"], lenient: bool) -> None:
        self.values: dict[tuple[str, str], Any] = {}
        self.origins: dict[str, str] = {}
        self.problems: list[Problem] = []
        self._keys = keys
        self._sections = dict.fromkeys(k.section for k in keys.values())
        self._lenient = lenient
        self._legacy: list[str] = []
        self._passed: list[str] = []

    def notices(self) -> tuple[str, ...]:
        """One notice for all legacy keys together, and one for each unknown key that was let pass."""
        legacy = list(dict.fromkeys(self._legacy))
        told = f"settings of the previous implementation are ignored: {', '.join(legacy)}"
        return ((told,) if legacy else ()) + tuple(self._passed)

    def take_texts(self, texts: Mapping[str, str], origin: str) -> None:
        """`section.key` → text, from flags or from the build."""
        for dotted, text in texts.items():
            if dotted in self._keys:
                self._take(self._keys[dotted], text, origin, dotted)
            else:
                self._unknown(None, dotted, dotted, self._keys)

    def take_environment(self, environ: Mapping[str, str]) -> None:
        """`WAIAAS_<SECTION>_<KEY>`. A variable whose first word is no section is no setting; an empty
        one is unset, but where empty text means something."""
        for name in sorted(environ):
            section, _, key = name.removeprefix(PREFIX).lower().partition("_")
            if not name.startswith(PREFIX) or not key:
                continue
            if legacy_settings.is_legacy(section, key):
                self._legacy.append(name)
            elif section in self._sections:
                self._take_variable(name, f"{section}.{key}", environ[name])

    def _take_variable(self, name: str, dotted: str, text: str) -> None:
        setting = self._keys.get(dotted)
        if setting is None:
            known = [k.variable for k in self._keys.values()]
            self._unknown(None, name, name, known)
        elif text or (setting.rule.kind == "text" and not setting.default):
            self._take(setting, text, "environment", name)

    def take_file(self, text: str | None) -> None:
        if text is None:
            return
        document, skipped = self._document(text)
        for section, content in document.items():
            if section in skipped or section in legacy_settings.SECTIONS:
                self._legacy.extend([f"[{section}]"] * (section not in skipped))
            elif section not in self._sections:
                self._unknown_section(text, section, content)
            elif isinstance(content, dict):
                self._take_section(text, section, content)
            else:
                line = _line_of(text, "", section) or _line_of(text, section, "")
                hint = f"write [{section}] on a line of its own, and its keys below"
                self._problem(line, section, f"{section} must be a section", hint)
        self.problems.sort(key=lambda found: (found.line is not None, found.line or 0))

    def _document(self, text: str) -> "tuple[dict[str, Any], set[str]]":
        """What can be read of it, and the names of sections whose header could not be read."""
        try:
            return tomllib.loads(text), set()
        except (ValueError, RecursionError):
            from waiaas.core.settings_text import read

            document, broken, skipped = read(text)
        for line, message in broken:
            self._problem(line, "", message, _mending(message))
        return document, skipped

    def _take_section(self, text: str, section: str, content: "Mapping[str, Any]") -> None:
        for key, value in content.items():
            dotted = f"{section}.{key}"
            if dotted in self._keys:
                self._take(self._keys[dotted], value, "file", dotted, text=text)
            elif legacy_settings.is_legacy(section, key):
                self._legacy.append(dotted)
            else:
                near = [k.dotted for k in self._keys.values()]
                self._unknown(_line_of(text, section, key), dotted, dotted, near)

    def _unknown_section(self, text: str, name: str, content: "Any") -> None:
        if isinstance(content, dict):
            line = _line_of(text, name, "")
            self._unknown(line, name, f"[{name}]", [f"[{s}]" for s in self._sections])
            return
        home = [k.section for k in self._keys.values() if k.name == name]
        hint = f"move it below [{home[0]}]" if home else "every key belongs below a [section]"
        self._problem(_line_of(text, "", name), name, f"{name} stands outside of any section", hint)

    def _take(self, key: "Key", value: "Any", origin: str, told: str, *, text: str | None = None) -> None:
        """`text`: the file that it stands in, so that it has its type already, and a line."""
        try:
            accepted = from_text(key.rule, value) if text is None else accept(key.rule, value)
        except BadValue as problem:
            line = None if text is None else _line_of(text, key.section, key.name)
            self._problem(line, told, f"{told} must be {problem}", f"the default is {shown(key.default)}")
            return
        self.values[key.section, key.name] = accepted
        self.origins[key.dotted] = origin

    def _unknown(self, line: int | None, key: str, told: str, known: Iterable[str]) -> None:
        if self._lenient:
            self._passed.append(f"{told} is unknown to this version and ignored")
            return
        from difflib import get_close_matches

        near = get_close_matches(told, list(known), 1, 0.6)
        hint = f"did you mean {near[0]}?" if near else "`waiaas config show` lists every setting"
        self._problem(line, key, f"{told} is unknown", hint)

    def _problem(self, line: int | None, key: str, message: str, hint: str) -> None:
        self.problems.append(Problem(line, key, message, hint))


def _line_of(text: str, section: str, key: str) -> int | None:
    from waiaas.core.settings_text import line_of

    return line_of(text, section, key)


def _mending(message: str) -> str:
    for start, hint in DUPLICATES.items():
        if message.startswith(start):
            return hint
    return "a text, an array or a header on this line, or just above, is not closed"
