"""The desktop channel, beside the feed: `desktop/latest.json`, for shells that update themselves (DSK-1).

Made anew from what the public feed says, and pushed if that changes anything. Without a minisign key
there is no desktop channel, and that is no failure.
"""

from pathlib import Path

from waiaas.core.errors import WaiaasError
from waiaas.host.files import sha256
from waiaas.release import desktop, minisign
from waiaas.release.deploy.deployment import DONE, THERE, WOULD, Deployment, Result
from waiaas.release.deploy.plan import COPY_OF_ROOT
from waiaas.release.reader import read

FOLDER = "desktop"
KEY = "minisign.key"  # in the folder of the keys


def channel(deployment: Deployment) -> Result:
    """`desktop/latest.json` offers what it should, or is not there."""
    key = deployment.keys and deployment.keys / KEY
    if key is None or not key.is_file():
        return Result(THERE, {"desktop channel": "none: there is no minisign key"})
    deployment.fetch()
    if not deployment.publishes:
        deployment.bench.remark("dry run: would sign the bundles for shells and push latest.json")
        return Result(WOULD, {"latest.json": _digest(deployment)})
    before = _digest(deployment)
    offered = _write(deployment, key)
    if _digest(deployment) == before:
        return Result(THERE, {"latest.json": before, "offers": offered})
    wanted = _digest(deployment)
    deployment.branch.push(deployment.feed, f"desktop channel offers {offered}")
    deployment.fetch()
    if (seen := _digest(deployment)) != wanted:
        raise WaiaasError("not-published", f"latest.json is {seen}, not {wanted}", "run this step again")
    return Result(DONE, {"latest.json": seen, "offers": offered})


def _write(deployment: Deployment, key: Path) -> str:
    """Into our copy of the feed; the version that shells are offered."""
    files, clock = deployment.bench.files, deployment.bench.clock
    seen = read(deployment.feed, (deployment.folder / COPY_OF_ROOT).read_bytes())
    offer = desktop.choose(seen, (), clock.now())
    folder = deployment.feed / FOLDER
    if offer is None:
        desktop.withhold(folder, files)
        return "nothing"
    secret = minisign.load(key, deployment.bench.passphrase.known)
    desktop.write(offer, deployment.feed, deployment.plan.feed_url, secret, folder, files)
    return str(offer.release.version)


def _digest(deployment: Deployment) -> str:
    path = deployment.feed / FOLDER / desktop.FILE
    return f"sha256:{sha256(path)}" if path.is_file() else "none"
