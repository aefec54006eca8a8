"""Ways to break the workflows, each under the rule that must notice it."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.workflows import rules
from tests.workflows.rules import QUALITY, RELEASE, Documents, Rule

Mutation = Callable[[Documents], None]

DEPLOY = f"{RELEASE}/jobs/deploy"
TEST = f"{RELEASE}/jobs/test"
LAST = f"{DEPLOY}/steps/Attach the files to the release"
COVERAGE = f"{TEST}/steps/All tests, with their coverage"
PROPOSAL = "release-please.yml/jobs/release-please/steps/Propose the next release"
MADE = "release-please.yml/jobs/release-please/steps/Release what was merged"
REFRESH = "refresh.yml/jobs/refresh"
SECRET = "${{ secrets.FEED_KEY_TARGETS }}"
SHA = "0" * 40
LIVES_ON = "${{ !cancelled() && needs.test.result != 'failure' }}"
FOREIGN = {"uses": "a/b/.github/workflows/c.yml@main", "permissions": {}, "timeout-minutes": 1}


def deploy(documents: Documents) -> dict[str, Any]:
    found: dict[str, Any] = documents[RELEASE]["jobs"]["deploy"]
    return found


def step(steps: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(s for s in steps if s["name"] == name)


def moved_out(name: str) -> Mutation:
    """A publishing step moves into a quality job."""

    def mutate(documents: Documents) -> None:
        steps = deploy(documents)["steps"]
        moved = step(steps, name)
        steps.remove(moved)
        documents[RELEASE]["jobs"]["publish-check"]["steps"].append(moved)

    return mutate


def in_a_job_of_its_own(name: str) -> Mutation:
    """A publishing step gets a job of its own, as WAIaaS 1.x had it: after the tests, before the approval."""

    def mutate(documents: Documents) -> None:
        job = copy.deepcopy(deploy(documents))
        job["steps"] = [step(job["steps"], name)]
        job["needs"] = ["test", "chain-integration", "platform"]
        del job["environment"]
        documents[RELEASE]["jobs"]["docker-publish"] = job

    return mutate


def without_need(name: str) -> Mutation:
    def mutate(documents: Documents) -> None:
        deploy(documents)["needs"].remove(name)

    return mutate


def at(path: str, value: Any) -> Mutation:
    """Set what lies at `file/jobs/job/…`, a step by its name; None takes it away."""

    def mutate(documents: Documents) -> None:
        place: Any = documents
        *way, last = path.split("/")
        for word in way:
            place = step(place, word) if isinstance(place, list) else place[word]
        if value is None:
            del place[last]
        else:
            place[last] = value

    return mutate


def one_more(file: str, job: str, **words: Any) -> Mutation:
    """A step at the end of a job."""

    def mutate(documents: Documents) -> None:
        documents[file]["jobs"][job]["steps"].append({"name": "one more", **words})

    return mutate


def the_other_way_round(documents: Documents) -> None:
    steps = documents["release-please.yml"]["jobs"]["release-please"]["steps"]
    steps[-1], steps[-2] = steps[-2], steps[-1]


BROKEN: dict[Rule, dict[str, Mutation]] = {
    rules.publishing_is_behind_gate_2: {
        "no environment": at(f"{DEPLOY}/environment", None),
        "no needs": at(f"{DEPLOY}/needs", []),
        "the refresh publishes a release": one_more(
            "refresh.yml", "refresh", run="python -m waiaas.release publish --feed F --keys K a.pyz"
        ),
        "a nightly push": one_more("nightly.yml", "feed", run="docker push x"),
        "an index before the gate": one_more(
            RELEASE, "publish-check", uses=f"pypa/gh-action-pypi-publish@{SHA}"
        ),
        "skopeo before the gate": one_more(
            RELEASE, "platform", run="skopeo copy dir:x docker://ghcr.io/x/y:1"
        ),
        "a git push before the gate": one_more(RELEASE, "platform", run="git push origin feed"),
    },
    rules.power_is_behind_gate_2: {
        "another environment": at(f"{DEPLOY}/environment", "staging"),
        "rights before the gate": at(f"{RELEASE}/jobs/publish-check/permissions", {"packages": "write"}),
        "all rights before the gate": at(f"{RELEASE}/jobs/publish-check/permissions", "write-all"),
        "a secret for a whole workflow": at("ci.yml/env", {"KEY": SECRET}),
        "a targets key in the refresh": at(f"{REFRESH}/steps/The two online keys/env/T", SECRET),
        "the refresh outside its environment": at(f"{REFRESH}/environment", None),
    },
    rules.one_approval_releases: {
        "two approvals": at(f"{RELEASE}/jobs/platform/environment", "production"),
    },
    rules.the_gate_waits_for_every_quality_job: {
        **{f"no need of {name}": without_need(name) for name in sorted(QUALITY)},
        "needs one job alone": at(f"{DEPLOY}/needs", "test"),
    },
    rules.nothing_failed_or_skipped_counts_as_passed: {
        "runs although one failed": at(f"{DEPLOY}/if", "always()"),
        "accepts skipped": at(f"{DEPLOY}/if", LIVES_ON),
        "a quality job can be skipped": at(f"{RELEASE}/jobs/platform/if", "github.ref_name != ''"),
        "a quality step can be skipped": at(f"{COVERAGE}/if", "false"),
        "a job goes on after errors": at(f"{TEST}/continue-on-error", True),
        "a step goes on after errors": at(f"{COVERAGE}/continue-on-error", True),
        "a line swallows errors": at(f"{COVERAGE}/run", "make coverage || true"),
        "publishing after a failure": at(f"{LAST}/if", "always()"),
    },
    rules.releases_are_made_with_a_token_that_starts_workflows: {
        "GITHUB_TOKEN makes the release": at(f"{MADE}/with/token", "${{ secrets.GITHUB_TOKEN }}"),
        "the default token makes the release": at(f"{MADE}/with/token", None),
        "GITHUB_TOKEN opens the pull request": at(f"{PROPOSAL}/with/token", "${{ github.token }}"),
    },
    rules.what_was_merged_is_released_before_the_next_is_proposed: {
        "proposed before released": the_other_way_round,
    },
    rules.pull_requests_know_no_secret: {
        "a secret in a pull request": at("ci.yml/jobs/test/env", {"KEY": SECRET}),
        "rights in a pull request": at("ci.yml/jobs/test/permissions", {"contents": "write"}),
        "foreign code with our rights": at("ci.yml/on/pull_request_target", {}),
    },
    rules.rights_are_the_least: {
        "rights for the whole workflow": at(f"{RELEASE}/permissions", {"contents": "write"}),
        "rights unsaid": at(f"{TEST}/permissions", None),
        "a token in the work tree": at(f"{DEPLOY}/steps/Check out the tag/with/persist-credentials", True),
    },
    rules.actions_are_pinned: {
        "an action by its tag": at(
            f"{DEPLOY}/steps/Take what was checked/uses", "actions/download-artifact@v8"
        ),
        "a workflow from elsewhere": at("ci.yml/jobs/other", FOREIGN),
    },
    rules.jobs_end: {
        "no deadline": at(f"{DEPLOY}/timeout-minutes", None),
        "two at once": at(f"{RELEASE}/concurrency", None),
    },
    rules.lines_are_safe: {
        "somebody's words in a shell": one_more("ci.yml", "test", run='echo "${{ github.head_ref }}"'),
        "grep -q under pipefail": one_more("ci.yml", "test", run="git log | grep -q feat"),
        "no pipefail": at("ci.yml/defaults", None),
    },
    rules.a_release_starts_by_itself_and_by_hand: {
        "not on a release": at(f"{RELEASE}/on/release", None),
        "on a draft as well": at(f"{RELEASE}/on/release", {"types": ["created"]}),
        "not by hand": at(f"{RELEASE}/on/workflow_dispatch", None),
    },
    rules.only_a_variable_makes_it_real: {
        "real without being told": at(f"{DEPLOY}/env/WAIAAS_RELEASE_PUBLISH", "true"),
        "real in one step": at(f"{LAST}/env/WAIAAS_RELEASE_PUBLISH", "true"),
    },
}


def by_rule(documents: Documents) -> dict[Rule, dict[str, Mutation]]:
    publishing = [s["name"] for s in deploy(documents)["steps"] if rules.publishing_words(s)]
    outside = {
        **{f"“{name}” moves out": moved_out(name) for name in publishing},
        **{f"“{name}” alone": in_a_job_of_its_own(name) for name in publishing},
    }
    gate = rules.publishing_is_behind_gate_2
    return {**BROKEN, gate: outside | BROKEN[gate]}


def table(documents: Documents) -> Iterator[Any]:
    """Rule and mutation, each pair under the name of what is broken."""
    for rule, broken in by_rule(documents).items():
        for name, mutation in broken.items():
            yield pytest.param(rule, mutation, id=name)
