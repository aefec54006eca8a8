"""Behind the gate: is this what the tag says? Then its checksums and its SBOM."""

from pathlib import Path
from tempfile import TemporaryDirectory

from waiaas.core.errors import WaiaasError
from waiaas.host.files import sha256
from waiaas.release import sums
from waiaas.release.build import Order, build
from waiaas.release.deploy.deployment import DONE, HOLDS, THERE, Deployment, Result, same_bytes
from waiaas.release.deploy.plan import COPY_OF_ROOT, FILE, ROOT
from waiaas.release.sums import PUBLIC_DIRECTORY


def check(deployment: Deployment) -> Result:
    """The artefact that was tested is what the tagged commit builds: built once more, and compared."""
    plan = deployment.plan
    head = deployment.tool(["git", "-C", str(deployment.source), "rev-parse", "HEAD"]).strip()
    if head != plan.commit:
        raise WaiaasError(
            "other-commit", f"the tree is at {head[:12]}, the plan was made at {plan.commit[:12]}",
            f"check out {plan.tag}",
        )  # fmt: skip
    root = deployment.folder / COPY_OF_ROOT
    same_bytes(root, plan.root_sha256, "the root of trust")
    if deployment.publishes:
        _require_our_root(deployment)
    same_bytes(deployment.artefact, plan.sha256, plan.artefact)
    with TemporaryDirectory(prefix="waiaas-own-build-") as scratch:
        order = Order(
            source=deployment.source, output=Path(scratch), root=root,
            feed_url=plan.feed_url, targets_floor=plan.targets_floor,
        )  # fmt: skip
        own = build(order, deployment.bench.files, deployment.bench.processes)
        same_bytes(own, plan.sha256, "our own build")
    return Result(HOLDS, {"commit": head, "own build": f"sha256:{plan.sha256}"})


def _require_our_root(deployment: Deployment) -> None:
    """An artefact with another root of trust than the tree's could never be upgraded by our feed."""
    if deployment.plan.rehearsal or not (deployment.source / ROOT).is_file():
        raise WaiaasError(
            "no-root-of-trust",
            f"the tree has no {ROOT}, so this release can only be rehearsed",
            f"make the keys, commit their root.json as {ROOT}, and release again",
        )
    same_bytes(deployment.source / ROOT, deployment.plan.root_sha256, str(ROOT))


def documents(deployment: Deployment) -> Result:
    """SHA256SUMS and the SBOM, for the release; the same artefact gives the same bytes."""
    from waiaas.release import sbom  # here: the library takes longer to import than `check` needs

    folder, files = deployment.assets, deployment.bench.files
    before = _digests(folder)
    files.make_directory("release.assets", folder, PUBLIC_DIRECTORY)
    bill = folder / deployment.artefact.with_suffix(".cdx.json").name
    sbom.write(deployment.artefact, deployment.source, bill, files)
    sums.write([deployment.artefact, deployment.folder / FILE, bill], folder, files)
    after = _digests(folder)
    return Result(THERE if after == before else DONE, after)


def _digests(folder: Path) -> dict[str, str]:
    return {path.name: f"sha256:{sha256(path)}" for path in sorted(folder.glob("*"))}
