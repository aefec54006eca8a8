"""Gate 2 covers everything that publishes (RLSE-04): read from the workflows, and proved by breaking them."""

import copy
import subprocess
from pathlib import Path

import pytest

from tests.workflows import mutations, rules
from tests.workflows.mutations import Mutation
from tests.workflows.rules import FOLDER, PIN_WITH_VERSION, QUIET_GREP, ROOT, RULES, Rule

DOCUMENTS = rules.read()
FIVE = {"ci.yml", "nightly.yml", "refresh.yml", "release-please.yml", "release.yml"}


def test_the_five_workflows_are_there__RLSE_03() -> None:
    assert set(DOCUMENTS) == FIVE


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_workflows_keep_every_rule__RLSE_04(rule: Rule) -> None:
    assert list(rule(DOCUMENTS)) == []


def test_the_gated_job_publishes_all_there_is__RLSE_05() -> None:
    """Feed, image, attestation, assets: if one were missing here, moving it out would prove nothing."""
    said = " ".join(word for s in mutations.deploy(DOCUMENTS)["steps"] for word in rules.publishing_words(s))
    for word in ("deploy feed", "deploy image", "deploy assets", "attest-build-provenance"):
        assert word in said


def test_every_pin_names_its_version__RLSE_03() -> None:
    for path in FOLDER.glob("*.yml"):
        for line in path.read_text().splitlines():
            if "uses:" in line:
                assert PIN_WITH_VERSION.search(line), f"{path.name}: {line.strip()}"


def test_no_script_of_ours_fails_when_grep_leaves_early() -> None:
    """`… | grep -q` under pipefail fails a check that matched, once the text is longer than a pipe."""
    for path in (ROOT / "build").rglob("*.sh"):
        assert not QUIET_GREP.search(path.read_text()), path.name


def test_scripts_of_jobs_before_the_gate_publish_nothing__RLSE_04() -> None:
    """A line before the gate may call a script; the script is held to what the line is held to."""
    for path in (ROOT / "build" / "release").iterdir():
        assert not rules.publishing_words({"name": path.name, "run": path.read_text()}), path.name


@pytest.mark.parametrize(("rule", "mutation"), list(mutations.table(DOCUMENTS)))
def test_a_broken_gate_is_noticed__RLSE_04(rule: Rule, mutation: Mutation) -> None:
    broken = copy.deepcopy(DOCUMENTS)
    mutation(broken)
    assert broken != DOCUMENTS
    assert list(rule(broken)), f"{rule.__name__} does not notice it"


def test_every_rule_is_broken_by_some_mutation() -> None:
    """A rule that nothing breaks may be one that cannot fail."""
    assert set(mutations.by_rule(DOCUMENTS)) == set(RULES)


@pytest.mark.real_time
@pytest.mark.parametrize(("target", "said"), [("containers", "1 1 containers"), ("unit", "unit")])
def test_a_platform_that_cannot_be_tested_is_no_platform_that_passed__RLSE_03(
    target: str, said: str, tmp_path: Path
) -> None:
    """Where something is missing, `make containers` skips; in the gate it is told to fail instead."""
    for name, text in (
        ("make", 'echo $REQUIRE_CONTAINERS $REQUIRE_SYSTEMD "$@"'),
        ("sudo", 'exec "$@"'),
    ):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    script = ROOT / "build" / "release" / "platform.sh"
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run([script, target], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["setup", said]
