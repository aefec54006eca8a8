"""What follows a withdrawal: evidence, root cause, plan, and the list before the fix goes out (WDR-4)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from withdrawal_kit import Office

from waiaas.core.errors import WaiaasError
from waiaas.core.version import Version
from waiaas.host.processes import Processes
from waiaas.release.withdrawal import checklist, checks, evidence, roots
from waiaas.release.withdrawal.outside import Outside

pytestmark = pytest.mark.journey  # the project's own tools run: mypy, bandit, coverage
Capture = pytest.CaptureFixture[str]
V = Version.parse
GOOD = '"""Twice."""\n\n\ndef double(number: int) -> int:\n    return number + number\n'
WRONG = GOOD.replace("return number + number", 'return "two"')
GRAVE = (
    "import subprocess\n\n\ndef run(words: str) -> None:\n    subprocess.run(words, shell=True, check=True)\n"
)
TESTS = "from waiaas import double\n\nassert double(2) == 4\n"
MAKE = """coverage:
\t@{python} -m coverage run --source waiaas test_it.py
\t@{python} -m coverage html -q -d .cache/coverage/html
\t@{python} -m coverage json -q -o .cache/coverage/coverage.json --fail-under=85
"""


class Tree:
    """A source tree small enough to be checked in seconds, in a repository of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "waiaas").mkdir(parents=True)
        (folder / "docs").mkdir()
        self.write("pyproject.toml", '[tool.mypy]\npackages = ["waiaas"]\n')
        self.write("waiaas/__init__.py", GOOD)
        self.write("test_it.py", TESTS)
        self.write("Makefile", MAKE.format(python=sys.executable))
        self.write("README.md", "See [the guide](docs/guide.md).\n")
        self.write(
            "docs/guide.md", "Back to [the start](../README.md), or [outside](https://example.org/x).\n"
        )
        self.write("CHANGELOG.md", "# Changelog\n\n## [1.9.1](https://example.org) (2026-11-21)\n")
        self.write(".gitignore", ".coverage\n.cache/\n__pycache__/\n.mypy_cache/\n")
        self.git("init", "-q")
        self.commit()

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "x")

    def git(self, *words: str) -> None:
        subprocess.run(["git", "-C", str(self.folder), *words], check=True, capture_output=True)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    for name in ("NAME", "EMAIL"):
        for role in ("AUTHOR", "COMMITTER"):
            monkeypatch.setenv(f"GIT_{role}_{name}", "ada@example.org")
    return Tree(tmp_path / "tree")


@pytest.fixture
def outside() -> Outside:
    return Outside(Processes(os.environ), os.environ)


def test_types_are_counted_with_their_codes__WDR_4(tree: Tree, outside: Outside) -> None:
    assert checks.types(outside, tree.folder).passed
    tree.write("waiaas/__init__.py", WRONG)
    found = checks.types(outside, tree.folder)
    assert (found.passed, found.observed) == (False, "mypy --strict: 1 errors")
    assert "[return-value]" in found.text


def test_a_grave_finding_of_bandit_is_one__WDR_4(tree: Tree, outside: Outside) -> None:
    """Elsewhere the gate looked for CRITICAL under another key, and could never fire (§2.1)."""
    assert checks.security(outside, tree.folder).passed
    tree.write("waiaas/__init__.py", GRAVE)
    found = checks.security(outside, tree.folder)
    assert not found.passed
    assert found.observed.startswith("bandit: 1 HIGH")
    assert {result["issue_severity"] for result in json.loads(found.text)["results"]} == {"HIGH", "LOW"}


def test_a_tool_that_is_missing_never_counts_as_passed__WDR_4(
    tree: Tree, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "MODULE", "import sys; sys.exit('No module named bandit')")
    for work in (checks.types, checks.security):
        with pytest.raises(WaiaasError, match="No module named"):
            work(outside, tree.folder)


def test_coverage_is_that_of_the_last_run__WDR_4(tree: Tree, outside: Outside, tmp_path: Path) -> None:
    with pytest.raises(WaiaasError) as refused:
        checks.coverage(tree.folder, tmp_path / "html")
    assert "make coverage" in refused.value.hint
    assert checks.regression(outside, tree.folder).passed
    found = checks.coverage(tree.folder, tmp_path / "html")
    assert (found.passed, found.observed) == (True, "coverage: 100.0 % (at least 85 %)")
    assert (tmp_path / "html" / "index.html").is_file()
    tree.write("test_it.py", "import waiaas\n")
    assert not checks.regression(outside, tree.folder).passed, "below 85 %"
    assert checks.coverage(tree.folder, tmp_path / "again").passed is False


def test_dead_links_are_named__WDR_4(tree: Tree) -> None:
    assert checks.links(tree.folder).passed
    tree.write("docs/guide.md", "[gone](absent.md) and [there](../README.md#start)\n")
    found = checks.links(tree.folder)
    assert (found.passed, "docs/guide.md: absent.md" in found.observed) == (False, True)


@pytest.mark.parametrize(
    ("version", "passed"),
    [("1.9.1", True), ("1.9.10", False), ("1.9.1-rc.1", False), ("1.9.0", False), (None, False)],
)
def test_release_notes_of_the_fix_are_those_of_just_that_version__WDR_4(
    version: str | None, passed: bool, tree: Tree
) -> None:
    assert checks.changelog(tree.folder, V(version) if version else None).passed is passed


def test_the_bundle_has_all_that_is_to_be_had__WDR_4(office: Office, tree: Tree, capsys: Capture) -> None:
    """W-14: build log, coverage, types, security scan; a log is kept without its secret lines."""
    (office.tools / "make").symlink_to("/usr/bin/make")
    github = office.state("github")
    github["runs"] = [
        {
            "databaseId": n,
            "displayTitle": "x",
            "headBranch": "v1.9.0",
            "createdAt": "x",
            "url": "x",
            "conclusion": c,
        }
        for n, c in ((9, "success"), (8, "failure"), (7, "failure"))
    ]
    github["logs"] = {
        "8": "build\tgoing\nbuild\ttoken gh" + "p_" + "a1" * 18 + "\nbuild\tfailed",
        "7": "older",
    }
    office.keep("github", github)
    tree.write("waiaas/__init__.py", WRONG)
    words = ("evidence", "1.9.0", "--feed", office.feed, "--source", tree.folder, *office.reach)
    assert office.run(*words) == 0
    said = capsys.readouterr().out
    folder = office.records / "1.9.0" / "evidence"
    assert (folder / "build-log.txt").read_text() == "build\tgoing\n[line withheld]\nbuild\tfailed\n"
    assert "[return-value]" in (folder / "types.txt").read_text()
    assert json.loads((folder / "security-scan.json").read_text())["results"] == []
    assert "coverage   by-hand" in said
    assert "run `make coverage` first" in said
    assert "suggested   --class type-error" in said
    assert office.run(*words, "--run", "7") == 0
    assert (folder / "build-log.txt").read_text() == "older\n"


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_root_cause_has_its_prevention_and_a_plan_with_three_horizons__WDR_4(
    language: str, office: Office, capsys: Capture
) -> None:
    """W-15: five classes. W-16: now, two weeks, one month, with boxes to tick that stay ticked."""
    assert len(roots.CLASSES) == 5
    words = ("evidence", "1.9.0", "--feed", office.feed, "--class")
    assert office.run(*words, "missing-tests", "--why", "nobody tried *that*") == 0
    assert "root cause  missing-tests: nobody tried *that*" in capsys.readouterr().out
    path = office.records / "1.9.0" / f"plan.{language}.md"
    plan = path.read_text()
    assert plan.count("- [ ] ") == 9
    assert plan.count("\n## ") == 3
    assert "85 %" in plan
    assert r"nobody tried \*that\*" in plan
    path.write_text(plan.replace("- [ ] ", "- [x] ", 1))
    assert office.run(*words, "docs-error", "--why", "the page was old") == 0
    assert path.read_text().count("- [x] ") == 1, "what people ticked is theirs"
    assert office.record("1.9.0", "evidence")["rootCause"]["name"] == "docs-error"


@pytest.mark.parametrize("words", [("--class", "bad-luck", "--why", "x"), ("--class", "docs-error")])
def test_a_root_cause_needs_a_class_and_a_reason__WDR_4(words: tuple[str, ...], office: Office) -> None:
    assert office.run("evidence", "1.9.0", "--feed", office.feed, *words) == 2
    assert not office.records.exists()


@pytest.mark.parametrize(
    ("passed", "name"),
    [
        ({"types": False, "coverage": False}, "type-error"),
        ({"types": True, "build-log": False, "coverage": False}, "build-error"),
        ({"types": True, "build-log": None, "coverage": False}, "missing-tests"),
        ({"types": True, "security": False}, None),
        ({}, None),
    ],
)
def test_the_suggestion_follows_from_what_was_seen__WDR_4(
    passed: dict[str, bool | None], name: str | None
) -> None:
    assert evidence.suggested(passed) == name


def test_the_list_is_done_when_machines_and_people_say_so__WDR_4(
    office: Office, tree: Tree, capsys: Capture
) -> None:
    """W-17 to W-19, from nothing to exit 0; then one line of code changes."""
    (office.tools / "make").symlink_to("/usr/bin/make")
    where = ("checklist", "1.9.0", "--feed", office.feed, "--source", tree.folder)
    assert office.withdraw("1.9.0", "--fixed-in", "1.9.1") == 0
    assert office.run(*where) == 1
    people = [name for name, item in checklist.ITEMS.items() if item.check is None]
    assert len(people) == 8
    for name in people:
        assert office.run(*where, "--tick", name, "--note", f"seen to {name}", "--by", "Grace") == 1
    capsys.readouterr()
    assert office.run(*where, "--check") == 0
    said = capsys.readouterr()
    assert "all ticked" in said.err
    assert said.out.count("[x]") == len(checklist.ITEMS) == 15
    assert "seen to team (Grace, 20" in said.out
    assert office.run(*where) == 0, "it is on record"
    tree.write("waiaas/__init__.py", GOOD + "\n")
    assert office.run(*where) == 1, "a machine's tick is of one commit"
    tree.commit()
    assert office.run(*where) == 1
    assert office.run(*where, "--check") == 0


def test_a_machine_that_sees_something_wrong_does_not_tick__WDR_4(
    office: Office, tree: Tree, capsys: Capture
) -> None:
    (office.tools / "make").symlink_to("/usr/bin/make")
    tree.write("waiaas/__init__.py", GRAVE)
    tree.write("README.md", "[x](absent.md)")
    tree.commit()
    where = ("checklist", "1.9.0", "--feed", office.feed, "--source", tree.folder)
    assert office.run(*where, "--check") == 1
    said = capsys.readouterr().out
    for name in ("regression", "security", "links", "feed", "notes", "notice"):
        assert f"[ ] {name} " in said
    assert "[x] types " in said


def test_records_in_the_same_repository_do_not_undo_the_list__WDR_4(office: Office, tree: Tree) -> None:
    """They are committed too, and change while one looks."""
    before = checks.commit(
        Outside(Processes({"PATH": str(office.tools)}), {}), tree.folder, tree.folder / "records"
    )
    (tree.folder / "records").mkdir()
    (tree.folder / "records" / "x.json").write_text("{}")
    outside = Outside(Processes({"PATH": str(office.tools)}), {})
    assert checks.commit(outside, tree.folder, tree.folder / "records") == before
    tree.commit()
    assert checks.commit(outside, tree.folder, tree.folder / "records") == before
    assert checks.commit(outside, tree.folder, office.records) != before


@pytest.mark.parametrize(
    "words", [("--tick", "luck", "--note", "x"), ("--tick", "types", "--note", "x"), ("--tick", "team")]
)
def test_nobody_ticks_for_a_machine_nor_without_a_note__WDR_4(words: tuple[str, ...], office: Office) -> None:
    assert office.run("checklist", "1.9.0", "--feed", office.feed, *words) == 2
    assert not office.records.exists()
