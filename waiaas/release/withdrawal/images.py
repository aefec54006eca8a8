"""Container images: the moving tags go back, in the registry itself, by digest (WDR-2, DOCK-02).

A moving tag that serves the withdrawn version gets the newest good one that it can mean (`2.1`: of
2.1.*, `2`: of 2.*, `latest`: of all), and where there is none, the target of the withdrawal: no tag
may go on serving what was withdrawn. Tags that serve something else are left alone, and the
withdrawn version keeps its own tag: nothing is deleted.
"""

import hashlib
from collections.abc import Callable, Sequence

from waiaas.core.errors import WaiaasError
from waiaas.core.release import Release
from waiaas.core.value import frozen
from waiaas.core.version import Version
from waiaas.release.deploy.image import ABSENT, LOOPBACK, tags
from waiaas.release.withdrawal import target
from waiaas.release.withdrawal.outside import Argv, Outside


@frozen
class Registry:
    """A program that reads and moves tags without pulling anything: its command lines as values."""

    name: str
    look: Callable[[str], Argv]  # the manifest of a reference, as it is
    move: Callable[[str, str, str], Argv]  # image, digest, tag

    def digest(self, outside: Outside, image: str, tag: str) -> str | None:
        """`sha256:…` of what `image:tag` serves now; None if there is no such tag."""
        done = outside.run(self.look(f"{image}:{tag}"))
        if done.code == 0 and done.stdout:
            return f"sha256:{hashlib.sha256(done.stdout.encode()).hexdigest()}"
        said = outside.secrets.withheld(done.stderr.strip())
        if any(words in said for words in ABSENT):
            return None
        last = (said.splitlines() or ["it said nothing"])[-1]
        raise WaiaasError("tool-failed", f"{self.name} cannot read {image}:{tag}: {last[:300]}")


def _insecure(option: str, image: str) -> Argv:
    """A registry on this machine has no certificate."""
    return (f"{option}=false",) if image.partition("/")[0].partition(":")[0] in LOOPBACK else ()


SKOPEO = Registry(
    "skopeo",
    lambda reference: (
        *("skopeo", "inspect", "--raw", *_insecure("--tls-verify", reference)),
        f"docker://{reference}",
    ),
    lambda image, digest, tag: (
        *("skopeo", "copy", "--all", "--preserve-digests"),
        *(*_insecure("--src-tls-verify", image), *_insecure("--dest-tls-verify", image)),
        *(f"docker://{image}@{digest}", f"docker://{image}:{tag}"),
    ),
)
BUILDX = Registry(
    "docker buildx",
    lambda reference: ("docker", "buildx", "imagetools", "inspect", "--raw", reference),
    lambda image, digest, tag: (
        *("docker", "buildx", "imagetools", "create", "--prefer-index=false"),
        *("--tag", f"{image}:{tag}", f"{image}@{digest}"),
    ),
)


def at_hand(outside: Outside) -> Registry | None:
    """skopeo, or docker with buildx; None without either."""
    if outside.has("skopeo"):
        return SKOPEO
    if outside.has("docker") and outside.run(("docker", "buildx", "version")).code == 0:
        return BUILDX
    return None


def moving_tags(version: Version) -> list[str]:
    """`latest`, `X`, `X.Y`; none for a release candidate, which only has its own tag."""
    return tags(version, [])[1:]


def meant_by(tag: str, releases: Sequence[Release], withdrawn: Version, to: Version | None) -> Version | None:
    """The version that a moving tag shall serve instead of the withdrawn one."""
    prefix = () if tag == "latest" else tuple(int(part) for part in tag.split("."))
    return target.newest_good(releases, withdrawn, prefix) or to


def move_back(
    registry: Registry, outside: Outside, image: str, tag: str, good: Version, withdrawn: Version
) -> str:
    """Let `image:tag` serve `good` if it serves the withdrawn version; returns what it serves now.

    Raises WaiaasError `tag-not-moved`, `no-such-image`.
    """
    now, bad = registry.digest(outside, image, tag), registry.digest(outside, image, str(withdrawn))
    if now is None:
        return f"{image}:{tag} does not exist"
    wanted = registry.digest(outside, image, str(good))
    if wanted is not None and now == wanted:
        return f"{image}:{tag} serves {good} ({short(now)})"
    if now != bad:
        return f"{image}:{tag} serves {short(now)}, which is not {withdrawn}: left as it is"
    if wanted is None:
        raise WaiaasError(
            "no-such-image", f"{image}:{tag} serves {withdrawn}, and there is no {image}:{good}"
        )
    outside.ask(registry.move(image, wanted, tag))
    seen = registry.digest(outside, image, tag)
    if seen != wanted:
        raise WaiaasError("tag-not-moved", f"{image}:{tag} serves {seen and short(seen)} after moving it")
    return f"{image}:{tag} serves {good} ({short(seen)})"


def short(digest: str) -> str:
    return digest[:19]
