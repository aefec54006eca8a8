"""Pull and recreate, by hand or by Watchtower: what moves is the tag (DOCK-02, DOCK-03)."""

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containers.artefacts import NEW, OLD
from tests.containers.compose import project
from tests.containers.engine import Engine
from tests.journeys.api import eventually
from waiaas.core.version import Version
from waiaas.release.deploy.image import tags

ADDRESS = "127.0.0.1:5000"  # a registry on this machine may do without TLS
CONFIG = """
version: 0.1
storage: {{filesystem: {{rootdirectory: {}}}}}
http: {{addr: {}}}
"""


@pytest.fixture
def registry(engine: Engine, tmp_path: Path) -> Iterator[str]:
    """A registry of our own; the name of our image in it, without a tag."""
    config = tmp_path / "registry.yml"
    config.write_text(CONFIG.format(tmp_path / "images", ADDRESS))
    argv = ["docker-registry", "serve", str(config)]
    with subprocess.Popen(
        argv, env=engine.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as it:
        try:
            name = f"{ADDRESS}/waiaas/daemon"
            eventually(lambda: _push(engine, OLD, f"{name}:latest"))
            yield name
        finally:
            it.terminate()


def _push(engine: Engine, version: str, name: str) -> bool:
    """Push as a release does. The engine forgets the name again: it was somebody else who pushed."""
    engine.ok("tag", engine.image(version), name)
    done = engine.call("push", "-q", name)
    engine.ok("rmi", name)
    return done.code == 0


def _labels(engine: Engine, name: str) -> dict[str, str]:
    """What somebody finds who pulls that tag."""
    engine.ok("pull", "-q", name)
    labels: dict[str, str] = engine.config(name)["Labels"]
    engine.ok("rmi", name)
    return labels


def test_tags_and_labels_by_inspection__DOCK_02(engine: Engine, registry: str) -> None:
    """Scenario 18: a release takes its own tag and moves three; a pre-release and an old line move none."""
    old, new, good = Version.parse(OLD), Version.parse(NEW), [Version.parse(v) for v in (OLD, NEW)]
    released = ((OLD, old, [old]), (NEW, new, good), (NEW, Version.parse("2.0.0-rc.1"), good))
    for image, version, known in (*released, (OLD, Version.parse("1.8.1"), good)):
        for tag in tags(version, known):
            assert _push(engine, image, f"{registry}:{tag}")
    with urllib.request.urlopen(f"http://{ADDRESS}/v2/waiaas/daemon/tags/list") as answer:
        listed = json.load(answer)["tags"]
    assert set(listed) == {"latest", "1", "1.8", "1.9", "1.8.0", "1.8.1", "1.9.0", "2.0.0-rc.1"}
    for tag, version in (("latest", NEW), ("1", NEW), ("1.9", NEW), ("1.8", OLD), ("1.8.0", OLD)):
        labels = _labels(engine, f"{registry}:{tag}")
        assert labels["org.opencontainers.image.version"] == version, tag
        assert labels["com.centurylinklabs.watchtower.enable"] == "true"


def test_a_moved_tag_counts_from_pull_and_up_on__DOCK_03(engine: Engine, registry: str) -> None:
    """`up -d` alone changes nothing; pull and `up -d` replace the container and keep the volume."""
    latest = f"{registry}:latest"
    with project(engine, "moved") as made:
        made.up(latest)
        first, token = made.container, (made.data / "admin.token").read_text()
        assert _push(engine, NEW, latest)
        engine.ok("tag", engine.image(OLD), latest)  # as this machine has pulled it
        made.ok("up", "-d")
        assert (made.container, made.document("health")["version"]) == (first, OLD)
        made.ok("pull", "-q")
        made.up()
        assert made.container != first
        assert made.document("health")["version"] == NEW
        assert (made.data / "admin.token").read_text() == token
        [backup] = made.document("backup", "list")
        assert (backup["kind"], backup["version"]) == ("migration", OLD)
