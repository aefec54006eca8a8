"""Images in the rehearsal, where buildah, skopeo, docker-registry and a base image are at hand."""

import os
import platform
import subprocess
from pathlib import Path

from machine import HERE
from registry import Registry, missing

BASE_TAR = HERE / ".cache" / "containers" / "base.tar"  # `make containers` makes it
BASE = "localhost/waiaas-rehearsal-base:1"
NO_IMAGES = {"IMAGES": "", "BASE": "", "PLATFORMS": ""}
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


class Images:
    """`variables`: of the repository, so that it has images; without, if there can be none."""

    def __init__(self, folder: Path, *, wanted: bool) -> None:
        self.registry: Registry | None = None
        why = self._why_not() if wanted else "the short form"
        self.variables = NO_IMAGES
        if why:
            print(f"images: left out, {why}", flush=True)
            return
        self.registry = Registry(folder)
        machine = MACHINES.get(platform.machine(), platform.machine())
        self.variables = {
            "IMAGES": self.registry.image,
            "BASE": self._base(),
            "PLATFORMS": f"linux/{machine}",
        }

    def tags(self) -> dict[str, str]:
        return self.registry.tags() if self.registry else {}

    def save(self, folder: Path) -> None:
        if self.registry:
            self.registry.save(folder)

    def restore(self, folder: Path) -> None:
        if self.registry:
            self.registry.restore(folder)

    def close(self) -> None:
        if self.registry:
            self.registry.stop()
            if self.variables["BASE"]:
                subprocess.run(["buildah", "rmi", "-f", BASE], check=False, capture_output=True)

    def _why_not(self) -> str:
        if lacking := missing():
            return f"{', '.join(lacking)} missing (build/ci-packages.sh)"
        if not BASE_TAR.is_file() and not os.environ.get("CI"):
            return f"no base image in {BASE_TAR.relative_to(HERE)} (make containers makes one)"
        return ""

    def _base(self) -> str:
        """The base image that the container tests use; in CI, where there is none, the Dockerfile's own."""
        if not BASE_TAR.is_file():
            return ""
        made = subprocess.run(
            ["buildah", "from", "scratch"], check=True, capture_output=True, text=True
        ).stdout.strip()
        try:
            for argv in (["add", "-q", made, str(BASE_TAR), "/"], ["commit", "-q", made, BASE]):
                subprocess.run(["buildah", *argv], check=True, capture_output=True)
        finally:
            subprocess.run(["buildah", "rm", made], check=True, capture_output=True)
        return BASE
