"""Before the fix goes out: a list that is ticked, by machines where they can, else by name and date.

(W-17 to W-19.) A machine's tick counts for the commit that it looked at and for no other; nobody ticks
for a machine.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from waiaas.core.errors import UsageError, WaiaasError
from waiaas.core.value import frozen
from waiaas.core.version import Version
from waiaas.host.clock import iso
from waiaas.release.withdrawal import checks, texts
from waiaas.release.withdrawal.outside import Outside
from waiaas.release.withdrawal.records import Document, Shelf

KIND = "checklist"


@frozen
class Bench:
    """What the machines look at. `verify` reads the public feed as a client does."""

    shelf: Shelf
    outside: Outside
    source: Path
    fixed_in: Version | None
    verify: Callable[[], checks.Checked]


Check = Callable[[Bench, Version], checks.Checked]


@frozen
class Item:
    """One line. `check`: None where only a person can say."""

    name: str
    stage: str
    sentence: str
    check: Check | None = None


def _notice(bench: Bench, version: Version) -> checks.Checked:
    """The notice exists in each language."""
    place = bench.shelf.place(version)
    missing = [
        language
        for language in texts.LANGUAGES
        if not (place / f"notice.{language}.md").is_file()
        or str(version) not in (place / f"notice.{language}.md").read_text(encoding="utf-8")
    ]
    return checks.Checked(
        not missing, f"notice missing in: {', '.join(missing)}" if missing else "both languages"
    )


FIX, PUBLISH, APPROVAL = "fix", "before publishing", "approval"
ITEMS: dict[str, Item] = {
    item.name: item
    for item in (
        Item("reviewed", FIX, "the fix was reviewed by somebody else"),
        Item("scenario-test", FIX, "a test for what happened was added, and it fails without the fix"),
        Item("regression", FIX, "every test is green, coverage at least 85 %",
             lambda bench, _: checks.regression(bench.outside, bench.source)),
        Item("types", FIX, "mypy --strict is clean",
             lambda bench, _: checks.types(bench.outside, bench.source)),
        Item("security", FIX, "bandit finds nothing grave",
             lambda bench, _: checks.security(bench.outside, bench.source)),
        Item("staging", PUBLISH, "publishing into a staging feed worked"),
        Item("install", PUBLISH, "installed from the staging feed"),
        Item("basics", PUBLISH, "init, start, health, upgrade work after installing"),
        Item("links", PUBLISH, "links between documents lead somewhere",
             lambda bench, _: checks.links(bench.source)),
        Item("readme", PUBLISH, "the README says what is true now"),
        Item("feed", PUBLISH, "the public feed verifies, and says what is withdrawn",
             lambda bench, _: bench.verify()),
        Item("team", APPROVAL, "the team has agreed"),
        Item("notes", APPROVAL, "release notes of the fixed version are written",
             lambda bench, _: checks.changelog(bench.source, bench.fixed_in)),
        Item("issues", APPROVAL, "issues are ready to be closed"),
        Item("notice", APPROVAL, "the notice for users is ready", _notice),
    )
}  # fmt: skip


def tick(shelf: Shelf, version: Version, name: str, note: str) -> None:
    """A person says so. Raises UsageError `unknown-item`, `machine-item`."""
    if name not in ITEMS:
        raise UsageError("unknown-item", f"{name!r} is not on the list", f"one of: {', '.join(ITEMS)}")
    if ITEMS[name].check is not None:
        raise UsageError("machine-item", f"{name} is looked at by a machine", "checklist V --check")
    _keep(shelf, version, name, checks.Checked(True, note), "")


def look(bench: Bench, version: Version) -> None:
    """Let the machines look, each at the present commit, and keep what they saw."""
    commit = checks.commit(bench.outside, bench.source, bench.shelf.folder)
    for name, item in ITEMS.items():
        if item.check is not None:
            try:
                seen = item.check(bench, version)
            except WaiaasError as problem:
                seen = checks.Checked(False, problem.message)
            _keep(bench.shelf, version, name, seen, commit)


def state(shelf: Shelf, version: Version, commit: str) -> dict[str, tuple[bool, str]]:
    """Each item: whether it is ticked, and who or what says so. `commit`: the present one."""
    ticks = _ticks(shelf, version)
    return {name: _judged(item, ticks.get(name), commit) for name, item in ITEMS.items()}


def lines(states: dict[str, tuple[bool, str]]) -> list[str]:
    """The list in words."""
    said, stage = [], ""
    for name, (ticked, why) in states.items():
        item = ITEMS[name]
        said += [item.stage] if item.stage != stage else []
        stage = item.stage
        said.append(f"  [{'x' if ticked else ' '}] {name:<14} {item.sentence}: {why}")
    return said


def _judged(item: Item, tick: Document | None, commit: str) -> tuple[bool, str]:
    if tick is None:
        return False, "--check" if item.check else f"--tick {item.name} --note '…'"
    said = f"{tick['observed']} ({tick['by']}, {tick['at'][:10]})"
    if item.check is None:
        return True, said
    if tick["commit"] != commit or "+" in commit or commit == "unknown":
        return False, f"{said}, of another commit or an unclean tree: --check"
    return tick["passed"], said


def _keep(shelf: Shelf, version: Version, name: str, seen: checks.Checked, commit: str) -> None:
    clean = shelf.secrets.withheld
    found = {
        "passed": seen.passed,
        "by": shelf.author,
        "at": iso(shelf.clock.seconds()),
        "observed": clean(seen.observed),
        "commit": commit,
    }
    shelf.save(KIND, version, {"ticks": {**_ticks(shelf, version), name: found}})


def _ticks(shelf: Shelf, version: Version) -> dict[str, Any]:
    document = shelf.load(KIND, version)
    found: dict[str, Any] = document["ticks"] if document else {}
    return found
