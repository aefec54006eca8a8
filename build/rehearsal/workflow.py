"""Jobs of a workflow, run here: the very lines of its `run:` steps, in their order, with their `env:`.

Only what GitHub gives is given by somebody else: the values in `${{ … }}`, and the actions in `uses:`.
An expression or an action that is not known here is an error, so the rehearsal cannot drift from the
workflow.
"""

import re
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
COMPARISON = re.compile(r"(\S+) == '([^']*)'")
PATIENCE = 300  # seconds for one step

Action = Callable[["Runner", Mapping[str, str]], None]


class StepFailed(Exception):
    """A line of the workflow ended with another code than 0."""


@dataclass
class Runner:
    """One machine for one job: an empty workspace, and what the contexts say there."""

    workspace: Path
    contexts: Mapping[str, str]
    environ: Mapping[str, str]
    actions: Mapping[str, Action]
    outputs: dict[str, str] = field(default_factory=dict)

    def value(self, text: object) -> str:
        """A text of the workflow with its expressions filled in."""
        return EXPRESSION.sub(lambda found: self._first(found[1]), str(text))

    def holds(self, condition: str) -> bool:
        """Whether a step whose `if:` says this is to run, after steps that all succeeded."""
        if condition == "success() || failure()":
            return True
        compared = COMPARISON.fullmatch(condition)
        if compared is None:
            raise StepFailed(f"a condition that the rehearsal does not know: {condition}")
        return self._known(compared[1]) == compared[2]

    def _first(self, expression: str) -> str:
        """The first of the alternatives that is not empty, as `||` has it."""
        for alternative in expression.split(" || "):
            if found := self._known(alternative):
                return found
        return ""

    def _known(self, name: str) -> str:
        if name.startswith("'"):
            return name.strip("'")
        known = {**self.contexts, **self.outputs}
        if name not in known:
            raise StepFailed(f"a value that GitHub gives and the rehearsal does not: {name}")
        return known[name]


@dataclass(frozen=True)
class Workflow:
    """One file of .github/workflows."""

    document: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> "Workflow":
        return cls(yaml.safe_load(path.read_text(encoding="utf-8")))

    def steps(self, job: str) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = self.document["jobs"][job]["steps"]
        return found

    def run(
        self,
        job: str,
        runner: Runner,
        told: Callable[[str, float, str], None],
        skip: frozenset[str] = frozenset(),
        until: str = "",
    ) -> None:
        """Run the steps of a job; `skip`: names left out; `until`: the machine dies after this step."""
        environ = {**self.document.get("env", {}), **self.document["jobs"][job].get("env", {})}
        given = {name: runner.value(text) for name, text in environ.items()}
        for step in self.steps(job):
            if step["name"] in skip or not runner.holds(step.get("if", "success() || failure()")):
                continue
            begun = time.monotonic()
            said = self._step(step, runner, given)
            told(step["name"], time.monotonic() - begun, said)
            if step["name"] == until:
                return

    def _step(self, step: Mapping[str, Any], runner: Runner, given: Mapping[str, str]) -> str:
        if "uses" in step:
            name = step["uses"].partition("@")[0]
            if name not in runner.actions:
                raise StepFailed(f"an action that the rehearsal does not know: {name}")
            runner.actions[name](
                runner, {key: runner.value(text) for key, text in step.get("with", {}).items()}
            )
            return ""
        own = {name: runner.value(text) for name, text in step.get("env", {}).items()}
        return _bash(step, runner, {**given, **own})


def _bash(step: Mapping[str, Any], runner: Runner, given: Mapping[str, str]) -> str:
    """The line as GitHub starts it for `shell: bash`; its output, and its outputs kept."""
    output = runner.workspace.parent / "output"
    output.write_text("")
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=runner.workspace,
        env={**runner.environ, **given, "GITHUB_OUTPUT": str(output)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    if done.returncode:
        raise StepFailed(f"{step['name']}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    for line in output.read_text().splitlines():
        name, _, value = line.partition("=")
        runner.outputs[f"steps.{step['id']}.outputs.{name}"] = value
    return done.stdout + done.stderr
