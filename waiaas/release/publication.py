"""What a publication adds to the feed: artefacts as releases, bundles of the desktop shell beside them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from waiaas.core.errors import UsageError, WaiaasError
from waiaas.core.release import Release, Rollout, target_name
from waiaas.core.version import Version
from waiaas.host.clock import Clock
from waiaas.release import shells as bundles
from waiaas.release.artefact import Artefact, read
from waiaas.release.pending import Change
from waiaas.release.repository import Repository

if TYPE_CHECKING:
    from waiaas.release.publish import Terms

Wishes = Sequence[tuple[str, Path]]  # platform, file


def draft(
    repository: Repository, clock: Clock, paths: Iterable[Path], terms: "Terms", root: bytes, shells: Wishes
) -> Change | None:
    """The change that adds what is not published yet, in the order of the versions; None if all is.

    `root`: of a feed that has none. Raises UsageError `bad-shell`, `unknown-version`, `rc-in-stable`,
    `bad-rollout`; WaiaasError `version-taken`, `not-an-artefact`.
    """
    published = {release.version: release for release in repository.releases()}
    artefacts = sorted((read(path) for path in paths), key=lambda artefact: artefact.version)
    fresh = [artefact for artefact in artefacts if not _is_published(artefact, published)]
    _check_terms(terms, {*published, *(artefact.version for artefact in fresh)})
    seq = max((release.seq for release in published.values()), default=0)
    start = clock.seconds()
    releases = [_release(artefact, terms, seq + n, start) for n, artefact in enumerate(fresh, 1)]
    added = _bundles(repository, artefacts, shells)
    payloads = {target_name(artefact.version): artefact.path for artefact in fresh}
    payloads |= {shell.target: path for shell, path in added.items()}
    return repository.draft(releases, payloads, root, added) if payloads else None


def share(percent: int, start: int) -> Rollout | None:
    """A roll-out to this share from `start` (Unix seconds) on; None for everybody."""
    if not 0 <= percent <= 100:
        raise UsageError("bad-rollout", f"{percent} is no percentage", "use 0 to 100")
    return None if percent == 100 else Rollout(start, ((0, percent),))


def _bundles(
    repository: Repository, artefacts: Sequence[Artefact], shells: Wishes
) -> dict[bundles.Shell, Path]:
    if not shells:
        return {}
    if len(artefacts) != 1:
        raise UsageError("bad-shell", "bundles belong to one release", "name one artefact with --shell")
    return bundles.missing(repository.shells(), bundles.described(artefacts[0].version, shells))


def _is_published(artefact: Artefact, published: dict[Version, Release]) -> bool:
    there = published.get(artefact.version)
    if there is not None and there.sha256 != artefact.sha256:
        raise WaiaasError(
            "version-taken",
            f"{artefact.version} is published already with other bytes, and a version is never used again",
            "publish the next version",
        )
    return there is not None


def _check_terms(terms: "Terms", known: set[Version]) -> None:
    unknown = [str(version) for version in terms.via if version not in known]
    if unknown:
        raise UsageError(
            "unknown-version", f"the feed has no {', '.join(unknown)}", "name published versions as --via"
        )


def _release(artefact: Artefact, terms: "Terms", seq: int, start: int) -> Release:
    version = artefact.version
    if version.is_rc and terms.channel == "stable":
        raise UsageError("rc-in-stable", f"{version} is a release candidate", "publish it to channel rc")
    return Release(
        version=version,
        seq=seq,
        min_safe=terms.min_safe,
        channel=terms.channel or version.channel,
        commit=artefact.commit,
        built=artefact.built,
        schema=artefact.schema,
        min_from=terms.min_from,
        via=terms.via,
        python=artefact.python,
        notes_url=terms.notes_url,
        critical=terms.critical,
        withdrawn=None,
        rollout=share(terms.rollout, start),
        target=target_name(version),
        length=artefact.length,
        sha256=artefact.sha256,
    )
