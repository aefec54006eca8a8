"""Making a bundle from a feed: no keys are needed, and nobody has to trust who makes it (BNDL-1).

What goes in was verified a moment ago and lies in the client's cache; roots older than this program's
own are fetched, so that installations of any age can follow. Before the file gets its name it is read
back and verified as the oldest installation would do it, from root 1 on.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from waiaas.core import bundle
from waiaas.core.bundle import Contents, Payload
from waiaas.core.errors import TrustRefused, WaiaasError
from waiaas.core.release import Release
from waiaas.core.value import frozen
from waiaas.host.files import Files
from waiaas.host.host import Host
from waiaas.host.problems import HttpStatus
from waiaas.upgrade.bundle import CarriedFeed, recognise
from waiaas.upgrade.download import signed
from waiaas.upgrade.feed import Feed
from waiaas.upgrade.floors import Floors
from waiaas.upgrade.refusal import TELL

MODE = 0o644  # nothing secret is in it
PATIENCE = 3600.0  # seconds for the payload
ROOT_BUDGET = 512_000  # bytes of one root, as TUF's client bounds it
ROOT_PATIENCE = 10.0  # seconds for one root
Progress = Callable[[int, int], None]  # bytes so far, bytes in all


@frozen
class Made:
    """A bundle on disk. `size` in bytes; `expires`: role -> Unix seconds."""

    path: Path
    size: int
    sha256: str
    roots: int
    expires: dict[str, int]


def create(host: Host, feed: Feed, release: Release, output: Path, progress: Progress) -> Made:
    """Write the bundle of `release`, which the caller has just found in `feed`.

    The file appears complete and verified or not at all; an old one is replaced. Raises TrustRefused,
    NetworkProblem, WaiaasError `cannot-write`.
    """
    payload = Payload(release.version, release.target, release.sha256, release.length)
    contents = Contents(_metadata(feed), payload)
    temporary = output.with_name(f".{output.name}.{os.getpid()}.tmp")
    chunks = signed(feed.payload(release, PATIENCE), release)
    try:
        digest, size = _save(bundle.write(contents, _told(chunks, release.length, progress)), temporary)
        expires = _as_the_oldest_installation(host, temporary, contents)
        host.files.replace("bundle", temporary, output)
    except OSError as problem:
        raise WaiaasError(
            "cannot-write", f"cannot write {output}: {problem.strerror}", "name another file with -o"
        ) from problem
    finally:
        temporary.unlink(missing_ok=True)
    return Made(output, size, digest, contents.roots, expires)


def _metadata(feed: Feed) -> dict[str, bytes]:
    """The verified metadata under the names of the feed, in a bundle's order."""
    found = {f"metadata/{number}.root.json": data for number, data in enumerate(_roots(feed), 1)}
    for role in ("timestamp", "snapshot", "targets"):
        data = (feed.cache / f"{role}.json").read_bytes()
        name = role if role == "timestamp" else f"{_version(data)}.{role}"
        found[f"metadata/{name}.json"] = data
    return found


def _roots(feed: Feed) -> Iterator[bytes]:
    """Every root: those from our own on as we verified them, the older ones as the feed has them."""
    first, last = _version(feed.root), _version((feed.cache / "root.json").read_bytes())
    for number in range(1, last + 1):
        if number >= first:
            yield (feed.cache / "root_history" / f"{number}.root.json").read_bytes()
        else:
            yield _older_root(feed, number)


def _older_root(feed: Feed, number: int) -> bytes:
    url = f"{feed.url}/metadata/{number}.root.json"
    try:
        return feed.network.get(url, ROOT_PATIENCE, ROOT_BUDGET)
    except HttpStatus as problem:
        raise TrustRefused(
            "feed-broken",
            f"{feed.source.name} has no root {number} any more, so older installations could not follow",
            TELL,
        ) from problem


def _as_the_oldest_installation(host: Host, path: Path, contents: Contents) -> dict[str, int]:
    """Verify what was written from root 1 on; returns when each role expires."""
    carried = recognise(path, host.clock)
    with tempfile.TemporaryDirectory(prefix=".waiaas-", dir=path.parent) as folder:
        oldest = CarriedFeed(
            carried,
            cache_dir=Path(folder) / "metadata",
            root=contents.metadata["metadata/1.root.json"],
            clock=host.clock,
            files=Files(),
            floors=Floors(Path(folder) / "floors.json", Files()),
            build_time=0,
        )
        found = oldest.refresh()
    return found.expires


def _save(chunks: Iterable[bytes], path: Path) -> tuple[str, int]:
    digest = hashlib.sha256()
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, MODE), "wb") as stream:
        for chunk in chunks:
            digest.update(chunk)
            stream.write(chunk)
        stream.flush()
        os.fsync(stream.fileno())
        return digest.hexdigest(), stream.tell()


def _told(chunks: Iterable[bytes], total: int, progress: Progress) -> Iterator[bytes]:
    done = 0
    for chunk in chunks:
        done += len(chunk)
        progress(done, total)
        yield chunk


def _version(metadata: bytes) -> int:
    """Of metadata that was verified, or is our own root of trust."""
    return int(json.loads(metadata)["signed"]["version"])
