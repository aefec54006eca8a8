"""The feed as a client reads it: with the library's own client, every byte of it, knowing only a root."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tuf.api.exceptions import DownloadError, DownloadHTTPError, RepositoryError
from tuf.api.metadata import Metadata, Targets
from tuf.api.serialization import DeserializationError
from tuf.ngclient import FetcherInterface, Updater

from waiaas.core.errors import TrustRefused
from waiaas.core.release import Release
from waiaas.core.value import frozen
from waiaas.release.shells import Shell, releases_among, shells_among


@frozen
class Verified:
    """What the feed says, signatures and bytes checked."""

    releases: tuple[Release, ...]
    shells: tuple[Shell, ...]


def read(feed: Path, root: bytes) -> Verified:
    """Read the feed as a client does that knows only `root`, every payload included.

    Raises TrustRefused `feed-refused`.
    """
    with tempfile.TemporaryDirectory(prefix="waiaas-verify-") as cache:
        try:
            updater = Updater(
                cache, (feed / "metadata").resolve().as_uri(), fetcher=_FromDisk(), bootstrap=root
            )
            updater.refresh()
            targets = Metadata[Targets].from_file(str(Path(cache, "targets.json"))).signed.targets
            for target in targets.values():
                with (feed / "targets" / target.get_prefixed_paths()[0]).open("rb") as payload:
                    target.verify_length_and_hashes(payload)
        except (RepositoryError, DownloadError, DeserializationError, OSError) as problem:
            raise TrustRefused(
                "feed-refused",
                f"a client would refuse this feed: {problem}",
                "see `status`, then `refresh` or publish",
            ) from problem
    return Verified(releases_among(targets.values()), shells_among(targets.values()))


class _FromDisk(FetcherInterface):
    """`file://` for the library's own client."""

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = Path(unquote(urlsplit(url).path))
        if not path.is_file():
            raise DownloadHTTPError(f"{path} is missing", 404)
        yield path.read_bytes()
