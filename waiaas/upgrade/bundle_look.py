"""Looking at a bundle without changing anything: what it says of itself, and whether that is true."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from waiaas.core.bundle import Contents
from waiaas.core.errors import WaiaasError
from waiaas.core.release import Release
from waiaas.core.value import frozen
from waiaas.host.clock import Clock
from waiaas.upgrade.bundle import Carried, open_carried, recognise
from waiaas.upgrade.feed import ROLES, Catalogue

if TYPE_CHECKING:
    from waiaas.core.settings import Settings
    from waiaas.host.host import Host


@frozen
class Verified:
    """What was proved: everything `upgrade --from` asks for. `releases`: those that were carried."""

    catalogue: Catalogue
    releases: tuple[Release, ...]


def verify(host: "Host", settings: "Settings", cache: Path, floors: Path, path: Path) -> Verified:
    """Verify metadata and payload as an upgrade would, against what this installation has seen; nothing
    of it is remembered. Raises TrustRefused, WaiaasError."""
    with _copied(cache, floors) as (known, floor):
        feed = open_carried(host, settings, known, floor, path)
        catalogue = feed.refresh()
    at_hand = catalogue.at_hand
    releases = tuple(r for r in catalogue.releases if at_hand is None or r.version in at_hand)
    for release in releases:
        feed.check_payload(release)
    return Verified(catalogue, releases)


def show(path: Path, clock: Clock) -> tuple[Carried, Contents]:
    """Read a bundle and check its form alone. Raises TrustRefused, WaiaasError."""
    carried = recognise(path, clock)
    if carried.bundle is None:
        raise WaiaasError("no-bundle", f"{path} is no bundle", "`waiaas bundle verify` takes it all the same")
    return carried, carried.bundle


def claims(contents: Contents) -> dict[str, tuple[int | None, float | None]]:
    """Role → (version, expiry in Unix seconds) as written there; None for what makes no sense."""
    return {role: _claim(contents.role(role)) for role in ROLES}


def _claim(data: bytes) -> tuple[int | None, float | None]:
    """Nobody has verified this, so it may be anything at all."""
    try:
        signed = json.loads(data)["signed"]
        version, expires = signed["version"], signed["expires"]
        moment = datetime.strptime(expires, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except (ValueError, KeyError, TypeError, RecursionError):
        return None, None
    return (version if type(version) is int else None), moment


@contextmanager
def _copied(cache: Path, floors: Path) -> Iterator[tuple[Path, Path]]:
    """Copies of what was verified before, in a folder that goes away."""
    try:
        with tempfile.TemporaryDirectory(prefix="waiaas-") as folder:
            known, floor = Path(folder) / "metadata", Path(folder) / "floors.json"
            if cache.is_dir():
                shutil.copytree(cache, known, symlinks=True, ignore=shutil.ignore_patterns("lock"))
            if floors.exists():
                shutil.copyfile(floors, floor)
            yield known, floor
    except (OSError, shutil.Error) as problem:
        raise WaiaasError(
            "feed-cache",
            f"cannot copy what was verified before: {problem}",
            f"check the rights of {cache}, and the free space of the temporary folder",
        ) from problem
