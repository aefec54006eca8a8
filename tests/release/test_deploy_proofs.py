"""What has to hold around publishing: the right bytes, the right tree, a client that agrees (RLSE-05)."""

import json
import subprocess
from pathlib import Path

import pytest
from bench import Bench
from deployments import Yard

from waiaas.core.errors import WaiaasError
from waiaas.core.value import replace
from waiaas.host.files import sha256
from waiaas.release.deploy import build_again, client, feed
from waiaas.release.deploy.deployment import WOULD, Deployment
from waiaas.release.deploy.plan import FILE

pytestmark = pytest.mark.real_time  # git really runs

REPOSITORY = Path(__file__).parents[2]
GIT = ("git", "-c", "user.name=t", "-c", "user.email=t@example.org")


@pytest.fixture
def yard(bench: Bench) -> Yard:
    return Yard(bench)


@pytest.fixture
def at_its_tag(yard: Yard) -> Deployment:
    """The tree is where the plan was made, and carries the root of trust."""
    tree = yard.bench.folder / "tree"
    (tree / "build").mkdir(parents=True)
    (tree / "build" / "root.json").write_bytes((yard.folder / "root.json").read_bytes())
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        subprocess.run([*GIT, *command], cwd=tree, check=True)
    head = subprocess.run(
        [*GIT, "rev-parse", "HEAD"], cwd=tree, capture_output=True, text=True
    ).stdout.strip()
    plan = replace(yard.plan, commit=head, root_sha256=sha256(yard.folder / "root.json"))
    return replace(yard.deployment(), plan=plan, source=tree)


def refused(deployment: Deployment) -> tuple[str, str]:
    with pytest.raises(WaiaasError) as problem:
        build_again.check(deployment)
    return problem.value.code, problem.value.message


def test_a_tree_at_another_commit_is_refused__RLSE_05(at_its_tag: Deployment) -> None:
    (at_its_tag.source / "more").write_text("x")
    subprocess.run([*GIT, "add", "."], cwd=at_its_tag.source, check=True)
    subprocess.run([*GIT, "commit", "-q", "-m", "y"], cwd=at_its_tag.source, check=True)
    assert refused(at_its_tag)[0] == "other-commit"


def test_a_file_that_changed_on_the_way_is_refused__RLSE_05(at_its_tag: Deployment) -> None:
    at_its_tag.artefact.write_bytes(at_its_tag.artefact.read_bytes() + b"\0")
    code, message = refused(at_its_tag)
    assert (code, message.split()[0]) == ("other-bytes", "waiaas-1.9.0.pyz")


def test_another_root_of_trust_is_refused__RLSE_05(at_its_tag: Deployment) -> None:
    """On the way, and in the tree: the artefact could never be upgraded by our feed."""
    own = at_its_tag.source / "build" / "root.json"
    own.write_text("{}")
    assert refused(at_its_tag)[0] == "other-bytes"
    (at_its_tag.folder / "root.json").write_text("{}")
    assert refused(at_its_tag)[1].startswith("the root of trust has")


def test_a_tree_without_a_root_of_trust_is_never_published__RLSE_05(at_its_tag: Deployment) -> None:
    (at_its_tag.source / "build" / "root.json").unlink()
    assert refused(at_its_tag)[0] == "no-root-of-trust"


def test_an_artefact_for_rehearsal_is_never_published__RLSE_05(at_its_tag: Deployment) -> None:
    plan = replace(at_its_tag.plan, rehearsal=True)
    assert refused(replace(at_its_tag, plan=plan))[0] == "no-root-of-trust"


@pytest.mark.journey
def test_what_an_own_build_does_not_give_is_refused__RLSE_05(tmp_path: Path) -> None:
    """Somebody changed the artefact and the plan alike before the gate: the tag does not build that."""
    tree = tmp_path / "tree"
    subprocess.run(["git", "clone", "-q", str(REPOSITORY), str(tree)], check=True)
    (tree / ".cache").symlink_to(REPOSITORY / ".cache")
    literal = (tree / "waiaas" / "__init__.py").read_text().split('__version__ = "')[1].split('"')[0]
    subprocess.run(["git", "tag", "-f", f"v{literal}"], cwd=tree, check=True, capture_output=True)
    release = tmp_path / "release"
    tool = [str(REPOSITORY / ".venv" / "bin" / "python"), "-m", "waiaas.release"]
    words = ["assemble", "--tag", f"v{literal}", "-o", str(release), "--feed-url", "http://127.0.0.1:9/"]
    subprocess.run(
        [*tool, *words, "--feed-branch", f"{tree}#feed"], cwd=tree, check=True, capture_output=True
    )
    check = [*tool, "deploy", "check", "--release", str(release)]
    subprocess.run(check, cwd=tree, check=True, capture_output=True)
    document = json.loads((release / FILE).read_text())
    artefact = release / document["artefact"]
    artefact.write_bytes(artefact.read_bytes() + b"\0")
    (release / FILE).write_text(json.dumps({**document, "sha256": sha256(artefact)}))
    done = subprocess.run(check, cwd=tree, capture_output=True, text=True)
    assert done.returncode == 1
    assert "our own build has the sha256 " + document["sha256"] in done.stderr


def published(yard: Yard) -> Deployment:
    """1.9.0 is public, at an address that serves our copy of it."""
    feed.feed(yard.deployment())
    deployment = yard.deployment()
    plan = replace(deployment.plan, feed_url=deployment.feed.as_uri())
    return replace(deployment, plan=plan)


def test_an_address_that_does_not_serve_the_new_feed_is_no_release__RLSE_05(yard: Yard) -> None:
    """Waiting has an end, and says what was served instead."""
    feed.feed(yard.deployment())
    before = yard.bench.clock.ticks
    with pytest.raises(WaiaasError) as failed:
        client.verify(yard.deployment())
    assert failed.value.code == "not-public"
    assert client.PUBLIC_WITHIN <= yard.bench.clock.ticks - before < client.PUBLIC_WITHIN + 60


def test_an_address_that_serves_an_older_feed_is_no_release__RLSE_05(yard: Yard, tmp_path: Path) -> None:
    deployment = published(yard)
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata" / "timestamp.json").write_text("{}")
    plan = replace(deployment.plan, feed_url=tmp_path.as_uri())
    with pytest.raises(WaiaasError) as failed:
        client.verify(replace(deployment, plan=plan))
    assert (failed.value.code, "something else is served" in failed.value.message) == ("not-public", True)


def test_a_client_that_refuses_is_no_release__RLSE_05(yard: Yard) -> None:
    """The artefacts of these tests do not even start: what the client said is what is reported."""
    with pytest.raises(WaiaasError) as failed:
        client.verify(published(yard))
    assert failed.value.code == "client-refuses"
    assert "`waiaas init` of the previous release failed" in failed.value.message


def test_a_dry_run_asks_no_client__RLSE_04(yard: Yard) -> None:
    done = client.verify(yard.deployment(WAIAAS_RELEASE_PUBLISH=""))
    assert (done.outcome, done.observed) == (WOULD, {"client": "1.9.0, the first"})
