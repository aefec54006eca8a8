"""A good bundle on a stick, and the parts to make bad ones of."""

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

from tests.fakes import FakeClock
from tests.simulator import Simulator, release
from tests.upgrade.carriage import PAYLOAD, make
from waiaas.core.ustar import Member, pack

Parts = list[tuple[str, bytes]]


class Stick:
    """A good bundle, and the parts to make bad ones of."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.feed = Simulator(FakeClock())
        self.feed.publish(release("1.8.0"), b"old")
        self.new = self.feed.publish(release("1.9.0"), PAYLOAD)
        self.good = make(self.feed, self.new, folder).path.read_bytes()
        self.path = folder / "hostile.tgz"
        self.parts: Parts = []
        with tarfile.open(fileobj=io.BytesIO(self.good)) as tar:
            for info in tar:
                stream = tar.extractfile(info)
                assert stream is not None
                self.parts.append((info.name, stream.read()))

    def pack(self, parts: Parts | None = None) -> bytes:
        chosen = self.parts if parts is None else parts
        return b"".join(pack((Member(name, len(data)), [data]) for name, data in chosen))

    def plain(self) -> bytearray:
        return bytearray(gzip.decompress(self.good))

    def index(self, word: str) -> int:
        return next(n for n, (name, _) in enumerate(self.parts) if word in name)

    def changed(self, word: str, data: bytes) -> bytes:
        parts = list(self.parts)
        place = self.index(word)
        parts[place] = (parts[place][0], data)
        return self.pack(parts)

    def renamed(self, word: str, name: str) -> bytes:
        parts = list(self.parts)
        place = self.index(word)
        parts[place] = (name, parts[place][1])
        return self.pack(parts)

    def first(self, change: Callable[[tarfile.TarInfo], None], form: int = tarfile.USTAR_FORMAT) -> bytes:
        """An archive of the standard library whose first entry is no plain file."""
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w:gz", format=form) as tar:
            info = tarfile.TarInfo("metadata/1.root.json")
            change(info)
            tar.addfile(info, io.BytesIO(b"\0" * info.size))
            for name, data in self.parts:
                plain = tarfile.TarInfo(name)
                plain.size = len(data)
                tar.addfile(plain, io.BytesIO(data))
        return stream.getvalue()


def payload_flipped(stick: Stick) -> bytes:
    return stick.changed("targets/", PAYLOAD[:-1] + b"!")
