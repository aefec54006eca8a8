"""The root of trust that everything else hangs on, and the feed that is guarded by it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from waiaas.core.errors import TrustRefused
from waiaas.host.host import Host
from waiaas.upgrade import embedded

if TYPE_CHECKING:
    from waiaas.core.settings import Settings
    from waiaas.upgrade.feed import Feed

ROOT = "upgrade/root.json"


def root_of_trust(settings: "Settings") -> bytes:
    """The root that `[upgrade] trusted_root` names, or the one inside this program.

    Raises TrustRefused `no-root-of-trust` where there is none.
    """
    chosen = settings.upgrade.trusted_root
    if chosen:
        try:
            return Path(chosen).read_bytes()
        except OSError as problem:
            raise TrustRefused(
                "no-root-of-trust",
                f"cannot read the root of trust {chosen}: {problem.strerror}",
                "correct [upgrade] trusted_root in config.toml",
            ) from problem
    root = embedded.content(ROOT)
    if root is None:
        raise TrustRefused(
            "no-root-of-trust",
            "this build carries no root of trust, so it cannot tell a true update from a false one",
            "install a released WAIaaS, or set [upgrade] feed_url and trusted_root for a feed of your own",
        )
    return root


def open_feed(host: Host, settings: "Settings", cache: Path, floors: Path) -> "Feed":
    """The configured feed with its metadata in `cache`, guarded by what this build carries."""
    from waiaas.upgrade.feed import Feed

    url = settings.upgrade.feed_url
    return Feed(url=url, network=host.network, **guards(host, settings, cache, floors))


def guards(host: Host, settings: "Settings", cache: Path, floors: Path) -> dict[str, Any]:
    """What every `Feed` is guarded by, wherever it is read from."""
    from waiaas.upgrade.floors import Floors

    info = embedded.build_info()
    return {
        "cache_dir": cache,
        "root": root_of_trust(settings),
        "clock": host.clock,
        "files": host.files,
        "floors": Floors(floors, host.files),
        "build_time": info.built,
        "build_floor": 0 if settings.upgrade.trusted_root else info.targets_floor,
    }
