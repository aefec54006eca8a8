"""The run record of a withdrawal: written after every step, with what that step observed."""

from collections.abc import Callable, Mapping
from typing import Any

from waiaas.core.errors import WaiaasError
from waiaas.core.version import Version
from waiaas.host.clock import iso
from waiaas.release.withdrawal.case import Seen
from waiaas.release.withdrawal.kinds import BY_HAND, DONE, FAILED
from waiaas.release.withdrawal.records import Document, Shelf

KIND = "withdrawal"


class Log:
    """The record of `version`; `seen` holds the steps of this run and, until they come, of the last.

    `head` is what the record says above its steps.
    """

    def __init__(self, shelf: Shelf, version: Version) -> None:
        self._shelf = shelf
        self._version = version
        self.before: Document | None = shelf.load(KIND, version)
        steps = self.before["steps"] if self.before else []
        self._steps: dict[str, Mapping[str, Any]] = {step["name"]: step for step in steps}
        self.seen = {name: _seen(step) for name, step in self._steps.items()}
        self.head: Mapping[str, Any] = {}

    def attempt(self, name: str, work: Callable[[], Seen]) -> Seen:
        """Do one step and record what it observed; a failure is recorded as one, and returned."""
        try:
            return self.note(name, work())
        except (WaiaasError, OSError) as problem:
            return self.note(name, failure(problem))

    def note(self, name: str, seen: Seen) -> Seen:
        """Record a step. What other programs said is kept without lines that look like a secret."""
        clean = self._shelf.secrets.withheld
        seen = Seen(seen.outcome, clean(seen.observed), clean(seen.todo), clean(seen.reference))
        if self.seen.get(name) != seen:
            self._steps[name] = {"name": name, **vars(seen), "at": iso(self._shelf.clock.seconds())}
        self.seen[name] = seen
        references = sorted({one.reference for one in self.seen.values() if one.reference})
        self._shelf.save(KIND, self._version, {**self.head, "steps": list(self._steps.values())}, references)
        return seen

    @property
    def failed(self) -> bool:
        return any(seen.outcome == FAILED for seen in self.seen.values())

    @property
    def left(self) -> dict[str, str]:
        """What is left to a person, by step."""
        return {name: seen.todo for name, seen in self.seen.items() if seen.outcome in (BY_HAND, FAILED)}


def failure(problem: WaiaasError | OSError) -> Seen:
    if isinstance(problem, WaiaasError):
        return Seen(FAILED, problem.message, problem.hint)
    return Seen(FAILED, str(problem) or type(problem).__name__)


def is_marked(shelf: Shelf, version: Version) -> bool:
    """Whether a withdrawal of the version is on record as done in the feed."""
    record = shelf.load(KIND, version)
    steps = record["steps"] if record else []
    return any(step["name"] == "feed" and step["outcome"] == DONE for step in steps)


def _seen(step: Mapping[str, Any]) -> Seen:
    return Seen(step["outcome"], step["observed"], step["todo"], step["reference"])
