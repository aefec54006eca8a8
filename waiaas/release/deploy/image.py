"""Which tags an image takes, and how it gets them (DOCK-02).

The image was built and tested before the gate and lies in a folder as skopeo's `dir:` writes it: the
manifest and its blobs. It is copied with its digest, never built again. The tag of a version is
written once; the moving tags follow the newest good release of what they name.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from waiaas.core.errors import UsageError, WaiaasError
from waiaas.core.value import frozen
from waiaas.core.version import Version
from waiaas.host.files import sha256
from waiaas.release.deploy.deployment import DONE, THERE, WOULD, Deployment, Result

LOGINS = "WAIAAS_REGISTRY_LOGINS"  # lines of `host user token`
ABSENT = ("manifest unknown", "name unknown", "not found", "StatusCode: 404")
LOOPBACK = ("127.0.0.1", "localhost")


def image(deployment: Deployment) -> Result:
    """Every repository has the image under every tag that this version takes."""
    plan = deployment.plan
    if not plan.images:
        return Result(THERE, {"images": "none asked for"})
    digest = digest_of(deployment.folder / "image")
    deployment.fetch()
    good = [r.version for r in deployment.repository.releases() if r.withdrawn is None]
    names = [f"{repository}:{tag}" for repository in plan.images for tag in tags(plan.version, good)]
    with _logins(deployment) as authfile:
        registry = Registry(deployment, authfile)
        if not deployment.publishes:
            for name in names:
                deployment.would(registry.copy(deployment.folder / "image", name))
            return Result(WOULD, {"image": digest, "tags": " ".join(names)})
        copied = [registry.have(deployment.folder / "image", digest, name) for name in names]
    return Result(DONE if any(copied) else THERE, dict.fromkeys(names, digest))


def tags(version: Version, good: Iterable[Version]) -> list[str]:
    """The tags of an image, without a `v`, the immovable one first.

    `good`: every version that is not withdrawn. A pre-release has only its own tag; `X.Y`, `X` and
    `latest` are taken by the newest stable one of what they name, so a patch of an old line leaves
    them alone.
    """
    stable = [other for other in good if not other.is_rc]
    moving = [] if version.is_rc else ["latest", f"{version.major}", f"{version.major}.{version.minor}"]
    return [str(version), *(tag for tag in moving if version >= _newest(tag, stable, version))]


def _newest(tag: str, stable: Iterable[Version], version: Version) -> Version:
    """The newest version that a moving tag can mean, at least this one."""
    prefix = () if tag == "latest" else tuple(int(part) for part in tag.split("."))
    meant = [other for other in stable if (other.major, other.minor)[: len(prefix)] == prefix]
    return max(meant, default=version)


def digest_of(folder: Path) -> str:
    """The digest of an image in a folder: that of its manifest."""
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        raise WaiaasError("no-image", f"there is no image in {folder}", "run build/release/image.sh")
    return f"sha256:{sha256(manifest)}"


@frozen
class Registry:
    """Command lines of skopeo, as values, and what comes of them."""

    deployment: Deployment
    authfile: Path | None

    def copy(self, folder: Path, name: str) -> list[str]:
        """Copy the image, every platform of it, with its digest."""
        options = ["--all", "--preserve-digests", *self._options("--dest-tls-verify", name)]
        return ["skopeo", "copy", *options, f"dir:{folder}", f"docker://{name}"]

    def look(self, name: str) -> list[str]:
        options = ["--raw", *self._options("--tls-verify", name)]
        return ["skopeo", "inspect", *options, f"docker://{name}"]

    def have(self, folder: Path, digest: str, name: str) -> bool:
        """See to it that `name` is this image; True if it had to be copied."""
        seen = self.seen(name)
        if seen == digest:
            return False
        if seen and name.endswith(f":{self.deployment.plan.version}"):
            raise WaiaasError(
                "image-taken",
                f"{name} is {seen}, not {digest}",
                "a version is never used again: release the next",
            )
        self.deployment.tool(self.copy(folder, name), f"is {LOGINS} set?")
        if (seen := self.seen(name)) != digest:
            raise WaiaasError(
                "image-differs", f"{name} is {seen or 'absent'}, not {digest}", "run this step again"
            )
        return True

    def seen(self, name: str) -> str:
        """The digest a registry has under a name; "" for none."""
        done = self.deployment.attempt(self.look(name))
        if done.code == 0:
            return f"sha256:{hashlib.sha256(done.stdout.encode()).hexdigest()}"
        if any(words in done.stderr for words in ABSENT):
            return ""
        lines = done.stderr.strip().splitlines() or ["it said nothing"]
        raise WaiaasError("registry-failed", f"cannot look at {name}: {lines[-1]}", f"is {LOGINS} set?")

    def _options(self, verify: str, name: str) -> Sequence[str]:
        authfile = ["--authfile", str(self.authfile)] if self.authfile else []
        local = name.partition("/")[0].partition(":")[0] in LOOPBACK
        return [*authfile, *([f"{verify}=false"] if local else [])]


@contextmanager
def _logins(deployment: Deployment) -> Iterator[Path | None]:
    """A file with the logins for skopeo, for as long as it is needed."""
    given = [line.split() for line in deployment.bench.environ.get(LOGINS, "").splitlines() if line.strip()]
    if any(len(words) != 3 for words in given):
        raise UsageError("bad-logins", f"a line of {LOGINS} is not `host user token`", "see docs/release.md")
    if not given or not deployment.publishes:
        yield None
        return
    secrets = {
        host: {"auth": base64.b64encode(f"{user}:{token}".encode()).decode()} for host, user, token in given
    }
    with TemporaryDirectory(prefix="waiaas-logins-") as scratch:
        path = Path(scratch, "auth.json")
        deployment.bench.files.write("deploy.logins", path, json.dumps({"auths": secrets}).encode())
        yield path
