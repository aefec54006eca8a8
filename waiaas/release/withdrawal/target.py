"""Where users of a withdrawn version go, and whether they can: pure rules (WDR-2, FEED-5).

A target is never the withdrawn version itself, a release candidate, withdrawn as well, below
`min_safe`, or one that no client on the withdrawn version could install.
"""

from collections.abc import Sequence

from waiaas.core.choose import Policy, Upgrade, choose
from waiaas.core.errors import UsageError
from waiaas.core.reach import Footing, find_path, obstacle, stepping_stones
from waiaas.core.release import Release
from waiaas.core.value import frozen
from waiaas.core.version import Version

Python = tuple[int, int, int]
PYTHONS: tuple[Python, ...] = tuple((3, minor, 0) for minor in range(11, 31))
GOOD_ONE = "name a good earlier version as --to"


@frozen
class Way:
    """How clients on the withdrawn version get to the target.

    `crosses`: the target cannot open their database, so an older one comes back with it (FEED-5).
    `stuck`: Pythons on which the withdrawn version runs and the target cannot be installed.
    """

    crosses: bool
    stuck: tuple[Python, ...]


def successor(releases: Sequence[Release], withdrawn: Version) -> Version | None:
    """The default: the newest earlier good stable one, not below `min_safe`; None if there is none."""
    earlier = [r for r in releases if r.version < withdrawn and _fault(releases, withdrawn, r) is None]
    return max((release.version for release in earlier), default=None)


def checked(releases: Sequence[Release], withdrawn: Version, to: Version) -> Version:
    """`to`, if users can really be sent there; else UsageError `bad-successor`, `unknown-version`."""
    release = find(releases, to)
    fault = _fault(releases, withdrawn, release)
    if fault is not None:
        raise UsageError("bad-successor", f"nobody can be sent to {to}: {fault}", GOOD_ONE)
    way_to(releases, withdrawn, to)
    return to


def way_to(releases: Sequence[Release], withdrawn: Version, to: Version) -> Way:
    """Raises UsageError `bad-successor` where no client on `withdrawn` can install `to`."""
    bad, good = find(releases, withdrawn), find(releases, to)
    found = {python: _hindrance(releases, bad, good, python) for python in PYTHONS if bad.runs_on(python)}
    stuck = {python: sentence for python, (_, sentence) in found.items() if sentence}
    if stuck and len(stuck) == len(found):
        raise UsageError(
            "bad-successor", f"nobody on {withdrawn} can go to {to}: {next(iter(stuck.values()))}", GOOD_ONE
        )
    return Way(any(crosses for crosses, _ in found.values()), tuple(stuck))


def newest_good(
    releases: Sequence[Release], withdrawn: Version, prefix: tuple[int, ...] = ()
) -> Version | None:
    """The newest good stable one whose numbers begin with `prefix`, earlier or later."""
    good = [r.version for r in releases if _fault(releases, withdrawn, r) is None]
    fitting = [v for v in good if (v.major, v.minor, v.patch)[: len(prefix)] == prefix]
    return max(fitting, default=None)


def landing(releases: Sequence[Release], withdrawn: Version, now: float) -> Version | None:
    """Where `waiaas upgrade` leads from the withdrawn version once the feed says so; None: nowhere.

    Newer good releases come before the target, but only those that everybody is offered already.
    """
    bad = find(releases, withdrawn)
    open_to_all = [r for r in releases if r.rollout is None or r.critical or r.rollout.percent(now) == 100]
    python = next((python for python in PYTHONS if bad.runs_on(python)), PYTHONS[0])
    policy = Policy(bad.channel, "", "", bad.schema.writes, python, now)
    offered = [*(r for r in open_to_all if r.version != withdrawn), bad]
    if bad.withdrawn and bad.withdrawn.to and bad.withdrawn.to not in {r.version for r in offered}:
        offered.append(find(releases, bad.withdrawn.to))
    choice = choose(offered, withdrawn, policy)
    return choice.target.version if isinstance(choice, Upgrade) else None


def find(releases: Sequence[Release], version: Version) -> Release:
    for release in releases:
        if release.version == version:
            return release
    raise UsageError("unknown-version", f"the feed has no {version}", "see `status --feed F`")


def _fault(releases: Sequence[Release], withdrawn: Version, release: Release) -> str | None:
    """What makes a release unfit as a target, whoever asks."""
    floor = max((r.min_safe for r in releases if r.min_safe), default=None)
    if release.version == withdrawn:
        return "it is the version that is being withdrawn"
    if release.withdrawn is not None:
        return "it is withdrawn"
    if release.version.is_rc or release.channel != "stable":
        return "it is a release candidate"
    if floor is not None and release.version < floor:
        return f"it is older than {floor}, the oldest safe version"
    return None


def _hindrance(
    releases: Sequence[Release], bad: Release, good: Release, python: Python
) -> tuple[bool, str | None]:
    """For a client on `bad`, with the database that `bad` wrote: (crosses a migration, why it cannot)."""
    footing = Footing(bad.version, bad.schema.writes)
    if good.version < bad.version:
        code, sentence = obstacle(footing, good, python) or (None, None)
        return code == "schema", None if code == "schema" else sentence
    stones = stepping_stones(good, releases, lambda r: _fault(releases, bad.version, r) is None)
    if find_path(footing, good, stones, python):
        return False, None
    no_way = f"no way leads from {bad.version} to {good.version}"
    return False, (obstacle(footing, good, python) or ("", no_way))[1]
