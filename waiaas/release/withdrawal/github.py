"""GitHub through its own `gh`: command lines as values, and what its answers mean."""

import json
from pathlib import Path
from typing import Any

from waiaas.core.errors import WaiaasError
from waiaas.core.version import Version
from waiaas.release.withdrawal.outside import Argv, Outside

LABELS = {"release": ("0e8a16", "About a release"), "critical": ("b60205", "Needs action now")}
ISSUES = 300  # the newest ones, among which the issue of a withdrawal is looked for


def tag(version: Version) -> str:
    return f"v{version}"


def signed_in() -> Argv:
    return ("gh", "auth", "status")


def labels(repository: str) -> Argv:
    return ("gh", "label", "list", "--repo", repository, "--limit", "1000", "--json", "name")


def make_label(repository: str, name: str) -> Argv:
    colour, sentence = LABELS[name]
    return ("gh", "label", "create", name, "--repo", repository, "--color", colour, "--description", sentence)


def issues(repository: str, state: str, fields: str, limit: int = ISSUES) -> Argv:
    words = ("--state", state, "--limit", str(limit), "--json", fields)
    return ("gh", "issue", "list", "--repo", repository, *words)


def issue(repository: str, number: int) -> Argv:
    fields = "number,title,url,body,labels,state,comments"
    return ("gh", "issue", "view", str(number), "--repo", repository, "--json", fields)


def make_issue(repository: str, title: str, body: Path) -> Argv:
    words = tuple(word for name in LABELS for word in ("--label", name))
    return ("gh", "issue", "create", "--repo", repository, "--title", title, "--body-file", str(body), *words)


def edit_issue(repository: str, number: int, title: str, body: Path) -> Argv:
    words = ("--title", title, "--body-file", str(body), "--add-label", ",".join(LABELS))
    return ("gh", "issue", "edit", str(number), "--repo", repository, *words)


def comment(repository: str, number: int, body: Path) -> Argv:
    return ("gh", "issue", "comment", str(number), "--repo", repository, "--body-file", str(body))


def release(repository: str, version: Version) -> Argv:
    fields = "tagName,name,body,url,isDraft,isPrerelease"
    return ("gh", "release", "view", tag(version), "--repo", repository, "--json", fields)


def edit_release(repository: str, version: Version, title: str, notes: Path) -> Argv:
    words = ("--title", title, "--notes-file", str(notes))
    return ("gh", "release", "edit", tag(version), "--repo", repository, *words)


def latest(repository: str) -> Argv:
    return ("gh", "api", f"repos/{repository}/releases/latest")


def make_latest(repository: str, version: Version) -> Argv:
    return ("gh", "release", "edit", tag(version), "--repo", repository, "--latest")


def releases(repository: str) -> Argv:
    """With the download count of each asset."""
    return ("gh", "api", f"repos/{repository}/releases?per_page=100")


def runs(repository: str, workflow: str) -> Argv:
    """The newest runs; Debian's `gh` cannot list the failed ones alone."""
    fields = "databaseId,displayTitle,headBranch,createdAt,url,conclusion"
    return (
        "gh",
        "run",
        "list",
        "--repo",
        repository,
        "--workflow",
        workflow,
        "--limit",
        "100",
        "--json",
        fields,
    )


def failed(found: Any, limit: int) -> list[Any]:
    """Those of `runs` that failed, the newest first."""
    return [run for run in found if field(run, "conclusion", str) == "failure"][:limit]


def run_log(repository: str, run: int) -> Argv:
    return ("gh", "run", "view", str(run), "--repo", repository, "--log")


def at_hand(outside: Outside) -> str:
    """ "" if `gh` is here and signed in; else what is missing."""
    if not outside.has("gh"):
        return "gh is not installed"
    return "" if outside.run(signed_in()).code == 0 else "gh is not signed in (gh auth login)"


def same_text(one: str, other: str) -> bool:
    """GitHub gives texts back with its own line ends, and without what surrounds them."""
    return one.replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()


def field(document: Any, name: str, kind: type) -> Any:
    """One field of an answer; raises WaiaasError `tool-failed` if it is not there as expected."""
    value = document.get(name) if isinstance(document, dict) else None
    if not isinstance(value, kind):
        shown = json.dumps(document)[:80]
        raise WaiaasError("tool-failed", f"gh answered without {name}: {shown}", "is gh up to date?")
    return value
