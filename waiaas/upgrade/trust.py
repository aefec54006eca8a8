"""What this build carries: its facts, and the root of trust that everything else hangs on."""

import json
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from waiaas import __version__
from waiaas.core.errors import TrustRefused
from waiaas.core.value import frozen
from waiaas.host.host import Host

if TYPE_CHECKING:
    from waiaas.core.settings import Settings
    from waiaas.upgrade.feed import Feed

FACTS = "_build.json"
ROOT = "upgrade/root.json"


@frozen
class BuildInfo:
    """`built`: Unix seconds, 0 in a source tree. `targets_floor`: of the embedded root's feed."""

    version: str
    commit: str
    built: int
    feed_url: str
    targets_floor: int


def build_info() -> BuildInfo:
    """The facts the build wrote down; those of a development tree where it did not."""
    facts: dict[str, Any] = json.loads(_embedded(FACTS) or b"{}")
    return BuildInfo(
        facts.get("version", __version__),
        facts.get("commit", ""),
        int(facts.get("built", 0)),
        facts.get("feedUrl", ""),
        int(facts.get("targetsFloor", 0)),
    )


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
    embedded = _embedded(ROOT)
    if embedded is None:
        raise TrustRefused(
            "no-root-of-trust",
            "this build carries no root of trust, so it cannot tell a true update from a false one",
            "install a released WAIaaS, or set [upgrade] feed_url and trusted_root for a feed of your own",
        )
    return embedded


def open_feed(host: Host, settings: "Settings", cache: Path, floors: Path) -> "Feed":
    """The configured feed with its metadata in `cache`, guarded by what this build carries."""
    from waiaas.upgrade.feed import Feed

    url = settings.upgrade.feed_url
    return Feed(url=url, network=host.network, **guards(host, settings, cache, floors))


def guards(host: Host, settings: "Settings", cache: Path, floors: Path) -> dict[str, Any]:
    """What every `Feed` is guarded by, wherever it is read from."""
    from waiaas.upgrade.floors import Floors

    info = build_info()
    return {
        "cache_dir": cache,
        "root": root_of_trust(settings),
        "clock": host.clock,
        "files": host.files,
        "floors": Floors(floors, host.files),
        "build_time": info.built,
        "build_floor": 0 if settings.upgrade.trusted_root else info.targets_floor,
    }


def _embedded(name: str) -> bytes | None:
    try:
        return pkgutil.get_data("waiaas", name)
    except OSError:
        return None
