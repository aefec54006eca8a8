"""The run record: what each step saw when it had ended, and when. One JSON file a run.

Reading validates, writing too: a record that holds a secret of the environment, or the beginning of
a private key, is not written.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from waiaas.core.errors import WaiaasError
from waiaas.core.value import asdict, frozen
from waiaas.host.files import Files
from waiaas.release.withdrawal.secrets import Secrets

FILE = "record.json"
FORMAT = 1
PUBLIC_MODE = 0o644
KINDS: dict[str, type | tuple[type, ...]] = {
    "step": str, "outcome": str, "observed": dict, "at": str, "seconds": (int, float),
}  # fmt: skip


@frozen
class Entry:
    """`at`: when the step began, in UTC; `observed`: what was looked at after it, by name."""

    step: str
    outcome: str
    observed: Mapping[str, str]
    at: str
    seconds: float


class Record:
    """The entries of all attempts at one release, oldest first."""

    def __init__(self, folder: Path, subject: Mapping[str, str], files: Files, secrets: Secrets) -> None:
        self.path = folder / FILE
        self._subject = dict(subject)
        self._files = files
        self._secrets = secrets
        self.entries = read(self.path) if self.path.is_file() else []

    def add(self, entry: Entry) -> None:
        """Keep one more entry, durably."""
        document = {
            "format": FORMAT,
            **self._subject,
            "steps": [asdict(kept) for kept in (*self.entries, entry)],
        }
        text = json.dumps(document, indent=1) + "\n"
        self._secrets.refuse("the run record", text)
        validate(document)
        self._files.write("deploy.record", self.path, text.encode(), PUBLIC_MODE)
        self.entries.append(entry)


def read(path: Path) -> list[Entry]:
    """The entries of a record; raises WaiaasError `bad-record`."""
    try:
        document = json.loads(path.read_bytes())
        validate(document)
    except (OSError, ValueError) as problem:
        raise WaiaasError("bad-record", f"{path} is no run record: {problem}", "move it away") from problem
    return [Entry(**step) for step in document["steps"]]


def validate(document: Any) -> None:
    """Raise ValueError saying what is wrong with a record."""
    whole = isinstance(document, dict)
    steps = document.get("steps") if whole else None
    problems = {
        f"its format is not {FORMAT}": not whole or document.get("format") != FORMAT,
        "it has no list of steps": not isinstance(steps, list),
    }
    for step in steps if isinstance(steps, list) else []:
        problems |= _problems(step)
    for sentence, wrong in problems.items():
        if wrong:
            raise ValueError(sentence)


def _problems(step: Any) -> dict[str, bool]:
    if not isinstance(step, dict) or set(step) != set(KINDS):
        return {f"a step has other fields than {', '.join(KINDS)}": True}
    kinds = {f"{name} is no {kind}": not _is(step[name], kind) for name, kind in KINDS.items()}
    words = (
        [word for pair in step["observed"].items() for word in pair] if _is(step["observed"], dict) else []
    )
    return {**kinds, "observed holds something that is no text": not all(_is(word, str) for word in words)}


def _is(value: object, kind: type | tuple[type, ...]) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)
