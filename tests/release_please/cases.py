"""Commits and the version that they make: the table that the real release-please is held against.

`python -m tests.release_please.cases` runs it and prints the table: commits, version, files."""

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.release_please.scratch import ROOT, Scratch, git

NODE = ROOT / ".venv/bin/node"
TOOLS = ROOT / ".cache/npm/node_modules"
PROPOSE = Path(__file__).with_name("propose.cjs")


@dataclass(frozen=True)
class Case:
    """`commits` on top of the release `base`, oldest first; `makes` None: no release at all.

    `entry` is the changelog entry: headings and what stands below them, without links."""

    base: str
    commits: tuple[str, ...]
    makes: str | None
    entry: dict[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    rc_line: bool = False

    @property
    def release(self) -> str:
        return self.base + (" (rc line)" if self.rc_line else "")

    @property
    def shown(self) -> list[str]:
        """The messages, each in one line."""
        return [" ⏎ ".join(message.split("\n\n")) for message in self.commits]


@dataclass(frozen=True)
class Outcome:
    """`before` and `after` are the files of the tree that release-please would write."""

    shas: tuple[str, ...]
    proposal: dict[str, Any] | None
    before: dict[str, str]
    after: dict[str, str]

    @property
    def changed(self) -> set[str]:
        return {path for path, text in self.after.items() if text != self.before[path]}


BREAKING = "⚠ BREAKING CHANGES"
ANOTHER = {BREAKING: ("another page",), "Added": ("another page",)}
FOOTER = "fix: drop port 80\n\nNobody used it.\n\n{}: clients must use 443"
CASES = (
    Case("1.8.0", ("fix: close the file",), "1.8.1", {"Fixed": ("close the file",)}),
    Case("1.8.0", ("fix(store): close the file",), "1.8.1", {"Fixed": ("**store:** close the file",)}),
    Case("1.8.0", ("perf: read once",), "1.8.1", {"Changed": ("read once",)}),
    Case("1.8.0", ("security: refuse a long token",), "1.8.1", {"Security": ("refuse a long token",)}),
    Case("1.8.0", ("revert: feat: a page",), "1.8.1", {"Changed": ("feat: a page",)}),
    Case("1.8.0", ("deprecate: --old",), "1.8.1", {"Deprecated": ("--old",)}),
    Case("1.8.0", ("feat: a page",), "1.9.0", {"Added": ("a page",)}),
    Case("1.8.0", ("feat: a page", "fix: close the file", "docs: the page"), "1.9.0",
         {"Added": ("a page",), "Fixed": ("close the file",)}),
    Case("1.8.0", ("feat!: another page",), "2.0.0", ANOTHER),
    Case("1.8.0", ("remove(cli)!: --old",), "2.0.0",
         {BREAKING: ("**cli:** --old",), "Removed": ("**cli:** --old",)}),
    Case("1.8.0", ("refactor!: rename the table",), "2.0.0",
         {BREAKING: ("rename the table",), "Changed": ("rename the table",)}),
    Case("1.8.0", (FOOTER.format("BREAKING CHANGE"),), "2.0.0",
         {BREAKING: ("clients must use 443",), "Fixed": ("drop port 80",)}),
    Case("1.8.0", (FOOTER.format("BREAKING-CHANGE"),), "2.0.0",
         {BREAKING: ("clients must use 443",), "Fixed": ("drop port 80",)}),
    Case("0.9.3", ("feat!: another page",), "0.10.0", ANOTHER),
    *(Case("1.8.0", (f"{kind}: something",), None)
      for kind in ("docs", "refactor", "style", "test", "build", "ci", "chore")),
    Case("1.8.0", ("Fix the thing",), None),
    Case("1.8.0", ('Revert "feat: a page"\n\nThis reverts commit 0123abc.',), None),
    Case("1.8.0", ("fix: close the file\n\nRelease-As: 3.0.0",), "3.0.0", {"Fixed": ("close the file",)}),
    Case("1.8.0", ("chore: something\n\nRelease-As: 3.0.0",), "3.0.0", {"Changed": ("something",)}),
    Case("1.8.0", ("fix: close the file",), "1.8.1-rc.1", {"Fixed": ("close the file",)}, rc_line=True),
    Case("1.8.0", ("feat: a page",), "1.9.0-rc.1", {"Added": ("a page",)}, rc_line=True),
    Case("1.8.0", ("feat!: another page",), "2.0.0-rc.1",
         ANOTHER, rc_line=True),
    Case("1.9.0-rc.1", ("fix: close the file",), "1.9.0-rc.2", {"Fixed": ("close the file",)}, rc_line=True),
    Case("1.9.0-rc.2", ("feat: a list",), "1.9.0-rc.3", {"Added": ("a list",)}, rc_line=True),
    Case("1.9.0-rc.9", ("fix: close the file",), "1.9.0-rc.10", {"Fixed": ("close the file",)}, rc_line=True),
    Case("1.8.1-rc.3", ("feat: a page",), "1.9.0-rc.3", {"Added": ("a page",)}, rc_line=True),
    Case("1.9.0-rc.2", ("feat!: another page",), "2.0.0-rc.2",
         ANOTHER, rc_line=True),
    Case("1.9.0-rc.1", ("docs: the page",), None, rc_line=True),
    *(Case(f"{version}-rc.2", (f"chore: {version}-rc.2 becomes {version}\n\nRelease-As: {version}",), version,
           {"Changed": (f"{version}-rc.2 becomes {version}",)})
      for version in ("1.8.1", "1.9.0", "2.0.0")),
    Case("1.9.0-rc.2", ("fix: close the file",), "1.9.0", {"Fixed": ("close the file",)}),
    Case("1.9.0-rc.2", ("feat: a list",), "1.9.0", {"Added": ("a list",)}),
    Case("1.9.0-rc.2", ("build: leave the rc line",), None),
)  # fmt: skip


def outcomes(folder: Path, cases: tuple[Case, ...] = CASES) -> list[Outcome]:
    """Run the real release-please once over a repository for each case."""
    made = [_repository(folder / str(number), case) for number, case in enumerate(cases)]
    wanted = [
        {"repository": str(scratch.folder), "releases": [{"tag": f"v{case.base}", "sha": shas[0]}]}
        for case, (scratch, shas) in zip(cases, made, strict=True)
    ]
    return [
        _outcome(scratch, shas[1:], proposal)
        for (scratch, shas), proposal in zip(made, propose(folder, wanted), strict=True)
    ]


def propose(folder: Path, wanted: list[dict[str, Any]]) -> list[dict[str, Any] | None]:
    """propose.cjs; its files lie in `folder`."""
    asked, answered = folder / "cases.json", folder / "proposals.json"
    asked.write_text(json.dumps(wanted))
    argv = [str(NODE), str(PROPOSE), str(TOOLS), str(asked), str(answered)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    proposals: list[dict[str, Any] | None] = json.loads(answered.read_text())
    return proposals


def table(cases: tuple[Case, ...], found: list[Outcome]) -> str:
    """A Markdown table of what release-please made, not of what was expected."""
    rows = ["| release | commits | makes | files |", "|---|---|---|---|"]
    for case, outcome in zip(cases, found, strict=True):
        version = outcome.proposal["version"] if outcome.proposal else "nothing"
        files = ", ".join(sorted(outcome.changed)) or "none"
        commits = "; ".join(f"`{message}`" for message in case.shown)
        rows.append(f"| {case.release} | {commits} | {version} | {files} |")
    return "\n".join(rows)


def _repository(folder: Path, case: Case) -> tuple[Scratch, list[str]]:
    """The repository of a case; the release commit, then its commits."""
    folder.mkdir()
    scratch = Scratch(folder)
    shas = [scratch.begin(case.base, case.base, f"chore(main): release {case.base}")]
    scratch.set_rc_line(case.rc_line)
    for message in case.commits:
        shas.append(scratch.commit(message))
    git(folder, "tag", f"v{case.base}", shas[0])
    return scratch, shas


def _outcome(scratch: Scratch, shas: list[str], proposal: dict[str, Any] | None) -> Outcome:
    after: dict[str, str] = proposal["files"] if proposal else {}
    return Outcome(tuple(shas), proposal, {path: scratch.read(path) for path in after}, after)


if __name__ == "__main__":
    with TemporaryDirectory() as scratch:
        print(table(CASES, outcomes(Path(scratch))))
