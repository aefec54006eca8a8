"""How a change ended, for whoever asked for it: the whole document beside an error, what an interruption
left, and the last of the events (UPGR-08, UPGR-11)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from waiaas.cli.context import Context
from waiaas.cli.output import SAID, Result
from waiaas.cli.upgrade_text import Teller
from waiaas.cli.upgrade_usage import as_root
from waiaas.core.causes import told
from waiaas.core.errors import Interrupted, RollbackFailed, RolledBack, WaiaasError
from waiaas.core.journal import Facts, record
from waiaas.core.layout import ProgramLayout
from waiaas.upgrade import book

LOOK = "`waiaas status` shows what runs"
AGAIN = f"run it again; {LOOK}"
TOLD = ("run", "from", "to", "outcome", "backup", "downtimeSeconds")  # of a document, with the last event


def with_last_event(teller: Teller, act: Callable[[], Result]) -> Result:
    """With --events stdout ends with INSTALLED, ROLLED_BACK, UP_TO_DATE or FAILED; talk goes to stderr."""
    if not teller.events:
        return act()
    try:
        result = act()
    except BaseException as problem:
        kind, data = _of_failure(problem)
        teller.event(kind, **data)
        raise
    if result.document is SAID:
        return result
    document = result.document if isinstance(result.document, dict) else {}
    teller.event(_kind(document), **{key: document.get(key) for key in TOLD})
    teller.ended(result.text)
    return Result(SAID, "", result.exit_code)


@contextmanager
def accounted(context: Context, program: ProgramLayout, *, recovering: bool) -> Iterator[None]:
    """Around a change: an error that comes out of a run brings that run's document along, and an
    interruption says what it left. `recovering`: the open run is the one that is asked about."""
    known = {r.get("run") for r in book.history(program)}
    if not recovering and (state := book.open_run(program)) is not None:
        known.add(state.run)
    try:
        yield
    except KeyboardInterrupt as problem:
        found = _made(program, known)
        interrupted = _interrupted(found)
        interrupted.about = _document(found, interrupted)
        raise interrupted from problem
    except Exception as problem:
        known_as = told(problem)
        if known_as is None:
            raise
        known_as.hint = as_root(known_as.hint, context)
        known_as.about = _document(_made(program, known), known_as)
        if known_as is problem:
            raise
        raise known_as from problem


def _made(program: ProgramLayout, known: set[object]) -> Facts | None:
    """The run that was begun since; None where nothing was."""
    with suppress(OSError, WaiaasError):
        state = book.open_run(program)
        if state is not None and state.run not in known:
            return record(state)
    made = [r for r in book.history(program) if r.get("run") not in known]
    return made[-1] if made else None


def _document(found: Facts | None, problem: WaiaasError) -> Facts:
    """The run as `--json` tells it; `cause` is what the history has as its error."""
    if found is None:
        return {}
    failed = isinstance(problem, RollbackFailed) or found["outcome"] == "open"
    return {**found, "outcome": "failed" if failed else found["outcome"], "cause": found["error"]}


def _interrupted(found: Facts | None) -> Interrupted:
    if found is None:
        return Interrupted("interrupted", "interrupted; nothing was changed", AGAIN)
    what = "roll-back" if found.get("kind") == "rollback" else "upgrade"
    match found["outcome"]:
        case "refused":
            said, hint = f" before anything was changed; {found['from']} goes on", AGAIN
        case "rolled-back":
            said, hint = f"; the {what} was undone, {found['from']} is back with its data", AGAIN
        case "committed":
            said, hint = f"; the {what} to {found['to']} is done all the same", LOOK
        case _:
            said, hint = f"; the {what} to {found['to']} is half-way", "`waiaas upgrade --recover`"
    return Interrupted("interrupted", f"interrupted{said}", hint)


def _kind(document: Facts) -> str:
    match document.get("outcome"):
        case "committed":
            return "ROLLED_BACK" if document.get("kind") == "rollback" else "INSTALLED"
        case "rolled-back":
            return "ROLLED_BACK"
    return "UP_TO_DATE"


def _of_failure(problem: BaseException) -> tuple[str, Facts]:
    known = told(problem) if isinstance(problem, Exception) else None
    if known is None:
        code = "interrupted" if isinstance(problem, KeyboardInterrupt) else "bug"
        known = WaiaasError(code, f"{type(problem).__name__}: {problem}")
    document = known.to_json()
    back = isinstance(known, RolledBack) or document.get("outcome") == "rolled-back"
    data = {key: document[key] for key in (*TOLD, "error") if key in document}
    return "ROLLED_BACK" if back else "FAILED", data
