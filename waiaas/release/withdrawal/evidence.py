"""The evidence of what went wrong, in one folder, and the root cause that it shows (W-14 to W-16).

F.records/V/evidence/build-log.txt       log of a failed release run
F.records/V/evidence/coverage/           what the tests reached, as HTML
F.records/V/evidence/types.txt           mypy, with error codes
F.records/V/evidence/security-scan.json  bandit
F.records/V/plan.en.md, plan.ko.md       what prevents it, once the root cause is named
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from waiaas.core.errors import WaiaasError
from waiaas.core.value import frozen
from waiaas.core.version import Version
from waiaas.host.clock import iso
from waiaas.release.pending import PUBLIC_DIRECTORY
from waiaas.release.withdrawal import checks, github, roots, texts
from waiaas.release.withdrawal.case import Desk
from waiaas.release.withdrawal.kinds import BY_HAND, DONE
from waiaas.release.withdrawal.report import WORKFLOW
from waiaas.release.withdrawal.words import markdown

KIND = "evidence"
FOLDER = "evidence"


@frozen
class Piece:
    """One part of the bundle. `passed`: None where it was not to be had."""

    name: str
    observed: str
    passed: bool | None


def collect(desk: Desk, version: Version, source: Path, run: int | None) -> dict[str, Any]:
    """Collect what is to be had; returns the record."""
    place = desk.shelf.place(version) / FOLDER
    desk.shelf.files.make_directory("record.folder", place, PUBLIC_DIRECTORY)
    pieces = [
        _piece("build-log", lambda: _build_log(desk, version, run)),
        _piece("coverage", lambda: _coverage(desk, source, place / "coverage")),
        _piece("types", lambda: _kept(desk, version, "types.txt", checks.types(desk.outside, source))),
        _piece(
            "security",
            lambda: _kept(desk, version, "security-scan.json", checks.security(desk.outside, source)),
        ),
    ]
    before = desk.shelf.load(KIND, version)
    document = {
        "pieces": [
            {"name": p.name, "outcome": BY_HAND if p.passed is None else DONE, "observed": p.observed}
            for p in pieces
        ],
        "suggested": suggested({piece.name: piece.passed for piece in pieces}),
        "rootCause": before["rootCause"] if before else None,
    }
    desk.shelf.save(KIND, version, document)
    return document


def suggested(passed: dict[str, bool | None]) -> str | None:
    """The class that the evidence points at; None if at none."""
    order = {"types": "type-error", "build-log": "build-error", "coverage": "missing-tests"}
    return next((name for piece, name in order.items() if passed.get(piece) is False), None)


def decide(desk: Desk, version: Version, name: str, why: str) -> dict[str, Any]:
    """Put the root cause on record, and write the prevention plan, in which people tick.

    A plan that is there already is theirs, and stays. Returns the record.
    """
    cause = roots.root_cause(name)
    before = desk.shelf.load(KIND, version) or {"pieces": [], "suggested": None}
    found = {"class": name, "why": why, "by": desk.shelf.author, "at": iso(desk.shelf.clock.seconds())}
    document = {"pieces": before["pieces"], "suggested": before["suggested"], "rootCause": _rooted(found)}
    desk.shelf.save(KIND, version, document)
    for language in texts.LANGUAGES:
        path = Path(str(version), f"plan.{language}.md")
        if not (desk.shelf.folder / path).exists():
            values = {
                "cause": cause.sentence[language],
                "prevention": cause.prevention[language],
                "why": markdown(why),
                **roots.plan(language),
            }
            desk.shelf.write(path, texts.plan(version, language, values))
    return document


def lines(document: dict[str, Any]) -> list[str]:
    """The record in words."""
    said = [f"{p['name']:<10} {p['outcome']:<8}  {p['observed']}" for p in document["pieces"]]
    found = document["rootCause"]
    if found:
        return [*said, f"root cause  {found['name']}: {found['why']}"]
    if document["suggested"]:
        return [*said, f"suggested   --class {document['suggested']} --why '…'"]
    return said


def _rooted(found: dict[str, str]) -> dict[str, str]:
    return {"name": found["class"], "why": found["why"], "by": found["by"], "at": found["at"]}


def _piece(name: str, work: Callable[[], checks.Checked]) -> Piece:
    try:
        checked = work()
    except WaiaasError as problem:
        hint = f" ({problem.hint})" if problem.hint else ""
        return Piece(name, f"{problem.message}{hint}", None)
    return Piece(name, checked.observed, checked.passed)


def _build_log(desk: Desk, version: Version, run: int | None) -> checks.Checked:
    """The log of a run: the one that is named, else the newest that failed."""
    if desk.tools.no_github:
        raise WaiaasError("unknown", desk.tools.no_github, "save a log as evidence/build-log.txt")
    repository = desk.settings.repository
    if run is None:
        failed = github.failed(desk.outside.read(github.runs(repository, WORKFLOW)), 1)
        if not failed:
            return checks.Checked(True, "no release run has failed")
        run = int(github.field(failed[0], "databaseId", int))
    log = desk.shelf.secrets.withheld(desk.outside.ask(github.run_log(repository, run)))
    desk.shelf.write(Path(str(version), FOLDER, "build-log.txt"), log)
    return checks.Checked(False, f"run {run} failed: {len(log.splitlines())} lines in build-log.txt")


def _coverage(desk: Desk, source: Path, place: Path) -> checks.Checked:
    desk.shelf.files.remove_tree("record.coverage", place)
    return checks.coverage(source, place)


def _kept(desk: Desk, version: Version, name: str, checked: checks.Checked) -> checks.Checked:
    text = desk.shelf.secrets.withheld(checked.text)
    desk.shelf.write(Path(str(version), FOLDER, name), text)
    return checked
