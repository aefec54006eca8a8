"""Asking another version to do its own version's work (`waiaas step …`), and reading its answer.

The old program supervises; the new file rehearses, migrates and verifies. The verbs and the JSON
they answer are a wire format between two versions: fields may be added, never renamed.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from waiaas.core.errors import Busy, Exit, SchemaIncompatible, WaiaasError
from waiaas.core.journal import Facts
from waiaas.host.processes import Finished
from waiaas.upgrade import keeper
from waiaas.upgrade.transaction import Run

KINDS: dict[int, type[WaiaasError]] = {Exit.SCHEMA: SchemaIncompatible, Exit.BUSY: Busy}  # what it says
ELSEWHERE = Exit.NOT_READY  # of a child that waited: it does not run from the file it should vouch for
PATIENCE = 3600.0  # seconds for a child that copies and migrates a large database


def ask(run: Run, program: Path, verb: str, *arguments: str, timeout: float = PATIENCE) -> Facts:
    """Run `program step VERB` on our data directory and return the document it prints.

    Raises the child's own error with its code, or `child-failed` when it does not answer.
    """
    argv = run.host.program.version_at(program, *_where(run), "--json", "step", verb, *arguments)
    return _answer(verb, run.host.processes.run(argv, timeout, owner=run.owner))


def prepare(run: Run, program: Path, verb: str) -> None:
    """Start `program step VERB` ahead of its time, so that it has read its modules when it is `called`:
    while nobody is served, reading them would be most of what it does (PRF-10). Until then it touches
    nothing of the data, and it dies with us."""
    argv = command_line(run, program, "--json", "step", verb, "--wait")
    run.waiting = run.host.processes.begin(argv, owner=run.owner)


def called(run: Run, program: Path, verb: str) -> Facts:
    """`ask`, where the answer may come from a child that was prepared. That one answers only if the file it
    runs from lies at the program's path now; else, or where it does not know how to wait, another one is
    asked."""
    if run.waiting is not None:
        with run.waiting as begun:
            run.waiting = None
            begun.go_on()
            finished = begun.end(PATIENCE)
        if finished.code not in (ELSEWHERE, Exit.USAGE):
            return _answer(verb, finished)
    return ask(run, program, verb)


def dismiss(run: Run) -> None:
    """Nobody waits any more."""
    if run.waiting is not None:
        run.waiting.close()
        run.waiting = None


def keep(run: Run, verb: str, **arguments: Any) -> Facts:
    """Do something inside the data directory as its owner: here, or in a child that became it."""
    if run.owner is None:
        return keeper.perform(run.host, run.layout, verb, arguments)
    words = (*_where(run), "--json", "step", "keep", "--task", verb, "--arguments", json.dumps(arguments))
    argv, descriptors = run.host.program.same_version(*words)
    return _answer(verb, run.host.processes.run(argv, PATIENCE, descriptors, owner=run.owner))


def record(run: Run) -> None:
    """Have whatever program now lies at the path enter the closed runs into the audit log, in the
    terms of its own schema. Never a reason to fail: the next daemon start does it too (UPGR-08)."""
    try:
        ask(run, run.program.program, "record", timeout=60.0)
    except (WaiaasError, OSError) as problem:
        run.report.note(f"the audit log will be completed at the next start ({problem})")


def command_line(run: Run, program: Path, *arguments: str) -> list[str]:
    """argv that starts `program` on our data directory."""
    return run.host.program.version_at(program, *_where(run), *arguments)


def _where(run: Run) -> Sequence[str]:
    return ("--data-dir", str(run.layout.data_dir), "--config", str(run.layout.config))


def _answer(verb: str, finished: Finished) -> Facts:
    document = _document(finished.stdout)
    if finished.code == 0 and document is not None:
        return document
    error = (document or {}).get("error")
    if isinstance(error, dict):
        kind = KINDS.get(finished.code, WaiaasError)
        raise kind(str(error.get("code")), str(error.get("message")), str(error.get("hint", "")))
    how = f"exit code {finished.code}" if finished.code >= 0 else f"signal {-finished.code}"
    last = (finished.stderr.strip().splitlines() or ["it said nothing"])[-1]
    raise WaiaasError(
        "child-failed",
        f"the new version's “{verb}” ended with {how}: {last[:300]}",
        "the version you have goes on; tell the maintainers of the new one",
    )


def _document(text: str) -> dict[str, Any] | None:
    try:
        document = json.loads(text)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
