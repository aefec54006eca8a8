"""Upgrading from what was carried here, with no network: bundles, feed folders, bare programs (BNDL-1…3).

`CarriedFeed` is the feed's own client over another `Network`. The same signatures, versions, digests,
cache and floors hold; one thing is judged otherwise, the age. TUF's client compares every expiry date
with one reference time. Here it is given 1970, so that it judges none, and `judge` looks at the dates
when every signature has been verified and before anything of it is used. The time that it compares
with is that of FEED-8: the latest of the machine's clock, the build and the newest time that the
targets keys have signed, so that a clock set back revives nothing. What is guaranteed:

- An expired timestamp or snapshot is accepted, and how old it is gets said. These two prove that
  nothing newer exists, which a bundle cannot prove anyway: whoever hands over an old bundle can
  withhold newer releases for as long as its targets metadata live.
- Expired targets or root are refused. `accept_expired` takes them all the same; the command line asks
  first, has the answer typed, and has it audited.
- An expired date never lets in what the floors refuse, an unsigned or replaced byte, a version below
  `min_safe`, or metadata older than this installation has verified before, from wherever.
- A bundle that turns out right is remembered like a look at the feed: an older one is refused later.

The date of an intermediate root is of no interest, as in TUF's own workflow; the last one counts.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from waiaas.core.bundle import Contents
from waiaas.core.errors import TrustRefused, WaiaasError
from waiaas.core.release import Release
from waiaas.core.ustar import refuse
from waiaas.core.value import frozen, replace
from waiaas.host.clock import Clock, iso
from waiaas.host.http import Network
from waiaas.upgrade.carried import (
    ADDRESS,
    GZIP,
    PROGRAM,
    BareNetwork,
    BundleNetwork,
    CarriedFile,
)
from waiaas.upgrade.download import signed
from waiaas.upgrade.feed import Catalogue, Feed, expiry
from waiaas.upgrade.refusal import DAY, Source
from waiaas.upgrade.trust import guards

if TYPE_CHECKING:
    from waiaas.core.settings import Settings
    from waiaas.host.host import Host

HARD = ("root", "targets")  # roles of offline keys: their date is not passed over in silence
INSTEAD = "make a new one with `waiaas bundle create`"
PATIENCE = 60.0  # seconds for the metadata, and for the payload, of what lies on this machine


@frozen
class Carried:
    """Something that was carried here. `name` as in "the bundle /media/stick/x.tgz"."""

    name: str
    url: str
    network: Network
    bundle: Contents | None = None
    digest: str = ""  # of a bare program


class CarriedFeed(Feed):
    """A feed that was carried here. See the module for what differs."""

    def __init__(self, carried: Carried, *, accept_expired: bool = False, **feed: Any) -> None:
        super().__init__(url=carried.url, network=carried.network, **feed)
        self.carried = carried
        self.source = Source(carried.name, INSTEAD)
        self._accept_expired = accept_expired
        self._expired: tuple[str, ...] = ()
        self._said: tuple[str, ...] = ()

    def refresh(self, seconds: float = PATIENCE) -> Catalogue:
        """As `Feed.refresh`, and sure that what was carried is what was signed, by name and length."""
        found = super().refresh(seconds)
        release = self._release(found)
        return replace(
            found,
            at_hand=None if release is None else frozenset({release.version}),
            expired=self._expired,
            warnings=(*self._said, *found.warnings),
        )

    def check_payload(self, release: Release) -> None:
        """Read it to the end; raises TrustRefused unless it is what was signed."""
        for _ in signed(self.payload(release, PATIENCE), release):
            pass

    def reference(self, real: float) -> float:
        return 0.0

    def judge(self, real: float, doubt: str) -> None:
        old = {role: date for role, date in expiry(self.cache).items() if date <= real}
        hard = [role for role in HARD if role in old]
        if hard and not self._accept_expired:
            raise self._too_old(hard[0], old[hard[0]], real, doubt)
        self._expired = tuple(old)
        self._said = tuple(self._age(role, date, real) for role, date in old.items())

    def _age(self, role: str, date: int, real: float) -> str:
        known = "" if role in HARD else ": there may be newer releases than it knows of"
        return f"the {role} of {self.source.name} expired {_days(real - date)} ago ({iso(date)}){known}"

    def _too_old(self, role: str, date: int, real: float, doubt: str) -> TrustRefused:
        return TrustRefused(
            "feed-expired",
            f"the {role} of {self.source.name} expired {_days(real - date)} ago ({iso(date)}){doubt}",
            f"nothing was changed; {INSTEAD}, or say --accept-expired if there is no way to get one",
        )

    def _release(self, found: Catalogue) -> Release | None:
        """The one release that was carried; None where a whole feed was."""
        inside, digest = self.carried.bundle, self.carried.digest
        if inside is None and not digest:
            return None
        for release in found.releases:
            if inside is None and release.sha256 == digest:
                return release
            if inside is not None and release.target == inside.payload.target:
                if (release.sha256, release.length) == (inside.payload.sha256, inside.payload.size):
                    return release
                raise refuse("bundle-other", f"carries another {release.target} than the one that was signed")
        what = inside.payload.target if inside else self.carried.name
        raise TrustRefused(
            "bundle-unsigned",
            f"{what} is none of the releases that the signed list names",
            f"nothing was changed; {INSTEAD}",
        )


def open_carried(
    host: "Host",
    settings: "Settings",
    cache: Path,
    floors: Path,
    path: Path,
    *,
    accept_expired: bool = False,
) -> CarriedFeed:
    """The feed in a bundle, a folder or beside a bare program. Raises WaiaasError `no-such-file`,
    TrustRefused for what has not the form of any of them."""
    carried = recognise(path, host.clock)
    return CarriedFeed(carried, accept_expired=accept_expired, **guards(host, settings, cache, floors))


def recognise(path: Path, clock: Clock) -> Carried:
    """What it is, by its contents and not by its name."""
    if path.is_dir():
        return _folder(path, clock)
    file = CarriedFile(path)
    start = file.start()
    if start.startswith(PROGRAM):
        return _bare(file, clock)
    if start and not start.startswith(GZIP):
        raise refuse("bundle-not-gzip", f"is no bundle: {path} is neither that nor a program")
    network = BundleNetwork(file, clock)
    return Carried(f"the bundle {path}", ADDRESS, network, network.contents)


def _folder(path: Path, clock: Clock) -> Carried:
    if not (path / "metadata" / "timestamp.json").is_file():
        raise WaiaasError(
            "no-feed-here", f"{path} is no feed: it has no metadata/timestamp.json", "name a feed's folder"
        )
    return Carried(f"the feed in {path}", path.absolute().as_uri(), Network({}, clock, offline=True))


def _bare(file: CarriedFile, clock: Clock) -> Carried:
    if not (file.path.absolute().parent / "metadata" / "timestamp.json").is_file():
        raise TrustRefused(
            "bare-program",
            f"{file.path} is a bare program: nothing beside it says who made it",
            "where there is a network: `waiaas bundle create -o FILE`, and carry that; "
            "or put the feed's metadata/ beside it",
        )
    network = BareNetwork(file, clock)
    return Carried(f"the metadata beside {file.path}", network.address, network, digest=network.digest())


def _days(seconds: float) -> str:
    days = int(seconds) // DAY
    return "1 day" if days == 1 else f"{days} days"
