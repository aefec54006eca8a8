"""What must hold for the workflows as a whole, each rule a function from the documents to findings.

What a job can do is judged by what it holds — permissions to write, secrets — and by what its lines say.
A job that holds neither cannot publish, whatever it runs.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "workflows"
RELEASE = "release.yml"
QUALITY = {"test", "chain-integration", "platform", "publish-check"}
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
PIN_WITH_VERSION = re.compile(r"uses: \S+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
SECRET = re.compile(r"secrets\.([A-Z_]+)")
GITHUB_TOKEN = re.compile(r"github\.token|secrets\.GITHUB_TOKEN")
SURVIVES = re.compile(r"always\(\)|cancelled\(\)|failure\(\)|\.result\b|continue")
QUIET_GREP = re.compile(r"\|\s*grep\s+(-\w+\s+)*-\w*q")
PUBLISHES = re.compile(
    r"""waiaas\.release\s+(publish|rollout|withdraw|push|rotate)\b
      | waiaas\.release\s+deploy(?!\s+(check|documents)\b|\s+--mode\b)(\s+[a-z]+)?
      | \b(docker|podman|buildah)\s+push\b | --push\b | docker://
      | \bgh\s+release\b | \bgit\s+push\b | \btwine\s+upload\b | \bnpm\s+publish\b""",
    re.VERBOSE,
)
PUBLISHING_ACTIONS = re.compile(r"attest|publish|deploy-pages|gh-release|build-push|release-please")

# The only jobs that hold something outside of gate 2, and all that each may hold and say.
ONLINE = {"FEED_KEY_SNAPSHOT", "FEED_KEY_TIMESTAMP", "FEED_PASSPHRASE"}


@dataclass(frozen=True)
class Leave:
    """`writes`: permissions; `says`: what of `PUBLISHES` its lines may match."""

    environment: str
    writes: frozenset[str]
    secrets: frozenset[str]
    says: frozenset[str]


LEAVE = {
    ("refresh.yml", "refresh"): Leave(
        "refresh", frozenset({"contents"}), frozenset(ONLINE), frozenset({"waiaas.release push"})
    ),
    ("release-please.yml", "release-please"): Leave(
        "release-please",
        frozenset(),
        frozenset({"RELEASE_APP_PRIVATE_KEY"}),
        frozenset({"googleapis/release-please-action"}),
    ),
}

Documents = dict[str, Any]
Rule = Callable[[Documents], Iterator[str]]


def read() -> Documents:
    return {path.name: yaml.safe_load(path.read_text()) for path in sorted(FOLDER.glob("*.y*ml"))}


def jobs(documents: Documents) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for file, document in documents.items():
        for name, job in document["jobs"].items():
            yield file, name, job


def steps(documents: Documents) -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    for file, name, job in jobs(documents):
        for step in job.get("steps", []):
            yield file, name, job, step


def is_gated(file: str, job: dict[str, Any]) -> bool:
    """Behind gate 2: the environment that people approve, after every quality job."""
    needs = job.get("needs", [])
    named = {needs} if isinstance(needs, str) else set(needs)
    return file == RELEASE and job.get("environment") == "production" and named >= QUALITY and "if" not in job


def publishing_words(step: dict[str, Any]) -> list[str]:
    """What in a step publishes; empty for a step that does not."""
    found = [" ".join(hit[0].split()) for hit in PUBLISHES.finditer(step.get("run", ""))]
    action = step.get("uses", "").partition("@")[0]
    return [*found, *([action] if PUBLISHING_ACTIONS.search(action) else [])]


def publishing_is_behind_gate_2(documents: Documents) -> Iterator[str]:
    for file, name, job, step in steps(documents):
        leave = LEAVE.get((file, name))
        words = [w for w in publishing_words(step) if leave is None or w not in leave.says]
        if words and not is_gated(file, job):
            yield f"{file}: {name}: “{step['name']}” publishes outside of gate 2: {', '.join(words)}"


def power_is_behind_gate_2(documents: Documents) -> Iterator[str]:
    """Whoever can write or knows a secret is behind the gate, or has its leave in `LEAVE`."""
    for file, name, job in jobs(documents):
        leave = LEAVE.get((file, name))
        writes = {scope for scope, power in _permissions(job).items() if power == "write"}
        secrets = set(SECRET.findall(str(job))) | set(SECRET.findall(str(documents[file].get("env"))))
        if is_gated(file, job) or not (writes or secrets):
            continue
        if leave is None or not (writes <= leave.writes and secrets <= leave.secrets):
            yield f"{file}: {name} holds {sorted(writes | secrets)} outside of gate 2"
        elif job.get("environment") != leave.environment:
            yield f"{file}: {name} takes its secrets from no environment of its own"


def one_approval_releases(documents: Documents) -> Iterator[str]:
    gated = [name for file, name, job in jobs(documents) if file == RELEASE and "environment" in job]
    if gated != ["deploy"]:
        yield f"{RELEASE}: approvals for {gated}, and there must be one, for deploy"


def the_gate_waits_for_every_quality_job(documents: Documents) -> Iterator[str]:
    for file, name, job in jobs(documents):
        if job.get("environment") == "production" and not is_gated(file, job):
            yield f"{file}: {name} needs {job.get('needs')}, not all of {sorted(QUALITY)}"
    missing = QUALITY - set(documents[RELEASE]["jobs"])
    if missing:
        yield f"{RELEASE}: no job {sorted(missing)}"


def nothing_failed_or_skipped_counts_as_passed(documents: Documents) -> Iterator[str]:
    for file, name, job in jobs(documents):
        if "continue-on-error" in job:
            yield f"{file}: {name} goes on after an error"
        if SURVIVES.search(str(job.get("if", ""))):
            yield f"{file}: {name} runs although something before it did not pass"
        if file == RELEASE and "if" in job:
            yield f"{file}: {name} can be skipped"
    for file, name, _, step in steps(documents):
        if "continue-on-error" in step:
            yield f"{file}: {name}: “{step['name']}” goes on after an error"
        keeps_a_record = step.get("uses", "").startswith("actions/upload-artifact@")
        if SURVIVES.search(str(step.get("if", ""))) and not keeps_a_record:
            yield f"{file}: {name}: “{step['name']}” runs although something before it did not pass"
        if file == RELEASE and name in QUALITY and "if" in step:
            yield f"{file}: {name}: “{step['name']}” can be skipped"
        if re.search(r"\|\|\s*(true|:)|set \+e|-o errexit", step.get("run", "")):
            yield f"{file}: {name}: “{step['name']}” swallows an error"


def releases_are_made_with_a_token_that_starts_workflows(documents: Documents) -> Iterator[str]:
    """What GITHUB_TOKEN does starts no workflow: neither release.yml nor the checks of the pull request."""
    for file, name, job, step in steps(documents):
        if "release-please-action" not in step.get("uses", ""):
            continue
        token = str(step.get("with", {}).get("token", ""))
        made = {
            s.get("id")
            for s in job["steps"]
            if s.get("uses", "").startswith("actions/create-github-app-token@")
        }
        if not any(f"steps.{i}.outputs.token" in token for i in made if i) or GITHUB_TOKEN.search(token):
            yield f"{file}: {name}: “{step['name']}” has no token of the GitHub App"


def what_was_merged_is_released_before_the_next_is_proposed(documents: Documents) -> Iterator[str]:
    """The other way round stalls without an error (googleapis/release-please#1406)."""
    order = [
        "propose" if step["with"].get("skip-github-release") else "release"
        for _, _, _, step in steps(documents)
        if "release-please-action" in step.get("uses", "")
    ]
    if order != ["release", "propose"]:
        yield f"release-please runs as {order}"


def pull_requests_know_no_secret(documents: Documents) -> Iterator[str]:
    for file, document in documents.items():
        if "pull_request_target" in document["on"] or "workflow_run" in document["on"]:
            yield f"{file} runs foreign code with our rights"
        if "pull_request" not in document["on"]:
            continue
        if SECRET.search(str(document)) or GITHUB_TOKEN.search(str(document)) or "inherit" in str(document):
            yield f"{file} knows a secret in a pull request"
        for name, job in document["jobs"].items():
            if "environment" in job or "write" in _permissions(job).values():
                yield f"{file}: {name} has rights in a pull request"


def rights_are_the_least(documents: Documents) -> Iterator[str]:
    for file, document in documents.items():
        if document.get("permissions") != {}:
            yield f"{file} begins with {document.get('permissions')} instead of no rights"
    for file, name, job in jobs(documents):
        if not isinstance(job.get("permissions"), dict):
            yield f"{file}: {name} does not say its rights"
    for file, name, _, step in steps(documents):
        takes_the_tree = step.get("uses", "").startswith("actions/checkout@")
        if takes_the_tree and step.get("with", {}).get("persist-credentials") is not False:
            yield f"{file}: {name}: “{step['name']}” leaves a token in the work tree"


def actions_are_pinned(documents: Documents) -> Iterator[str]:
    for file, name, _, step in steps(documents):
        if "uses" in step and not PINNED.fullmatch(step["uses"]):
            yield f"{file}: {name}: {step['uses']} is not pinned to a commit"
    for file, name, job in jobs(documents):
        if "uses" in job:
            yield f"{file}: {name} is another workflow, which these rules cannot look into"


def jobs_end(documents: Documents) -> Iterator[str]:
    for file, name, job in jobs(documents):
        if not 0 < int(job.get("timeout-minutes", 0)) <= 300:
            yield f"{file}: {name} has no deadline"
    for file, document in documents.items():
        if "group" not in document.get("concurrency", {}):
            yield f"{file} may run twice at once"


def lines_are_safe(documents: Documents) -> Iterator[str]:
    for file, name, _, step in steps(documents):
        run = step.get("run", "")
        if "${{" in run:
            yield f"{file}: {name}: “{step['name']}” puts a value of somebody else into a shell"
        if QUIET_GREP.search(run):
            yield f"{file}: {name}: “{step['name']}” fails under pipefail when it matches early"
        if run and documents[file].get("defaults", {}).get("run", {}).get("shell") != "bash":
            yield f"{file} runs lines without pipefail"


def a_release_starts_by_itself_and_by_hand(documents: Documents) -> Iterator[str]:
    started = documents[RELEASE]["on"]
    if started.get("release") != {"types": ["published"]}:
        yield f"{RELEASE} does not start on a published release"
    if not started.get("workflow_dispatch", {}).get("inputs", {}).get("tag", {}).get("required"):
        yield f"{RELEASE} cannot be started by hand for a tag"


def only_a_variable_makes_it_real(documents: Documents) -> Iterator[str]:
    said = {
        value
        for _, _, job in jobs(documents)
        for name, value in _environs(job)
        if name == "WAIAAS_RELEASE_PUBLISH"
    }
    if said != {"${{ vars.RELEASE_PUBLISH }}"}:
        yield f"WAIAAS_RELEASE_PUBLISH is {sorted(said)}"


def _environs(job: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for place in (job, *job.get("steps", [])):
        yield from place.get("env", {}).items()


def _permissions(job: dict[str, Any]) -> dict[str, str]:
    found = job.get("permissions", {})
    return found if isinstance(found, dict) else {"everything": "write" if "write" in str(found) else "read"}


RULES: tuple[Rule, ...] = (
    publishing_is_behind_gate_2,
    power_is_behind_gate_2,
    one_approval_releases,
    the_gate_waits_for_every_quality_job,
    nothing_failed_or_skipped_counts_as_passed,
    releases_are_made_with_a_token_that_starts_workflows,
    what_was_merged_is_released_before_the_next_is_proposed,
    pull_requests_know_no_secret,
    rights_are_the_least,
    actions_are_pinned,
    jobs_end,
    lines_are_safe,
    a_release_starts_by_itself_and_by_hand,
    only_a_variable_makes_it_real,
)
