"""The two ends of a stick: a site that makes bundles from a simulated feed, and one that reads them."""

from pathlib import Path
from typing import Any

from tests.fakes import FakeClock
from tests.simulator import BUILT, Simulator
from waiaas.core.bundle import Contents, Payload, write
from waiaas.core.release import Release
from waiaas.host.files import Files
from waiaas.host.host import Host
from waiaas.host.processes import Processes
from waiaas.host.program import Program
from waiaas.upgrade.bundle import CarriedFeed, recognise
from waiaas.upgrade.bundle_make import Made, create
from waiaas.upgrade.floors import Floors

PAYLOAD = b"#!/usr/bin/env python3\n" + bytes(range(256)) * 800


def host(feed: Simulator) -> Host:
    return Host(feed.clock, Files(), feed, Processes({}), Program(None), {})


def make(feed: Simulator, release: Release, folder: Path, **changes: Any) -> Made:
    """`bundle create` on the connected site."""
    client = feed.client(folder / "connected", **changes)
    client.refresh(5.0)
    return create(host(feed), client, release, folder / f"{release.version}.tgz", lambda _done, _all: None)


def open_bundle(
    feed: Simulator, path: Path, folder: Path, *, accept_expired: bool = False, **changes: Any
) -> CarriedFeed:
    """The air-gapped site: its own cache and floors below `folder`, and no network."""
    given: dict[str, Any] = {
        "cache_dir": folder / "metadata",
        "root": feed.trusted,
        "clock": feed.clock,
        "files": Files(),
        "floors": Floors(folder / "floors.json", Files()),
        "build_time": BUILT,
    }
    return CarriedFeed(recognise(path, feed.clock), accept_expired=accept_expired, **(given | changes))


def by_hand(feed: Simulator, release: Release, path: Path, payload: bytes = PAYLOAD) -> Path:
    """A bundle of what the feed serves now, whoever signed it and whatever its age."""
    served = feed.served
    roots = [name for name in served if name.endswith(".root.json")]
    roots.sort(key=lambda name: int(name.removeprefix("metadata/").split(".")[0]))
    names = [
        *roots,
        "metadata/timestamp.json",
        f"metadata/{feed.snapshot.version}.snapshot.json",
        f"metadata/{feed.targets.version}.targets.json",
    ]
    said = Payload(release.version, release.target, release.sha256, len(payload))
    contents = Contents({name: served[name] for name in names}, said)
    path.write_bytes(b"".join(write(contents, [payload])))
    return path


def later(clock: FakeClock, days: float) -> None:
    clock.time += days * 86400
