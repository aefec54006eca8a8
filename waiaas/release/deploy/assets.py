"""The files of the GitHub Release. What is attached already is downloaded and compared, never replaced."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from waiaas.core.errors import WaiaasError
from waiaas.host.files import sha256
from waiaas.release.deploy.deployment import DONE, THERE, WOULD, Deployment, Result, same_bytes
from waiaas.release.deploy.plan import FILE

ABSENT = ("no assets match", "no assets to download", "HTTP 404")


def assets(deployment: Deployment) -> Result:
    """The release has the artefact, its checksums, its SBOM and its plan."""
    wanted = {path.name: path for path in _wanted(deployment)}
    upload = ["gh", "release", "upload", deployment.plan.tag, "--clobber"]
    if not deployment.publishes:
        deployment.would([*upload, *map(str, wanted.values())])
        return Result(WOULD, {name: f"sha256:{sha256(path)}" for name, path in wanted.items()})
    missing = [path for path in wanted.values() if not _attached(deployment, path)]
    if missing:
        deployment.tool([*upload, *map(str, missing)], "is GH_TOKEN set, and may it write?")
    lost = [path.name for path in missing if not _attached(deployment, path)]
    if lost:
        raise WaiaasError(
            "not-attached", f"the release still has no {', '.join(lost)}", "run this step again"
        )
    seen = {name: f"sha256:{sha256(path)}" for name, path in wanted.items()}
    return Result(DONE if missing else THERE, seen)


def _wanted(deployment: Deployment) -> Iterator[Path]:
    yield deployment.artefact
    yield deployment.folder / FILE
    yield from sorted(deployment.assets.iterdir())


def download(deployment: Deployment, pattern: str, folder: Path) -> bool:
    """Download the assets of the release that match; False if there are none.

    An upload that was cut off leaves a name without bytes: that counts as absent.
    """
    argv = [*download_command(deployment.plan.tag, pattern), "--dir", str(folder), "--clobber"]
    done = deployment.attempt(argv)
    if done.code and not any(words in done.stderr for words in ABSENT):
        raise WaiaasError("tool-failed", f"gh failed: {done.stderr.strip()}", "is GH_TOKEN set?")
    return done.code == 0


def download_command(tag: str, pattern: str) -> list[str]:
    return ["gh", "release", "download", tag, "--pattern", pattern]


def _attached(deployment: Deployment, path: Path) -> bool:
    """Whether the release has this very file; raises WaiaasError `other-bytes` for another of its name."""
    with TemporaryDirectory(prefix="waiaas-asset-") as scratch:
        if not download(deployment, path.name, Path(scratch)):
            return False
        same_bytes(Path(scratch, path.name), sha256(path), f"the release's {path.name}")
    return True
