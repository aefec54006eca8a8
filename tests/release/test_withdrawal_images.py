"""Moving tags of an image, in a real registry with the real skopeo where both are installed (WDR-2)."""

import hashlib
import json
import os
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

import pytest

from waiaas.core.errors import WaiaasError
from waiaas.core.version import Version
from waiaas.host.processes import Processes
from waiaas.release.withdrawal import images
from waiaas.release.withdrawal.outside import Outside

pytestmark = pytest.mark.journey
CONFIG = "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: {}}}\n"
TYPE = "application/vnd.oci.image.manifest.v1+json"
OLD, BAD, OTHER = "1.8.0", "1.9.0", "2.0.0"


class Registry:
    """Debian's docker-registry on loopback; `image` lies in it under some tags."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.image = f"{address}/acme/waiaas"
        self.outside = Outside(Processes(os.environ), os.environ)

    def push(self, tag: str, content: str) -> str:
        """An image of one empty layer whose configuration is `content`; returns its digest."""
        blob = json.dumps({"architecture": "amd64", "os": "linux", "what": content}).encode()
        layer = b"\x1f\x8b" + content.encode()
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": TYPE,
                "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **self._put(blob)},
                "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", **self._put(layer)}],
            }
        ).encode()
        self._call("PUT", f"/manifests/{tag}", manifest, {"Content-Type": TYPE})
        return digest_of(manifest)

    def tags(self) -> dict[str, str]:
        """Every tag and its digest, as the registry itself says."""
        names = json.loads(self._call("GET", "/tags/list")[1])["tags"]
        return {
            name: self._call("HEAD", f"/manifests/{name}", None, {"Accept": TYPE})[0]["Docker-Content-Digest"]
            for name in names
        }

    def move(self, tag: str, good: str = OLD) -> str:
        return images.move_back(
            images.SKOPEO, self.outside, self.image, tag, Version.parse(good), Version.parse(BAD)
        )

    def _put(self, data: bytes) -> dict[str, str | int]:
        where = self._call("POST", "/blobs/uploads/")[0]["Location"]
        separator = "&" if "?" in where else "?"
        self._call(
            "PUT",
            f"{where}{separator}digest={digest_of(data)}",
            data,
            {"Content-Type": "application/octet-stream"},
        )
        return {"digest": digest_of(data), "size": len(data)}

    def _call(
        self, method: str, path: str, data: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[Message, bytes]:
        url = path if path.startswith("http") else f"http://{self.address}/v2/acme/waiaas{path}"
        request = urllib.request.Request(url, data, headers or {}, method=method)
        with urllib.request.urlopen(request) as answer:
            return answer.headers, answer.read()


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    missing = [name for name in ("docker-registry", "skopeo") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (build/ci-packages.sh)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    config = tmp_path / "registry.yml"
    config.write_text(CONFIG.format(tmp_path / "images", address))
    with subprocess.Popen(["docker-registry", "serve", str(config)], stderr=subprocess.PIPE) as it:
        try:
            assert it.stderr is not None
            for line in it.stderr:
                if b"listening on" in line:
                    break
            yield Registry(address)
        finally:
            it.terminate()
            it.communicate()


def test_tags_that_serve_the_bad_version_serve_the_good_one_afterwards__WDR_2(registry: Registry) -> None:
    good, bad = registry.push(OLD, "good"), registry.push(BAD, "bad")
    for tag in ("latest", "1", "1.9"):
        registry.push(tag, "bad")
    for tag in ("latest", "1", "1.9"):
        for _ in range(2):  # and saying it again changes nothing
            assert registry.move(tag) == f"{registry.image}:{tag} serves 1.8.0 ({good[:19]})"
    assert registry.tags() == {OLD: good, "latest": good, "1": good, "1.9": good, BAD: bad}


def test_a_tag_that_serves_something_else_is_left_alone__WDR_2(registry: Registry) -> None:
    registry.push(OLD, "good")
    registry.push(BAD, "bad")
    newer = registry.push("latest", "newer")
    assert "left as it is" in registry.move("latest")
    assert registry.tags()["latest"] == newer


def test_a_tag_that_is_not_there_is_not_made__WDR_2(registry: Registry) -> None:
    registry.push(OLD, "good")
    registry.push(BAD, "bad")
    assert registry.move("1.9") == f"{registry.image}:1.9 does not exist"
    assert set(registry.tags()) == {OLD, BAD}


def test_without_the_good_image_the_tag_stays_and_that_is_a_failure__WDR_2(registry: Registry) -> None:
    registry.push(BAD, "bad")
    bad = registry.push("latest", "bad")
    with pytest.raises(WaiaasError, match="there is no"):
        registry.move("latest")
    assert registry.tags()["latest"] == bad


def test_a_registry_that_does_not_answer_is_a_failure_and_no_absence__WDR_2(tmp_path: Path) -> None:
    if shutil.which("skopeo") is None:
        pytest.skip("not installed: skopeo (build/ci-packages.sh)")
    with pytest.raises(WaiaasError, match="cannot read") as refused:
        Registry("127.0.0.1:9").move("latest")
    assert "refused" in refused.value.message
