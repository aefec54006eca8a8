"""The write-ahead journal of an upgrade run: its events, and what they add up to.

The journal is a wire format between two versions of the program: the old one writes it, the new one
may have to finish it. It is a sequence of JSON lines, each one appended and fsynced *before* the
act it announces, but `done`, `undone` and `closed`, which tell of the act just finished:

    opened   plan of the run (format, kind, versions, digests, paths)
    intent   a step is about to act; `facts` hold everything its undo will need
    done     it has acted; `facts` hold what later steps need
    failed   it could not; `facts` hold the error
    attempt  somebody begins to recover; bounded, so that no restart loop can form (UPGR-13)
    undone   a step is as if it had never begun
    committed  the point of no return: from here on the run is only ever finished, never undone
    closed   outcome known; nothing left but to move the run into the history

`fold` is the whole state machine: position = state, journal = transitions.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from waiaas.core.errors import RollbackFailed
from waiaas.core.value import field, frozen, replace

FORMAT = 1
LAST_TIME = 1e11  # Unix seconds; no clock is that far ahead
MAX_ATTEMPTS = 8  # recoveries of one run before a person is asked
NAMES = ("opened", "intent", "done", "failed", "attempt", "undone", "committed", "closed")

Facts = dict[str, Any]


@frozen
class Event:
    """One line. `at` is Unix seconds; `step` is empty for events of the whole run."""

    name: str
    at: float
    step: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def encode(self) -> bytes:
        document: Facts = {"event": self.name, "at": round(self.at, 3)}
        if self.step:
            document["step"] = self.step
        if self.facts:
            document["facts"] = dict(self.facts)
        return json.dumps(document, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def decode(content: bytes) -> list[Event]:
    """The events of a journal. A last line without its newline was torn by a power cut and never
    counted. Raises `RollbackFailed` for anything else that cannot be read, changing nothing."""
    lines = content.split(b"\n")[:-1]
    return [_event(line) for line in lines]


def _event(line: bytes) -> Event:
    try:
        document = json.loads(line)
        return _read(document)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as problem:
        raise RollbackFailed(
            "journal-damaged",
            "the upgrade journal cannot be read, so nothing was touched",
            "keep .waiaas/journal for the maintainers; see docs/operate.md, “A damaged journal”",
        ) from problem


def _read(document: Facts) -> Event:
    name, at = document["event"], float(document["at"])
    step, facts = document.get("step", ""), document.get("facts", {})
    if name not in NAMES or not isinstance(step, str) or not isinstance(facts, dict):
        raise ValueError(name)
    if not abs(at) < LAST_TIME:  # NaN is not either
        raise ValueError(at)
    return Event(name, at, step, facts)


@frozen
class StepState:
    """How far one step has come: `state` is intent, done, failed or undone."""

    name: str
    state: str
    began: float
    ended: float
    facts: Facts


@frozen
class OpenRun:
    """What a journal adds up to. `plan` is the `opened` event's facts."""

    run: str
    plan: Facts
    opened: float
    steps: tuple[StepState, ...] = ()
    committed: bool = False
    outcome: str | None = None
    attempts: int = 0
    error: Facts | None = None
    touched: float = 0.0

    @property
    def to_undo(self) -> tuple[StepState, ...]:
        """Steps that may have left something behind, newest first."""
        return tuple(s for s in reversed(self.steps) if s.state != "undone")

    def facts_of(self, step: str) -> Facts:
        """What is known of a step: its intent, completed by its result."""
        return next((s.facts for s in self.steps if s.name == step), {})

    def began(self, step: str) -> float:
        """When the step announced itself, Unix seconds; now where it never did."""
        return next((s.began for s in self.steps if s.name == step), self.touched)

    def reached(self, step: str) -> bool:
        return any(s.name == step and s.state in ("intent", "done") for s in self.steps)


def fold(events: Iterable[Event]) -> OpenRun | None:
    """The state after these events; None for an empty journal."""
    state: OpenRun | None = None
    for event in events:
        state = _opened(event) if state is None else _next(state, event)
    return state


def _opened(event: Event) -> OpenRun:
    plan = dict(event.facts)
    if event.name != "opened" or "run" not in plan:
        raise RollbackFailed(
            "journal-damaged",
            "the upgrade journal does not begin with a plan, so nothing was touched",
            "keep .waiaas/journal for the maintainers; see docs/operate.md, “A damaged journal”",
        )
    if plan.get("format") != FORMAT:
        raise RollbackFailed(
            "journal-from-the-future",
            f"the open upgrade run was written by a newer version (format {plan.get('format')})",
            "let that version finish it: .waiaas/waiaas.previous or the newer file, `upgrade --recover`",
        )
    return OpenRun(str(plan["run"]), plan, event.at, touched=event.at)


def _next(state: OpenRun, event: Event) -> OpenRun:
    state = replace(state, touched=event.at)
    match event.name:
        case "intent":
            begun = StepState(event.step, "intent", event.at, event.at, dict(event.facts))
            return replace(state, steps=(*state.steps, begun))
        case "done" | "failed" | "undone":
            steps = tuple(_advance(s, event) if s.name == event.step else s for s in state.steps)
            error = {**event.facts, "step": event.step} if event.name == "failed" else state.error
            return replace(state, steps=steps, error=error)
        case "attempt":
            return replace(state, attempts=state.attempts + 1)
        case "committed":
            return replace(state, committed=True)
        case "closed":
            return replace(state, outcome=str(event.facts.get("outcome", "failed")))
    return state


def _advance(step: StepState, event: Event) -> StepState:
    facts = step.facts if event.name == "failed" else {**step.facts, **event.facts}
    return replace(step, state=event.name, ended=event.at, facts=facts)


def record(state: OpenRun) -> Facts:
    """The run as `upgrade --json` and `--history --json` tell it (SPEC §4)."""
    start = state.facts_of("start")
    return {
        "run": state.run,
        "kind": state.plan.get("kind", "upgrade"),
        "from": state.plan.get("from"),
        "to": state.plan.get("to"),
        "outcome": state.outcome or ("committed" if state.committed else "open"),
        "steps": [
            {"name": s.name, "outcome": s.state, "seconds": round(max(0.0, s.ended - s.began), 3)}
            for s in state.steps
        ],
        "backup": state.facts_of("backup").get("backup"),
        "downtimeSeconds": start.get("downtime"),
        "error": state.error,
        "startedAt": state.opened,
        "finishedAt": state.touched,
        "dataDir": state.plan.get("dataDir"),
        "undoes": state.plan.get("undoes"),
        "dataFrom": state.plan.get("dataFrom"),
        "rowsLost": state.plan.get("rowsLost"),
        "program": state.plan.get("program"),
        "oldDigest": state.plan.get("oldDigest"),
        "newDigest": state.plan.get("newDigest"),
        "migrated": bool(state.plan.get("migrating")),
    }


def to_roll_back(history: Sequence[Facts], data_dir: str) -> Facts | None:
    """The newest committed upgrade of this data directory that no roll-back has undone (UPGR-04).

    `history` is oldest first. A second roll-back therefore goes one run further back, never forth.
    """
    mine = [r for r in history if r.get("dataDir") == data_dir and r.get("outcome") == "committed"]
    undone = [r.get("undoes") for r in mine if r.get("kind") == "rollback"]
    upgrades = [r for r in mine if r.get("kind") == "upgrade" and r.get("run") not in undone]
    return upgrades[-1] if upgrades else None
