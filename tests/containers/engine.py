"""A container engine, through its command line: Docker's, started here, or podman with buildah.

Both run in network namespaces that reach nothing, so what works here works offline.
"""

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.containers.artefacts import NEW, OLD
from tests.journeys.api import eventually
from tests.journeys.workshop import REPOSITORY, Done

BASE = "waiaas-test-base:1"
REPO = "waiaas/daemon"
VERSIONS = (OLD, NEW)
PATIENCE = 110  # seconds for one command
HEALTHY = 60  # seconds until the first check passes, on a busy machine
OFTEN = ("--health-interval=1s", "--health-start-period=1s")  # a test does not wait half a minute


class Engine:
    """`name` is docker or podman. `run`-like methods take the words of that command line."""

    def __init__(self, name: str, folder: Path, environ: Mapping[str, str]) -> None:
        self.name, self.folder, self.environ = name, folder, dict(environ)
        self.context = folder.parent / "context"

    def image(self, version: str) -> str:
        """The name of our image; podman wants to be told that it is a local one."""
        prefix = "" if self.name == "docker" else "localhost/"
        return f"{prefix}{REPO}:{version}"

    @property
    def base(self) -> str:
        return BASE if self.name == "docker" else f"localhost/{BASE}"

    def call(self, *words: str, **environ: str) -> Done:
        """`docker WORDS` or `podman WORDS`, whatever comes of it."""
        return self._run([self.name, *words], environ)

    def ok(self, *words: str, **environ: str) -> str:
        """The same; stdout, if it went well."""
        return good(self.call(*words, **environ))

    def build(self, version: str, *options: str, tag: str = "", **environ: str) -> Done:
        """An image of the artefact of that version, or with `--build-arg` of another."""
        words = ["--build-arg", f"BASE={self.base}", "--build-arg", f"VERSION={version}", *options]
        words += ["-f", str(REPOSITORY / "Dockerfile"), "-t", tag or self.image(version), str(self.context)]
        buildah = ["buildah", "bud", "--isolation", "chroot", "--format", "docker", "--pull-never"]
        argv = ["docker", "build", "--network", "none"] if self.name == "docker" else buildah
        return self._run([*argv, *words], environ)

    def config(self, image: str) -> dict[str, Any]:
        """Environment, user, labels and so on of an image."""
        [found] = json.loads(self.ok("image", "inspect", image))
        config: dict[str, Any] = found["Config"]
        if self.name == "podman":
            config["Healthcheck"] = found.get("Healthcheck") or found["HealthCheck"]  # by its version
        return config

    def start(self, name: str, image: str, *options: str) -> None:
        self.ok("run", "-d", "--name", name, *OFTEN, *options, image)

    def healthy(self, name: str) -> None:
        """Wait until the image's own health check has passed. Podman has no timer here: it is asked."""
        end = time.monotonic() + HEALTHY
        while not self._passes(name):
            assert time.monotonic() < end, self.logs(name)
            time.sleep(0.2)  # each look is a process

    def stop(self, name: str) -> int:
        """As an operator does; the exit code of the daemon."""
        self.ok("stop", "-t", "30", name)
        return int(self.ok("inspect", "-f", "{{.State.ExitCode}}", name))

    def waiaas(self, name: str, *words: str) -> Done:
        """A command in a running container, by the name that is on its PATH."""
        return self.call("exec", name, "waiaas", *words)

    def logs(self, name: str) -> str:
        done = self.call("logs", name)
        return done.out + done.err

    @contextmanager
    def volume(self, name: str) -> Iterator[Path]:
        """A new named volume, and where this machine sees it; gone afterwards with who uses it."""
        self.ok("volume", "create", name)
        try:
            yield Path(self.ok("volume", "inspect", "-f", "{{.Mountpoint}}", name).strip())
        finally:
            for user in self.ok("ps", "-aq", "--filter", f"volume={name}").split():
                self.call("rm", "-f", user)
            self.call("volume", "rm", "-f", name)

    @contextmanager
    def container(self, name: str, image: str, *options: str) -> Iterator[str]:
        """A running container, gone afterwards with its anonymous volume."""
        try:
            self.start(name, image, *options)
            yield name
        finally:
            self.call("rm", "-f", "-v", name)

    def _passes(self, name: str) -> bool:
        [found] = json.loads(self.ok("inspect", name))
        assert found["State"]["Running"], self.logs(name)
        if self.name == "podman":
            return self.call("healthcheck", "run", name).code == 0
        return bool(found["State"]["Health"]["Status"] == "healthy")

    def _run(self, argv: list[str], environ: Mapping[str, str]) -> Done:
        env = {**self.environ, **environ}
        done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=PATIENCE)
        return Done(done.returncode, done.stdout, done.stderr)


def good(done: Done) -> str:
    assert done.code == 0, done
    return done.out


@contextmanager
def docker(folder: Path, unpacked: Path, base: Path) -> Iterator[Engine]:
    """A Docker daemon of our own, its images and volumes in `folder`."""
    environ = {
        "PATH": f"{unpacked}/usr/bin:{unpacked}/usr/sbin:{os.environ['PATH']}",
        "DOCKER_HOST": "unix:///run/docker.sock",
        "DOCKER_CONFIG": str(folder / "config"),
    }
    (folder / "config").mkdir()
    if (plugins := unpacked / "usr/libexec/docker/cli-plugins").is_dir():  # else the machine's own
        (folder / "config" / "cli-plugins").symlink_to(plugins)
    settings = folder / "daemon.json"
    settings.write_text("{}")
    argv = ["dockerd", "--config-file", str(settings), "--data-root", str(folder / "data")]
    argv += ["--exec-root", "/run/docker", "--pidfile", "/run/docker.pid", "-H", environ["DOCKER_HOST"]]
    argv += ["--cgroup-parent", "/waiaas-test-docker", "--exec-opt", "native.cgroupdriver=cgroupfs"]
    argv += ["--default-ulimit", "nofile=1024:4096", "--log-level", "warn"]
    engine = Engine("docker", folder, environ)
    with (
        (folder / "daemon.log").open("w") as log,
        subprocess.Popen(argv, env=environ, stdout=log, stderr=log) as daemon,
    ):
        try:
            eventually(lambda: engine.call("version").code == 0)
            engine.ok("import", str(base), BASE)
            yield engine
        finally:
            daemon.terminate()


@contextmanager
def podman(folder: Path, base: Path) -> Iterator[Engine]:
    """Podman and buildah with a store of their own in `folder`."""
    storage, containers = folder / "storage.conf", folder / "containers.conf"
    storage.write_text(f'[storage]\ndriver="overlay"\ngraphroot="{folder}/store"\nrunroot="/run/podman"\n')
    containers.write_text(
        '[engine]\ncgroup_manager="cgroupfs"\nevents_logger="file"\n'
        '[network]\nnetwork_backend="netavark"\n'
        '[containers]\nlog_driver="k8s-file"\n'
        'default_ulimits=["nofile=1024:4096","nproc=4096:4096"]\n'
    )
    environ = {
        "PATH": os.environ["PATH"],
        "CONTAINERS_STORAGE_CONF": str(storage),
        "CONTAINERS_CONF": str(containers),
    }
    engine = Engine("podman", folder, environ)
    engine.ok("import", "-q", str(base), engine.base)
    yield engine
