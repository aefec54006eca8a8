"""Signatures that key holders have given over the frozen change, each on their own machine."""

from waiaas.release.deploy import assets
from waiaas.release.deploy.deployment import DONE, THERE, WOULD, Deployment, Result

SIGNATURES = "*.sig.json"


def signatures(deployment: Deployment) -> Result:
    """Take the partial signatures that key holders have attached to the GitHub Release."""
    if not deployment.pending.is_dir():
        return Result(THERE, {"signatures": "nothing to sign"})
    if not deployment.publishes:
        deployment.would(assets.download_command(deployment.plan.tag, SIGNATURES))
        return Result(WOULD, {"signatures": _listed(deployment)})
    found = assets.download(deployment, SIGNATURES, deployment.pending)
    return Result(DONE if found else THERE, {"signatures": _listed(deployment)})


def _listed(deployment: Deployment) -> str:
    return ", ".join(sorted(p.name[:8] for p in deployment.pending.glob(SIGNATURES))) or "none"
