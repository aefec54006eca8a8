"""What TUF's client refused, in the words of the person who reads it."""

from waiaas.core.errors import TrustRefused, WaiaasError
from waiaas.host.clock import iso
from waiaas.host.http import NetworkProblem

DAY = 86400
FRESH = 182 * DAY  # seconds; the targets role signs at least this often
UNCHANGED = "nothing was changed; "
TELL = "tell whoever publishes the feed"


def refused(problem: Exception, url: str, doubt: str) -> WaiaasError:
    """The error for what `tuf` raised; a network problem is handed back as it was.

    tuf's classes are told apart by name, because only `feed.py` imports it.
    """
    kinds = {kind.__name__ for kind in type(problem).__mro__}
    if "DownloadError" in kinds and "DownloadLengthMismatchError" not in kinds:
        cause = problem.__cause__
        return cause if isinstance(cause, NetworkProblem) else _broken(problem, url)
    if "ExpiredMetadataError" in kinds:
        return _expired(problem, doubt)
    if "BadVersionNumberError" in kinds:
        return TrustRefused(
            "feed-replayed",
            f"the feed at {url} answers with older metadata than was seen before: somebody replays it",
            UNCHANGED + "try another network, and " + TELL,
        )
    if "UnsignedMetadataError" in kinds:
        return TrustRefused(
            "feed-other-keys",
            f"the feed at {url} is not signed with the keys that this installation trusts",
            UNCHANGED + "check [upgrade] feed_url and trusted_root, and " + TELL,
        )
    return _broken(problem, url)


def below_floor(shown: int, seen: int) -> TrustRefused:
    """The error for a list of releases older than one that was verified before (FEED-8)."""
    return TrustRefused(
        "feed-replayed",
        f"the feed shows list {shown} of its releases, but list {seen} was known before: "
        "somebody replays an old one",
        UNCHANGED + "try another network, and " + TELL,
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


def _expired(problem: Exception, doubt: str) -> TrustRefused:
    role = next((role for role in ("timestamp", "snapshot", "targets") if role in str(problem)), "root")
    return TrustRefused(
        "feed-expired",
        f"the {role} metadata of the feed has expired, so it proves nothing about today{doubt}",
        UNCHANGED + ("check the clock, or " if doubt else "") + TELL,
    )


def _broken(problem: Exception, url: str) -> TrustRefused:
    return TrustRefused(
        "feed-broken", f"the metadata of the feed at {url} is damaged: {_short(problem)}", UNCHANGED + TELL
    )


def _short(problem: Exception) -> str:
    return " ".join(str(problem).split())[:120] or type(problem).__name__
