"""What a source tree says about itself, asked by the project's own tools: types, security, coverage, links.

Used by the evidence bundle and by the checklist. A tool that is not installed is said to be missing; it
never counts as passed.
"""

import json
import re
import shutil
import sys
from pathlib import Path

from waiaas.core.errors import WaiaasError
from waiaas.core.value import frozen
from waiaas.core.version import Version
from waiaas.host.processes import Finished
from waiaas.release.withdrawal.outside import Outside

PATIENCE = 3600.0  # seconds for the whole suite
COVERAGE = 85  # percent
MEASURED = Path(".cache", "coverage")  # where `make coverage` leaves its reports
# `python -m MODULE` with SOURCE as the current folder: children are started without one
MODULE = (
    "import os, runpy, sys; os.chdir(sys.argv[1]); sys.path.insert(0, sys.argv[1]); "
    "sys.argv = sys.argv[2:]; runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"
)
SEVERITY = "issue_severity"  # bandit's key; its grades are LOW, MEDIUM and HIGH, there is no CRITICAL
GRADES = ("HIGH", "MEDIUM", "LOW")
TYPE_ERROR = re.compile(r": error: ")
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]+)")


@frozen
class Checked:
    """`passed`: as it should be. `text`: all that the tool said."""

    passed: bool
    observed: str
    text: str = ""


def types(outside: Outside, source: Path) -> Checked:
    """mypy, strict, with its error codes."""
    done = _module(outside, source, "mypy", "--strict", "--show-error-codes")
    errors = len(TYPE_ERROR.findall(done.stdout))
    if done.code != 0 and not errors:
        raise WaiaasError("tool-failed", f"mypy: {_last(done)}")
    return Checked(done.code == 0, f"mypy --strict: {errors} errors", done.stdout)


def security(outside: Outside, source: Path, package: str = "waiaas") -> Checked:
    """bandit's JSON; passed without a finding of grade HIGH."""
    done = _module(outside, source, "bandit", "-q", "-r", package, "-f", "json")
    try:
        results = json.loads(done.stdout)["results"]
        counts = {grade: sum(r[SEVERITY] == grade for r in results) for grade in GRADES}
    except (ValueError, KeyError, TypeError) as problem:
        raise WaiaasError("tool-failed", f"bandit: {_last(done)}") from problem
    observed = ", ".join(f"{count} {grade}" for grade, count in counts.items())
    return Checked(counts["HIGH"] == 0, f"bandit: {observed}", done.stdout)


def coverage(source: Path, html: Path) -> Checked:
    """What the last `make coverage` measured; its report is copied to `html`, which must not exist."""
    folder = source / MEASURED
    try:
        percent = float(json.loads((folder / "coverage.json").read_bytes())["totals"]["percent_covered"])
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise WaiaasError(
            "not-measured", f"no coverage in {folder}", "run `make coverage` first"
        ) from problem
    if (folder / "html").is_dir():
        shutil.copytree(folder / "html", html)
    return Checked(percent >= COVERAGE, f"coverage: {percent:.1f} % (at least {COVERAGE} %)")


def regression(outside: Outside, source: Path) -> Checked:
    """`make coverage`: every test, and the coverage gate of continuous integration."""
    done = outside.run(("make", "-C", str(source), "coverage"), PATIENCE)
    return Checked(done.code == 0, f"make coverage: exit {done.code}, {_last(done)}", done.stdout)


def links(source: Path) -> Checked:
    """Every link between the documents leads to a file."""
    documents = [*source.glob("*.md"), *source.glob("docs/*.md")]
    dead = [
        f"{document.relative_to(source)}: {name}"
        for document in documents
        for name in LINK.findall(document.read_text(encoding="utf-8"))
        if not (document.parent / name).exists()
    ]
    return Checked(not dead, f"{len(documents)} documents, dead links: {', '.join(dead) or 'none'}")


def changelog(source: Path, version: Version | None) -> Checked:
    """CHANGELOG.md has a heading for the version with the fix."""
    if version is None:
        return Checked(False, "the version with the fix is not named (--fixed-in)")
    path = source / "CHANGELOG.md"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    found = re.search(rf"^## \[?v?{re.escape(str(version))}(?![0-9.-])", text, re.MULTILINE)
    return Checked(bool(found), f"CHANGELOG.md: {found[0].strip() if found else f'no heading for {version}'}")


def commit(outside: Outside, source: Path, records: Path) -> str:
    """The last commit that changed the tree, with `+` if anything in it is not committed.

    The records do not count: they may lie in the same repository, and change while one looks.
    """
    inside = records.resolve().is_relative_to(source.resolve())
    but = (f":(exclude){records.resolve().relative_to(source.resolve())}",) if inside else ()
    git = ("git", "-C", str(source))
    head = outside.run((*git, "log", "-1", "--format=%H", "--", ".", *but))
    changed = outside.run((*git, "status", "--porcelain", "--", ".", *but))
    if head.code != 0 or changed.code != 0:
        return "unknown"
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "")


def _module(outside: Outside, source: Path, *words: str) -> Finished:
    return outside.run((sys.executable, "-c", MODULE, str(source), *words), PATIENCE)


def _last(done: Finished) -> str:
    """The last thing that a tool said."""
    said = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return said[-1][:200] if said else "it said nothing"
