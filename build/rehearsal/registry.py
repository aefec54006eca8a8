"""A real registry for the images: Debian's docker-registry on loopback, its data in a folder."""

import re
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path

NEEDED = ("docker-registry", "skopeo", "buildah")
CONFIG = """version: 0.1
storage: {{filesystem: {{rootdirectory: {data}}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""
PATIENCE = 20.0  # seconds until it listens


def missing() -> list[str]:
    """The programs that images need and that are not here."""
    return [name for name in NEEDED if shutil.which(name) is None]


class Registry:
    """Started with the first port that is free, and again on the same one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.port = 0
        self.start()

    @property
    def image(self) -> str:
        return f"127.0.0.1:{self.port}/waiaas/daemon"

    def start(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        config, log = self.folder / "config.yml", self.folder / "log"
        config.write_text(CONFIG.format(data=self.data, port=self.port))
        with log.open("wb") as stream:
            self._process = subprocess.Popen(
                ["docker-registry", "serve", str(config)],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
            )
        self.port = self._listening(log)

    def tags(self) -> dict[str, str]:
        """Every tag and its digest, as the registry says."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/v2/_catalog") as answer:
            if b"waiaas/daemon" not in answer.read():
                return {}
        listed = self._skopeo("list-tags", f"docker://{self.image}")
        names = re.findall(r'"([^"]+)"', listed.partition("[")[2])
        return {name: self._digest(name) for name in sorted(names)}

    def save(self, folder: Path) -> None:
        shutil.copytree(self.data, folder)

    def restore(self, folder: Path) -> None:
        self.stop()
        shutil.rmtree(self.data)
        shutil.copytree(folder, self.data)
        self.start()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()

    def _digest(self, tag: str) -> str:
        return self._skopeo(
            "inspect", "--format", "{{.Digest}}", "--no-tags", f"docker://{self.image}:{tag}"
        ).strip()

    def _skopeo(self, verb: str, *arguments: str) -> str:
        argv = ["skopeo", verb, "--tls-verify=false", *arguments]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout

    def _listening(self, log: Path) -> int:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if found := re.search(r"listening on 127\.0\.0\.1:(\d+)", log.read_text()):
                return int(found[1])
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        raise SystemExit(f"docker-registry does not start: {log.read_text()}")
