"""The signed feed: refresh the metadata, list the releases, download one (FEED-2).

Everything that touches TUF is here, and `tuf` is imported by the first call that needs it, so that
no other command pays for it. Nothing is believed because of where it came from.
"""

import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from waiaas.core.errors import TrustRefused, WaiaasError
from waiaas.core.release import Release, from_custom
from waiaas.host.clock import Clock
from waiaas.host.files import Files
from waiaas.host.http import Network, NetworkProblem
from waiaas.host.locks import Lock
from waiaas.upgrade.download import save
from waiaas.upgrade.floors import Floor, Floors
from waiaas.upgrade.refusal import below_floor, clock_doubt, refused, unusable_root

if TYPE_CHECKING:
    from tuf.ngclient import FetcherInterface, Updater

ROLES = ("root", "timestamp", "snapshot", "targets")
ROOT_ROTATIONS = 4096  # at most so many roots are followed in one refresh
UNBOUNDED = 1 << 40  # bytes; where tuf itself counts


@dataclass(frozen=True)
class Catalogue:
    """What the feed says, verified. `releases` newest first; `expires`: role -> Unix seconds."""

    releases: tuple[Release, ...]
    targets_version: int
    expires: dict[str, int]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
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
        files: Files,
        floors: Floors,
        build_time: int,
        build_floor: int = 0,
    ) -> None:
        self.url = url.rstrip("/")
        self.cache = cache_dir
        self._root = root
        self._network = network
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
            raise WaiaasError(
                "no-feed",
                "no feed is set, so there is nowhere to ask",
                "set [upgrade] feed_url in config.toml",
            )
        deadline = self._clock.monotonic() + seconds
        with self._cache_errors():
            self._files.make_directory("feed", self.cache)
            with Lock.acquire(self.cache / "lock", "look at the feed"):
                return self._refresh(deadline)

    def download(
        self, release: Release, staged: Path, seconds: float, progress: Callable[[int, int], None]
    ) -> None:
        """Stream the artefact into `staged` (new, 0755), hashing; fsynced and right, or not there.

        `progress` gets the bytes so far and in all. Raises TrustRefused `wrong-bytes`, NetworkProblem,
        WaiaasError `cannot-stage`.
        """
        url = f"{self.url}/targets/{release.sha256}.{release.target}"
        deadline = self._clock.monotonic() + seconds
        save(self._network.fetch(url, deadline, release.length), release, staged, self._files, progress)

    def _refresh(self, deadline: float) -> Catalogue:
        stored, warning = self._floors.load()
        updater = self._verified(deadline, stored)
        state = _state(self.cache)
        floor = self._floor_for(state.targets_keys, stored)
        if state.targets_version < floor.targets_version:
            raise below_floor(state.targets_version, floor.targets_version)
        releases, warnings = _releases(updater, state.names)
        newest = max((release.seq for release in releases), default=0)
        if newest < floor.seq:
            warnings.append("the feed no longer lists the newest release that was seen here before")
        self._remember(state, releases, floor, stored)
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
        metadata, reference = f"{self.url}/metadata/", max(now, newest)
        try:
            updater = open_updater(metadata, self.cache, self._root, self._network, deadline, reference)
        except RepositoryError as problem:
            raise unusable_root(problem) from problem
        try:
            updater.refresh()
        except (DownloadError, RepositoryError) as problem:
            raise refused(problem, self.url, clock_doubt(now, newest)) from problem
        _only_ed25519(self.cache)
        return updater

    def _floor_for(self, keys: tuple[str, ...], stored: Floor | None) -> Floor:
        """The floor that holds under these keys: what was seen, and at least what the build carries."""
        floor = stored if stored and stored.targets_keys == keys else Floor(0, keys)
        if self._build_floor > floor.targets_version and keys == _targets_keys(self._root):
            return Floor(self._build_floor, keys, floor.seq, floor.signed_time)
        return floor

    def _remember(
        self, state: _State, releases: tuple[Release, ...], floor: Floor, stored: Floor | None
    ) -> None:
        signed = [r.built for r in releases] + [r.withdrawn.at for r in releases if r.withdrawn]
        new = Floor(
            state.targets_version,
            state.targets_keys,
            max([floor.seq, *(release.seq for release in releases)]),
            max([floor.signed_time, *signed]),
        )
        if new != stored:
            self._floors.save(new)

    @contextmanager
    def _cache_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as problem:
            raise WaiaasError(
                "feed-cache",
                f"cannot keep the feed's metadata in {self.cache}: {problem.strerror or problem}",
                f"check the rights and the free space of {self.cache}",
            ) from problem


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
    _leave_out_urllib3()
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


def _leave_out_urllib3() -> None:
    """Keep tuf from importing urllib3 (30 ms, 5 MiB) for the fetcher that ours replaces."""
    name = "tuf.ngclient.urllib3_fetcher"
    if name not in sys.modules:
        stub = types.ModuleType(name)
        stub.Urllib3Fetcher = type("Urllib3Fetcher", (), {})  # type: ignore[attr-defined]
        sys.modules[name] = stub


def _state(cache: Path) -> _State:
    from tuf.api.metadata import Metadata

    signed = {role: Metadata[Any].from_file(str(cache / f"{role}.json")).signed for role in ROLES}
    return _State(
        signed["targets"].version,
        tuple(sorted(signed["root"].roles["targets"].keyids)),
        tuple(signed["targets"].targets),
        {role: int(part.expires.timestamp()) for role, part in signed.items()},
    )


def _releases(updater: "Updater", names: tuple[str, ...]) -> tuple[tuple[Release, ...], list[str]]:
    """The names are only hints from the cache; what they stand for comes from the verified set."""
    releases, warnings = [], []
    for name in names:
        found = updater.get_targetinfo(name)
        if found is None or not name.endswith(".pyz"):
            continue
        try:
            releases.append(from_custom(found.custom, name, found.length, found.hashes.get("sha256", "")))
        except TrustRefused as problem:
            warnings.append(problem.message)
    if warnings and not releases:
        raise TrustRefused("bad-release-data", warnings[0], "install a newer WAIaaS by hand")
    return tuple(sorted(releases, key=lambda release: release.version, reverse=True)), warnings


def _only_ed25519(cache: Path) -> None:
    from tuf.api.metadata import Metadata

    for path in sorted((cache / "root_history").glob("*.root.json")):
        for key in Metadata[Any].from_file(str(path)).signed.keys.values():
            if (key.keytype, key.scheme) != ("ed25519", "ed25519"):
                raise TrustRefused(
                    "feed-broken",
                    f"the feed's root names a key of type {key.keytype}; only Ed25519 is accepted",
                    "tell whoever publishes the feed",
                )


def _keys(cache: Path) -> tuple[str, ...]:
    return _targets_keys((cache / "root.json").read_bytes())


def _targets_keys(root: bytes) -> tuple[str, ...]:
    from tuf.api.metadata import Metadata

    return tuple(sorted(Metadata[Any].from_bytes(root).signed.roles["targets"].keyids))
