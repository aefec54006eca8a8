"""Whether one version can be installed over another, and over which stepping stones (FEED-4)."""

from collections.abc import Callable, Iterable, Sequence

from waiaas.core.release import Release
from waiaas.core.value import frozen
from waiaas.core.version import Version


@frozen
class Footing:
    """Where a hop starts: the version that runs and the schema of its database, None without one."""

    version: Version
    schema: int | None

    def after(self, release: Release) -> "Footing":
        """A program leaves its own schema behind, and a newer one as it was."""
        return Footing(release.version, max(self.schema or 0, release.schema.writes))


def obstacle(footing: Footing, release: Release, python: tuple[int, int, int]) -> tuple[str, str] | None:
    """Why `release` cannot be installed from here in one hop: (code, reason); None if it can."""
    if not release.runs_on(python):
        have = ".".join(map(str, python))
        return "python", f"{release.version} needs Python {release.python}, this is {have}"
    if release.min_from is not None and footing.version < release.min_from:
        return "too-far", f"{release.version} can only be installed from {release.min_from} or newer"
    schema = release.schema
    if footing.schema is not None and not schema.reads_from <= footing.schema <= schema.reads_to:
        span = f"{schema.reads_from} to {schema.reads_to}"
        return "schema", f"{release.version} opens databases of schema {span}, this one has {footing.schema}"
    return None


def find_path(
    start: Footing,
    target: Release,
    stones: Iterable[Release],
    python: tuple[int, int, int],
) -> tuple[Release, ...]:
    """The fewest hops up to `target`, each installable from the one before; empty if there is none.

    Of several paths with as few hops, the one over the newest stones.
    """
    nodes = sorted({*stones, target}, key=lambda release: release.version, reverse=True)
    seen: set[Footing] = {start}
    edge: list[tuple[Footing, tuple[Release, ...]]] = [(start, ())]
    while edge:
        further: list[tuple[Footing, tuple[Release, ...]]] = []
        for footing, path in edge:
            for node in nodes:
                if not footing.version < node.version <= target.version:
                    continue
                if obstacle(footing, node, python) is not None:
                    continue
                if node.version == target.version:
                    return (*path, node)
                if (reached := footing.after(node)) not in seen:
                    seen.add(reached)
                    further.append((reached, (*path, node)))
        edge = further
    return ()


def stepping_stones(
    target: Release, releases: Sequence[Release], allowed: Callable[[Release], bool]
) -> list[Release]:
    """The releases that `target` names in `via`, and those that these name in turn."""
    known = {release.version: release for release in releases if allowed(release)}
    found: dict[Version, Release] = {}
    waiting = list(target.via)
    while waiting:
        version = waiting.pop()
        if version in known and version not in found:
            found[version] = known[version]
            waiting.extend(known[version].via)
    return list(found.values())
