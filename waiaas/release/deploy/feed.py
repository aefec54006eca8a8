"""Publish into the feed, and make it public.

The change was frozen before the gate. Signatures over it come from holders of targets keys, as files
beside it, from a targets key of the environment, or from both; the online keys sign the rest here.
"""

import shutil

from waiaas.core.errors import UsageError, WaiaasError
from waiaas.core.release import Release
from waiaas.release import keys, pending, publish
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


def feed(deployment: Deployment) -> Result:
    """The public feed lists this version, with these bytes."""
    branch = deployment.branch
    commit = branch.fetch(deployment.feed)
    listed = _listing(deployment)
    if listed is not None:
        return Result(THERE, _seen(deployment, commit))
    if not deployment.publishes:
        deployment.would(["git", "push", branch.remote, f"HEAD:{branch.name}"])
        return Result(WOULD, {"feed commit": commit or "none"})
    _publish(deployment)
    commit = branch.push(deployment.feed, f"release {deployment.plan.version}")
    branch.fetch(deployment.feed)
    if _listing(deployment) is None:
        raise WaiaasError("not-published", "the feed does not list what was published", "run this step again")
    return Result(DONE, _seen(deployment, commit))


def _publish(deployment: Deployment) -> None:
    """Into our copy of the feed. The frozen change itself stays until the push has succeeded."""
    if deployment.keys is None:
        raise UsageError("no-keys", "publishing needs the online keys", "name their folder with --keys K")
    if not deployment.pending.is_dir():
        raise WaiaasError("nothing-prepared", "no change to the feed was frozen", "run `assemble` again")
    waiting = pending.folder_of(deployment.feed)
    shutil.rmtree(waiting, ignore_errors=True)
    shutil.copytree(deployment.pending, waiting)
    ring = keys.load_folder(deployment.keys, deployment.bench.passphrase.known)
    publish.publish_pending(deployment.maker, deployment.feed, ring)


def _listing(deployment: Deployment) -> Release | None:
    """What our copy of the feed says of the version.

    Raises WaiaasError `version-taken`, or `version-withdrawn`: neither is ever released again.
    """
    listed = [r for r in deployment.repository.releases() if r.version == deployment.plan.version]
    for release in listed:
        if release.sha256 != deployment.plan.sha256:
            why = "is public with other bytes"
            raise WaiaasError("version-taken", f"{release.version} {why}", "release the next version")
        if release.withdrawn is not None:
            raise WaiaasError(
                "version-withdrawn", f"{release.version} is withdrawn", "release the next version"
            )
    return listed[0] if listed else None


def _seen(deployment: Deployment, commit: str) -> dict[str, str]:
    targets = next(role.version for role in deployment.repository.roles() if role.role == "targets")
    return {
        "feed commit": commit,
        "targets version": str(targets),
        str(deployment.plan.version): f"sha256:{deployment.plan.sha256}",
    }


def _listed(deployment: Deployment) -> str:
    return ", ".join(sorted(p.name[:8] for p in deployment.pending.glob(SIGNATURES))) or "none"
