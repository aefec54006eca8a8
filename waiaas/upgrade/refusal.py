"""What TUF's client refused, in the words of the person who reads it."""

from pathlib import Path

from waiaas.core.errors import TrustRefused, WaiaasError
from waiaas.core.value import frozen
from waiaas.host.clock import iso
from waiaas.host.problems import NetworkProblem

DAY = 86400
FRESH = 182 * DAY  # seconds; the targets role signs at least this often
UNCHANGED = "nothing was changed; "
TELL = "tell whoever publishes the feed"


@frozen
class Source:
    """What was read: "the feed at …", "the bundle …"; and what to try where it turns out to be old."""

    name: str
    instead: str = "try another network"


def refused(problem: Exception, source: Source, doubt: str) -> WaiaasError:
    """The error for what `tuf` raised; a network problem is handed back as it was.

    tuf's classes are told apart by name, because only `feed.py` imports it.
    """
    kinds = {kind.__name__ for kind in type(problem).__mro__}
    if "DownloadError" in kinds and "DownloadLengthMismatchError" not in kinds:
        cause = problem.__cause__
        return cause if isinstance(cause, NetworkProblem) else _broken(problem, source)
    if "ExpiredMetadataError" in kinds:
        return _expired(problem, source, doubt)
    if "BadVersionNumberError" in kinds:
        return TrustRefused(
            "feed-replayed",
            f"{source.name} has older metadata than was seen here: an old copy, or somebody replays it",
            UNCHANGED + f"{source.instead}, and {TELL}",
        )
    if "UnsignedMetadataError" in kinds:
        return TrustRefused(
            "feed-other-keys",
            f"{source.name} is not signed with the keys that this installation trusts",
            UNCHANGED + "check [upgrade] feed_url and trusted_root, and " + TELL,
        )
    return _broken(problem, source)


def below_floor(source: Source, shown: int, seen: int) -> TrustRefused:
    """The error for a list of releases older than one that was verified before (FEED-8)."""
    return TrustRefused(
        "feed-replayed",
        f"{source.name} shows list {shown} of the releases, but list {seen} was known before: "
        "an old copy, or somebody replays it",
        UNCHANGED + f"{source.instead}, and {TELL}",
    )


def unusable_root(problem: Exception) -> TrustRefused:
    """The error for a root of trust that is none, which is nobody's fault on the network."""
    return TrustRefused(
        "no-root-of-trust",
        f"the root of trust is not usable: {_short(problem)}",
        "correct [upgrade] trusted_root in config.toml, or install a released WAIaaS",
    )


def clock_doubt(now: float, newest: float) -> str:
    """A doubt about the clock, where it is far past the newest time that is known to be real."""
    if not newest or now - newest < FRESH:
        return ""
    days = int(now - newest) // DAY
    return f", or this machine's clock is wrong: it says {iso(now)}, {days} days after anything signed"


def no_feed() -> WaiaasError:
    """The error for settings without an address."""
    return WaiaasError(
        "no-feed",
        "no feed is set, so there is nowhere to ask",
        "set [upgrade] feed_url in config.toml",
    )


def cache_trouble(problem: OSError, cache: Path) -> WaiaasError:
    """The error for a folder that cannot keep what was verified."""
    return WaiaasError(
        "feed-cache",
        f"cannot keep the feed's metadata in {cache}: {problem.strerror or problem}",
        f"check the rights and the free space of {cache}",
    )


def _expired(problem: Exception, source: Source, doubt: str) -> TrustRefused:
    role = next((role for role in ("timestamp", "snapshot", "targets") if role in str(problem)), "root")
    return TrustRefused(
        "feed-expired",
        f"the {role} metadata of {source.name} has expired, so it proves nothing about today{doubt}",
        UNCHANGED + ("check the clock, or " if doubt else "") + TELL,
    )


def _broken(problem: Exception, source: Source) -> TrustRefused:
    return TrustRefused(
        "feed-broken", f"the metadata of {source.name} is damaged: {_short(problem)}", UNCHANGED + TELL
    )


def _short(problem: Exception) -> str:
    return " ".join(str(problem).split())[:120] or type(problem).__name__
