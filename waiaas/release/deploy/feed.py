"""Publish into the feed, and make it public.

The change was frozen before the gate. Signatures over it come from holders of targets keys, as files
beside it, from a targets key of the environment, or from both; the online keys sign the rest here.
"""

from waiaas.core.errors import UsageError, WaiaasError
from waiaas.core.release import Release
from waiaas.release import keys, publish
from waiaas.release.deploy.branch import MOVED
from waiaas.release.deploy.deployment import DONE, THERE, WOULD, Deployment, Result

ATTEMPTS = 3  # the daily refresh may push between our fetch and our push


def feed(deployment: Deployment) -> Result:
    """The public feed lists this version, with these bytes."""
    if not deployment.publishes:
        commit = deployment.fetch()
        if _listing(deployment) is not None:
            return Result(THERE, _seen(deployment, commit))
        deployment.would(["git", "push", deployment.branch.remote, f"HEAD:{deployment.branch.name}"])
        return Result(WOULD, {"feed commit": commit or "none"})
    for _ in range(ATTEMPTS - 1):
        try:
            return _make_public(deployment)
        except WaiaasError as problem:
            if problem.code != MOVED:
                raise
            deployment.bench.remark("the feed has changed meanwhile; once more")
    return _make_public(deployment)


def _make_public(deployment: Deployment) -> Result:
    """Look, publish what is missing, look again; raises WaiaasError `feed-moved` if somebody was faster."""
    commit = deployment.fetch()
    if _listing(deployment) is not None:
        return Result(THERE, _seen(deployment, commit))
    if deployment.keys is None:
        raise UsageError("no-keys", "publishing needs the online keys", "name their folder with --keys K")
    ring = keys.load_folder(deployment.keys, deployment.bench.passphrase.known)
    publish.publish_pending(deployment.maker, deployment.feed, ring, keep=True)
    deployment.branch.push(deployment.feed, f"release {deployment.plan.version}")
    commit = deployment.fetch()
    if _listing(deployment) is None:
        raise WaiaasError("not-published", "the feed does not list what was published", "run this step again")
    return Result(DONE, _seen(deployment, commit))


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
