"""What somebody carried here on a stick: opened once, read with suspicion, served like a network.

Three things can be carried: a bundle, a feed's folder, and a bare program with the feed's `metadata/`
beside it (BNDL-2). Each becomes a `Network` that never leaves this machine, so that the same client
verifies all of them.
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from waiaas.core import bundle
from waiaas.core.errors import TrustRefused, WaiaasError
from waiaas.core.ustar import refuse
from waiaas.host.clock import Clock
from waiaas.host.http import Network
from waiaas.host.problems import HttpStatus, NetworkProblem

CHUNK = 1 << 16  # bytes read at once
GZIP = b"\x1f\x8b"
PROGRAM = (b"#!", b"PK\x03\x04")  # how a zipapp begins
ADDRESS = "bundle:"  # where a bundle's Network serves it
PAGE = (b"<!doctype", b"<html")


class CarriedFile:
    """A plain file, opened once. Whoever replaces or changes it while it is read is noticed."""

    def __init__(self, path: Path) -> None:
        """Raises WaiaasError `no-such-file`, TrustRefused for what is no plain file."""
        self.path = path
        try:
            # O_NONBLOCK: opening a FIFO must not wait for somebody to write into it
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as problem:
            raise WaiaasError(
                "no-such-file",
                f"cannot read {path}: {problem.strerror}",
                "check the path, and that the stick is mounted",
            ) from problem
        self._opened = os.fstat(self._descriptor)
        if not stat.S_ISREG(self._opened.st_mode):
            raise refuse("bundle-no-file", f"is no file: {path} is a pipe, a device or the like")

    def __del__(self) -> None:
        descriptor = getattr(self, "_descriptor", None)
        if descriptor is not None:
            os.close(descriptor)

    @property
    def size(self) -> int:
        return self._opened.st_size

    def start(self) -> bytes:
        return self._read(512, 0)

    def chunks(self) -> Iterator[bytes]:
        """From the beginning, as long as it was when it was opened; may be begun again and again.

        Raises TrustRefused `bundle-changed`.
        """
        offset = 0
        while chunk := self._read(min(CHUNK, self.size - offset), offset):
            offset += len(chunk)
            yield chunk
        now = os.fstat(self._descriptor)
        if offset != self.size or (now.st_size, now.st_mtime_ns) != (self.size, self._opened.st_mtime_ns):
            raise self.changed()

    def changed(self) -> TrustRefused:
        return refuse("bundle-changed", f"is changing while it is read ({self.path})")

    def _read(self, count: int, offset: int) -> bytes:
        try:
            return os.pread(self._descriptor, count, offset)
        except OSError as problem:
            raise WaiaasError(
                "unreadable", f"cannot read {self.path}: {problem.strerror}", "carry it again"
            ) from problem


class BundleNetwork(Network):
    """Serves a bundle: the metadata from memory, the payload from the file."""

    def __init__(self, file: CarriedFile, clock: Clock) -> None:
        """Reads all but the payload; raises TrustRefused for what has not a bundle's form."""
        super().__init__({}, clock, offline=True)
        self._file = file
        self.contents, _ = bundle.read(file.chunks())

    def fetch(self, url: str, deadline: float, budget: int) -> Iterator[bytes]:
        """Raises HttpStatus for a root that no bundle has yet; TrustRefused for everything else."""
        name = url.removeprefix(f"{ADDRESS}/")
        if name == self.contents.payload.name:
            return self._payload(budget)
        return self._metadata(name, budget)

    def _metadata(self, name: str, budget: int) -> Iterator[bytes]:
        data = self.contents.metadata.get(name)
        if data is None and bundle.ROOT.fullmatch(name):
            raise HttpStatus(f"this bundle has no {name}", 404)
        if data is None:
            raise refuse("bundle-mixed", f"is put together from several feeds: it lacks {name}")
        if data.lstrip()[:9].lower().startswith(PAGE):
            raise refuse("bundle-page", f"holds a web page instead of {name}")
        yield _within(data, budget)

    def _payload(self, budget: int) -> Iterator[bytes]:
        """A pass of its own: what was verified and what is installed come from the same bytes."""
        contents, payload = bundle.read(self._file.chunks())
        if contents != self.contents:
            raise self._file.changed()
        if contents.payload.size > budget:
            raise _too_large()
        yield from payload


class BareNetwork(Network):
    """Serves a bare program and the feed's metadata in the folder beside it."""

    def __init__(self, file: CarriedFile, clock: Clock) -> None:
        super().__init__({}, clock, offline=True)
        self._file = file
        self.address = file.path.absolute().parent.as_uri()

    def digest(self) -> str:
        digest = hashlib.sha256()
        for chunk in self._file.chunks():
            digest.update(chunk)
        return digest.hexdigest()

    def _chunks(self, url: str, deadline: float) -> Iterator[bytes]:
        if url.startswith(f"{self.address}/targets/"):
            return self._file.chunks()
        return super()._chunks(url, deadline)


def _within(data: bytes, budget: int) -> bytes:
    if len(data) > budget:
        raise _too_large()
    return data


def _too_large() -> NetworkProblem:
    return NetworkProblem("network-too-large", "this bundle holds a file that is larger than it may be")
