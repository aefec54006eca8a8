"""The signed feed: refresh the metadata, list the releases, download one (FEED-2).

Everything that touches TUF is here, and `tuf` is imported by the first call that needs it, so that
no other command pays for it. Nothing is believed because of where it came from.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from waiaas.core.errors import TrustRefused
from waiaas.core.release import Release, from_custom
from waiaas.core.value import frozen
from waiaas.core.version import Version
from waiaas.host.clock import Clock
from waiaas.host.http import Network
from waiaas.host.locks import Lock
from waiaas.host.problems import NetworkProblem
from waiaas.upgrade import left_out, refusal
from waiaas.upgrade.download import save
from waiaas.upgrade.floors import Floor, Floors, raised
from waiaas.upgrade.refusal import Source

if TYPE_CHECKING:
    from tuf.ngclient import FetcherInterface, TargetFile, Updater

    from waiaas.host.files import Files  # most checks write nothing (PRF-12)

ROLES = ("root", "timestamp", "snapshot", "targets")
ROOT_ROTATIONS = 4096  # at most so many roots are followed in one refresh
UNBOUNDED = 1 << 40  # bytes; where tuf itself counts


@frozen
class Catalogue:
    """What the feed says, verified. `releases` newest first; `expires`: role -> Unix seconds.

    `at_hand`: the only versions whose payload can be had, None for all (a feed). `expired`: roles that
    are out of date and were accepted all the same (BNDL-3).
    """

    releases: tuple[Release, ...]
    targets_version: int
    expires: dict[str, int]
    warnings: tuple[str, ...] = ()
    at_hand: frozenset[Version] | None = None
    expired: tuple[str, ...] = ()


@frozen
class _State:
    """The verified top-level metadata, as far as TUF's client shows it."""

    targets_version: int
    targets_keys: tuple[str, ...]
    names: tuple[str, ...]
    expires: dict[str, int]


class Feed:
    """A TUF repository at `url`: `metadata/` and `targets/`. `root` is the root of trust.

    `build_time` (Unix seconds) and `build_floor` (targets version under the keys of `root`) are what
    this build carries: neither clock nor feed is believed to be older.
    """

    def __init__(
        self,
        url: str,
        cache_dir: Path,
        root: bytes,
        network: Network,
        clock: Clock,
        files: "Files",
        floors: Floors,
        build_time: int,
        build_floor: int = 0,
    ) -> None:
        self.url = url.rstrip("/")
        self.cache = cache_dir
        self.source = Source(f"the feed at {self.url}")
        self.network = network
        self.root = root
        self._clock = clock
        self._files = files
        self._floors = floors
        self._build_time = build_time
        self._build_floor = build_floor

    def refresh(self, seconds: float) -> Catalogue:
        """Ask the feed, within `seconds` in all; what was verified by then is kept (FEED-10).

        Raises TrustRefused `feed-other-keys`, `feed-replayed`, `feed-expired`, `feed-broken`;
        NetworkProblem; `no-feed` without an address; Busy while another process refreshes.
        """
        if not self.url:
            raise refusal.no_feed()
        deadline = self._clock.monotonic() + seconds
        try:
            self._files.make_directory("feed", self.cache)
            with Lock.acquire(self.cache / "lock", "look at the feed"):
                return self._refresh(deadline)
        except OSError as problem:
            raise refusal.cache_trouble(problem, self.cache) from problem

    def download(
        self, release: Release, staged: Path, seconds: float, progress: Callable[[int, int], None]
    ) -> None:
        """Stream the artefact into `staged` (new, 0755), hashing; fsynced and right, or not there.

        `progress` gets the bytes so far and in all. Raises TrustRefused `wrong-bytes`, NetworkProblem,
        WaiaasError `cannot-stage`.
        """
        save(self.payload(release, seconds), release, staged, self._files, progress)

    def payload(self, release: Release, seconds: float) -> Iterator[bytes]:
        """The artefact as the feed sends it, not verified."""
        url = f"{self.url}/targets/{release.sha256}.{release.target}"
        return self.network.fetch(url, self._clock.monotonic() + seconds, release.length)

    def reference(self, real: float) -> float:
        """The time that TUF judges expiry by, `real` being the best that is known (FEED-8)."""
        return real

    def judge(self, real: float, doubt: str) -> None:
        """Called with everything verified by then, and nothing of it used yet."""

    def _refresh(self, deadline: float) -> Catalogue:
        stored, warning = self._floors.load()
        updater = self._verified(deadline, stored)
        state = _state(self.cache)
        floor = self._floor_for(state.targets_keys, stored)
        if state.targets_version < floor.targets_version:
            raise refusal.below_floor(self.source, state.targets_version, floor.targets_version)
        # The names are only hints from the cache; what they stand for comes from the verified set.
        releases, warnings = _releases((name, updater.get_targetinfo(name)) for name in state.names)
        newest = max((release.seq for release in releases), default=0)
        if newest < floor.seq:
            warnings.append("the feed no longer lists the newest release that was seen here before")
        new = raised(floor, state.targets_version, state.targets_keys, releases)
        if new != stored:
            self._floors.save(new)
        said = tuple(text for text in (warning, *warnings) if text)
        return Catalogue(releases, state.targets_version, state.expires, said)

    def _verified(self, deadline: float, stored: Floor | None) -> "Updater":
        """TUF's whole client workflow; and once more where a stored time proves to be void."""
        signed_time = stored.signed_time if stored else 0
        try:
            return self._workflow(deadline, signed_time)
        except TrustRefused as problem:
            # A time that replaced targets keys had signed holds no longer, or thieves of these keys
            # could bar the way to every later list by signing a far future.
            if problem.code != "feed-expired" or stored is None or stored.targets_keys == _keys(self.cache):
                raise
            return self._workflow(deadline, 0)

    def _workflow(self, deadline: float, signed_time: int) -> "Updater":
        from tuf.api.exceptions import DownloadError, RepositoryError

        now = self._clock.now()
        newest = max(self._build_time, signed_time)
        metadata, real, doubt = f"{self.url}/metadata/", max(now, newest), refusal.clock_doubt(now, newest)
        try:
            updater = open_updater(
                metadata, self.cache, self.root, self.network, deadline, self.reference(real)
            )
        except RepositoryError as problem:
            raise refusal.unusable_root(problem) from problem
        try:
            updater.refresh()
        except (DownloadError, RepositoryError) as problem:
            raise refusal.refused(problem, self.source, doubt) from problem
        _only_ed25519(self.cache)
        self.judge(real, doubt)
        return updater

    def _floor_for(self, keys: tuple[str, ...], stored: Floor | None) -> Floor:
        """The floor that holds under these keys: what was seen, and at least what the build carries."""
        floor = stored if stored and stored.targets_keys == keys else Floor(0, keys)
        if self._build_floor > floor.targets_version and keys == _targets_keys(self.root):
            return Floor(self._build_floor, keys, floor.seq, floor.signed_time)
        return floor


def open_updater(
    metadata_url: str,
    cache: Path,
    root: bytes,
    network: Network,
    deadline: float,
    reference: float | None = None,
    **targets: Any,
) -> "Updater":
    """TUF's own client with our fetcher, before its first request.

    `reference`: the time (Unix seconds) that expiry is judged by, None for now. Raises tuf's errors.
    """
    left_out.leave_out()
    from tuf.ngclient import Updater, UpdaterConfig

    config = UpdaterConfig(max_root_rotations=ROOT_ROTATIONS)
    fetcher = _fetcher(network, deadline)
    updater = Updater(str(cache), metadata_url, fetcher=fetcher, config=config, bootstrap=root, **targets)
    if reference is not None:
        # The one private attribute: the public way knows no other time than the machine's (FEED-8).
        updater._trusted_set.reference_time = datetime.fromtimestamp(reference, UTC)
    return updater


def _fetcher(network: Network, deadline: float) -> "FetcherInterface":
    from tuf.api.exceptions import DownloadError, DownloadHTTPError, DownloadLengthMismatchError
    from tuf.ngclient import FetcherInterface

    class Fetcher(FetcherInterface):
        """tuf wraps only the call of `_fetch`, not the iteration, so what goes wrong is translated here.
        The cause is kept: it is what the user reads."""

        def _fetch(self, url: str, budget: int = UNBOUNDED) -> Iterator[bytes]:
            try:
                yield from network.fetch(url, deadline, budget)
            except NetworkProblem as problem:
                status = getattr(problem, "status", None)
                if status is not None:
                    raise DownloadHTTPError(problem.message, status) from problem
                if problem.code == "network-too-large":
                    raise DownloadLengthMismatchError(problem.message) from problem
                raise DownloadError(problem.message) from problem

        def download_bytes(self, url: str, max_length: int) -> bytes:
            """In memory: a read-only machine may have no folder for temporary files."""
            return b"".join(self._fetch(url, max_length))

    return Fetcher()


def _state(cache: Path) -> _State:
    signed = {role: _signed((cache / f"{role}.json").read_bytes()) for role in ROLES}
    return _State(
        signed["targets"].version,
        tuple(sorted(signed["root"].roles["targets"].keyids)),
        tuple(signed["targets"].targets),
        {role: int(part.expires.timestamp()) for role, part in signed.items()},
    )


def remembered(cache: Path) -> tuple[Release, ...]:
    """What the last verified look listed, not verified again: good for a word of warning, no more."""
    try:
        left_out.leave_out()
        return _releases(_signed((cache / "targets.json").read_bytes()).targets.items())[0]
    except Exception:  # noqa: BLE001 - a warning is never worth a failure
        return ()


def _releases(files: "Iterable[tuple[str, TargetFile | None]]") -> tuple[tuple[Release, ...], list[str]]:
    releases, warnings = [], []
    for name, found in files:
        if found is None or not name.endswith(".pyz"):
            continue
        try:
            releases.append(from_custom(found.custom, name, found.length, found.hashes.get("sha256", "")))
        except TrustRefused as problem:
            warnings.append(problem.message)
    if warnings and not releases:
        raise TrustRefused("bad-release-data", warnings[0], "install a newer WAIaaS by hand")
    return tuple(sorted(releases, key=lambda release: release.version, reverse=True)), warnings


def expiry(cache: Path) -> dict[str, int]:
    """Role → Unix seconds, of the metadata that a refresh just verified."""
    return _state(cache).expires


def _only_ed25519(cache: Path) -> None:
    for path in sorted((cache / "root_history").glob("*.root.json")):
        for key in _signed(path.read_bytes()).keys.values():
            if (key.keytype, key.scheme) != ("ed25519", "ed25519"):
                raise TrustRefused(
                    "feed-broken",
                    f"the feed's root names a key of type {key.keytype}; only Ed25519 is accepted",
                    "tell whoever publishes the feed",
                )


def _keys(cache: Path) -> tuple[str, ...]:
    return _targets_keys((cache / "root.json").read_bytes())


def _targets_keys(root: bytes) -> tuple[str, ...]:
    return tuple(sorted(_signed(root).roles["targets"].keyids))


def _signed(metadata: bytes) -> Any:
    from tuf.api.metadata import Metadata

    return Metadata[Any].from_bytes(metadata).signed
