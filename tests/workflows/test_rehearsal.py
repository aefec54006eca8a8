"""The rehearsal of a whole release runs, in its short form; and it cannot drift from the workflow."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.release_please.cases import NODE, TOOLS
from tests.workflows.rules import RELEASE, ROOT, read

REHEARSAL = ROOT / "build" / "rehearsal"
SHOWN = (
    "→ v1.9.0",
    "Upgraded: 1.8.0 → 1.9.0",
    "Version 1.9.1 was withdrawn: it loses mail",
    "withdraw → the client knows (one check):",
    "Upgraded: 1.9.1 → 1.9.0",
    "the very bytes of v1.9.0; artefacts in the feed: 3, as before",
)


@pytest.fixture
def workflow() -> ModuleType:
    spec = importlib.util.spec_from_file_location("rehearsal_workflow", REHEARSAL / "workflow.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.mark.journey
@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_a_release_from_its_commits_to_the_users_and_back__RLSE_02_RLSE_05_WDR_2() -> None:
    """Everything real but GitHub; what `make release-rehearsal` does at length."""
    if not NODE.exists() or not (TOOLS / "release-please").is_dir():
        pytest.skip("release-please is not installed: make node")
    if shutil.which("gh") is None:
        pytest.skip("gh is not installed: build/ci-packages.sh")
    done = subprocess.run([sys.executable, REHEARSAL, "--short"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line for line in SHOWN if line not in done.stdout] == []


def runner(workflow: ModuleType, folder: Path, **contexts: str) -> object:
    return workflow.Runner(folder, {name.replace("_", "."): v for name, v in contexts.items()}, {}, {})


def test_a_value_that_only_github_gives_is_an_error(workflow: ModuleType, tmp_path: Path) -> None:
    """A new expression in the workflow stops the rehearsal, until somebody says what it is here."""
    made = runner(workflow, tmp_path, vars_KNOWN="", env_TAG="v1.9.0")
    assert made.value("a ${{ env.TAG }} b") == "a v1.9.0 b"  # type: ignore[attr-defined]
    assert made.value("${{ vars.KNOWN || '100' }}") == "100"  # type: ignore[attr-defined]
    for text in ("${{ secrets.NEW }}", "${{ vars.KNOWN || format('{0}', github.x) }}"):
        with pytest.raises(workflow.StepFailed):
            made.value(text)  # type: ignore[attr-defined]


def test_a_condition_or_an_action_that_is_new_is_an_error(workflow: ModuleType, tmp_path: Path) -> None:
    made = runner(workflow, tmp_path)
    with pytest.raises(workflow.StepFailed):
        made.holds("always()")  # type: ignore[attr-defined]
    document = {"jobs": {"deploy": {"steps": [{"name": "x", "uses": "somebody/new@0"}]}}}
    with pytest.raises(workflow.StepFailed):
        workflow.Workflow(document).run("deploy", made, lambda *_: None)


@pytest.mark.real_time
def test_lines_run_as_github_runs_them(workflow: ModuleType, tmp_path: Path) -> None:
    """In order, with their `env:`; a failure in the middle of a pipe ends the job; outputs are kept."""
    (tmp_path / "work").mkdir()
    made = workflow.Runner(tmp_path / "work", {"vars.A": "a"}, {"PATH": "/usr/bin:/bin"}, {})
    keep = {"name": "keep", "id": "k", "run": 'echo "out=$A$B" >> "$GITHUB_OUTPUT"', "env": {"B": "b"}}
    fail = {"name": "fail", "run": "false | cat"}
    after = {"name": "after", "run": "touch reached"}
    job = {"env": {"A": "${{ vars.A }}"}, "steps": [keep, fail, after]}
    told: list[str] = []
    with pytest.raises(workflow.StepFailed):
        workflow.Workflow({"jobs": {"j": job}}).run("j", made, lambda name, *_: told.append(name))
    assert made.outputs == {"steps.k.outputs.out": "ab"}
    assert told == ["keep"]
    assert not (tmp_path / "work" / "reached").exists()


def test_the_steps_that_the_rehearsal_leaves_out_are_none_that_publish() -> None:
    text = (REHEARSAL / "story.py").read_text()
    documents = read()
    checked = {step["name"] for step in documents[RELEASE]["jobs"]["publish-check"]["steps"]}
    left_out = {name for name in checked if f'"{name}"' in text}
    assert left_out == {
        "The same bytes from everywhere",
        "Lint the workflows",
        "Install and upgrade from a staging feed",
        "Build the image",
    }
    gated = {step["name"] for step in documents[RELEASE]["jobs"]["deploy"]["steps"]}
    assert not {name for name in gated if f'"{name}"' in text}
