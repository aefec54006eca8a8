"""What the image is, by inspection (DOCK-01, scenario 18). Each engine builds it without a network."""

import pytest

from tests.containers.artefacts import NEW, OLD
from tests.containers.engine import Engine, good

OCI = "org.opencontainers.image."
LABELS = {
    f"{OCI}title": "WAIaaS",
    f"{OCI}version": OLD,
    f"{OCI}licenses": "MIT",
    "com.centurylinklabs.watchtower.enable": "true",
}
PROGRAM = ["python3", "-I", "/usr/local/bin/waiaas"]


@pytest.mark.parametrize("version", [OLD, NEW])
def test_the_image_is_the_version_it_says__DOCK_01(engine: Engine, version: str) -> None:
    said = engine.ok("run", "--rm", "--network", "none", engine.image(version), "--version")
    assert said.strip() == version
    assert engine.config(engine.image(version))["Labels"][f"{OCI}version"] == version


def test_labels_and_settings_by_inspection__DOCK_01(engine: Engine) -> None:
    """Scenario 18, and what `docker run` takes from the image."""
    config = engine.config(engine.image(OLD))
    assert LABELS.items() <= config["Labels"].items()
    assert config["Labels"][f"{OCI}description"]
    assert config["User"] == "1001:1001"
    assert list(config["Volumes"]) == ["/data"]
    assert list(config["ExposedPorts"]) == ["3100/tcp"]
    assert config["StopSignal"] in ("SIGTERM", "15")
    assert config["Entrypoint"] == PROGRAM
    assert config["Cmd"] == ["start", "--init"]
    assert config["Healthcheck"]["Test"] == ["CMD", *PROGRAM, "health"]


def test_labels_of_a_build_are_given_to_it__DOCK_01(engine: Engine) -> None:
    given = {"REVISION": "0123abc", "CREATED": "2026-11-20T00:00:00Z", "SOURCE": "https://example.org/waiaas"}
    words = [word for name, value in given.items() for word in ("--build-arg", f"{name}={value}")]
    good(engine.build(OLD, *words, tag=engine.image("labelled")))
    labels = engine.config(engine.image("labelled"))["Labels"]
    assert {name: labels[OCI + name.lower()] for name in given} == given


def test_another_versions_file_ends_the_build__DOCK_01(engine: Engine) -> None:
    done = engine.build("9.9.9", "--build-arg", f"ARTEFACT=dist/waiaas-{OLD}.pyz")
    assert done.code != 0
    assert engine.call("image", "inspect", engine.image("9.9.9")).code != 0


def test_the_classic_builder_makes_the_same__DOCK_01(engine: Engine) -> None:
    """`DOCKER_BUILDKIT=0`: nothing in the file needs BuildKit."""
    if engine.name != "docker":
        pytest.skip("buildah has one builder")
    good(engine.build(OLD, tag=engine.image("classic"), DOCKER_BUILDKIT="0"))
    same = (
        "User",
        "Env",
        "Volumes",
        "Entrypoint",
        "Cmd",
        "Healthcheck",
        "Labels",
        "StopSignal",
        "WorkingDir",
    )
    classic, buildkit = (engine.config(engine.image(tag)) for tag in ("classic", OLD))
    assert {name: classic[name] for name in same} == {name: buildkit[name] for name in same}
