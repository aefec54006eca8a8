"""Plan and run record: read back as they were, refused when damaged, and never with a secret (RLSE-05)."""

import json
from pathlib import Path
from typing import Any

import pytest
from bench import Bench
from deployments import Yard
from hypothesis import given
from hypothesis import strategies as st

from waiaas.core.errors import WaiaasError
from waiaas.core.value import asdict, replace
from waiaas.core.version import Version
from waiaas.host.files import Files
from waiaas.release.deploy import plan, record, story
from waiaas.release.deploy.deployment import Deployment
from waiaas.release.deploy.record import Entry, Record
from waiaas.release.withdrawal.secrets import Secrets

pytestmark = pytest.mark.real_time  # git really runs

ENTRY = Entry("feed", "done", {"feed commit": "c0ffee"}, "2026-11-20T00:00:00Z", 1.5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def yard(bench: Bench) -> Yard:
    return Yard(bench)


def kept(folder: Path, **environ: str) -> Record:
    return Record(folder, {"tag": "v1.9.0"}, Files(), Secrets(environ))


def test_every_attempt_leaves_its_line__RLSE_05(tmp_path: Path) -> None:
    kept(tmp_path).add(ENTRY)
    again = replace(ENTRY, outcome="there already")
    kept(tmp_path).add(again)
    assert record.read(tmp_path / "record.json") == [ENTRY, again]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("GH_TOKEN", "abcdef-123", "HTTP 401: abcdef-123"),
        ("WAIAAS_RELEASE_PASSPHRASE", "correct horse", "correct horse"),
        ("WAIAAS_RELEASE_KEY_TARGETS", "-----BEGIN\nMC4CAQAwBQYDK2Vw\n", "found MC4CAQAwBQYDK2Vw there"),
        ("WAIAAS_REGISTRY_LOGINS", "ghcr.io robot s3cret-word", "login with s3cret-word failed"),
        ("PATH", "/usr/bin", "-----BEGIN ENCRYPTED PRIVATE KEY-----"),
    ],
)
def test_a_record_never_holds_a_secret(tmp_path: Path, name: str, value: str, said: str) -> None:
    with pytest.raises(WaiaasError) as refused:
        kept(tmp_path, **{name: value}).add(replace(ENTRY, observed={"message": said}))
    assert refused.value.code == "secret-found"
    assert said not in refused.value.message
    assert not (tmp_path / "record.json").exists()


def test_the_names_of_registries_are_no_secret(tmp_path: Path) -> None:
    seen = replace(ENTRY, observed={"ghcr.io/waiaas/daemon:1.9.0": "sha256:" + "0" * 64})
    kept(tmp_path, WAIAAS_REGISTRY_LOGINS="ghcr.io robot s3cret-word").add(seen)
    assert record.read(tmp_path / "record.json") == [seen]


@given(JSON)
def test_any_other_document_is_refused_as_a_record(document: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        record.validate(document)


@given(st.sampled_from(["step", "outcome", "observed", "at", "seconds"]), JSON)
def test_a_step_with_a_wrong_field_is_refused(name: str, value: Any) -> None:
    step = {**asdict(ENTRY), name: value}
    fits = isinstance(value, (str,) if name not in ("observed", "seconds") else (dict, int))
    if not fits or isinstance(value, bool):
        with pytest.raises(ValueError, match=r"."):
            record.validate({"format": 1, "steps": [step]})


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": 2, "steps": []}', '{"format": 1}'])
def test_a_damaged_record_says_so__CLI_2(tmp_path: Path, text: str) -> None:
    (tmp_path / "record.json").write_text(text)
    with pytest.raises(WaiaasError) as refused:
        kept(tmp_path)
    assert refused.value.code == "bad-record"


def test_a_plan_is_read_as_it_was_written__RLSE_05(yard: Yard) -> None:
    assert plan.read(yard.folder) == yard.plan


@given(JSON)
def test_a_damaged_plan_is_refused__CLI_2(document: Any) -> None:
    with pytest.raises((WaiaasError, KeyError, TypeError, ValueError)):
        plan._plan(document)


@pytest.mark.parametrize("name", ["format", "version", "sha256", "images"])
def test_a_plan_without_a_field_is_refused__CLI_2(yard: Yard, name: str) -> None:
    document = json.loads((yard.folder / plan.FILE).read_text())
    del document[name]
    (yard.folder / plan.FILE).write_text(json.dumps(document))
    with pytest.raises(WaiaasError) as refused:
        plan.read(yard.folder)
    assert refused.value.code == "no-plan"


def test_a_plan_cannot_name_a_file_elsewhere__RLSE_05(yard: Yard) -> None:
    document = json.loads((yard.folder / plan.FILE).read_text())
    (yard.folder / plan.FILE).write_text(json.dumps({**document, "artefact": "../../etc/passwd"}))
    assert plan.read(yard.folder).artefact == "passwd"


def test_a_step_that_fails_is_recorded_and_ends_the_story__RLSE_05(yard: Yard) -> None:
    deployment = yard.deployment()
    bare = Deployment(deployment.bench, deployment.folder, deployment.plan, deployment.source)
    with pytest.raises(WaiaasError):
        story.deploy(bare, ["feed", "image"])
    [entry] = record.read(yard.folder / "record.json")
    assert (entry.step, entry.outcome, entry.observed["code"]) == ("feed", "failed", "no-keys")


@pytest.mark.parametrize(
    ("version", "said", "real"),
    [
        ("1.9.0", "", False),
        ("1.9.0", "true", True),
        ("1.9.0", "TRUE", False),
        ("1.9.0", "false", False),
        ("2.0.0-rc.1", "", False),
        ("2.0.0", "", True),
        ("2.0.0", "false", False),
    ],
)
def test_a_dry_run_before_2_0_0_unless_told_otherwise__RLSE_04(
    yard: Yard, version: str, said: str, real: bool
) -> None:
    found = yard.deployment(WAIAAS_RELEASE_PUBLISH=said)
    named = replace(found.plan, version=Version.parse(version))
    assert replace(found, plan=named).publishes is real
