"""A maker's bench for tests: plain keys made once, tiny artefacts, and a clock at the present.

The library's own client goes by the real time, so feeds for it are signed by a clock that starts
there.
"""

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from tests.fakes import FakeClock
from waiaas.core.version import Version
from waiaas.host.files import Files
from waiaas.host.power import at as nothing
from waiaas.release import ceremony, keys, publish
from waiaas.release.archive import pack

COMPAT = b"LATEST_SCHEMA_VERSION: Final = 16\nSCHEMAS = {11: ('1.5.0',)}\nOTHER = len('unread')\n"


def never() -> bytes:
    raise AssertionError("plain keys need no passphrase")


def artefact(folder: Path, version: str, extra: bytes = b"", *, root: bool = True) -> Path:
    """A file that says about itself what a real build does."""
    facts = {"version": version, "commit": "c0ffee", "built": 1700000000, "python": ">=3.11"}
    facts["feedUrl"] = "https://feed.example.test/"
    contents = {
        "waiaas/_build.json": json.dumps(facts).encode(),
        "waiaas/core/compat.py": COMPAT,
        "extra": extra,
    }
    if root:
        contents["waiaas/upgrade/root.json"] = b"{}"
    path = folder / f"waiaas-{version}.pyz"
    path.write_bytes(pack(contents, 0))
    return path


class Bench:
    """`folder` holds `feed`, `keys` and the artefacts."""

    def __init__(self, folder: Path, plain_keys: Path, observer: Callable[[str], None] = nothing) -> None:
        self.folder = folder
        self.feed = folder / "feed"
        self.keys = folder / "keys"
        shutil.copytree(plain_keys, self.keys)
        self.clock = FakeClock(time.time())
        self.maker = publish.Maker(Files(observer), self.clock)

    @property
    def ring(self) -> keys.Keyring:
        return keys.load_folder(self.keys, never)

    @property
    def first_root(self) -> bytes:
        """What an old program has built in."""
        return (self.feed / "metadata" / "1.root.json").read_bytes()

    def publish(
        self, *versions: str, extra: bytes = b"", shells: dict[str, Path] | None = None, **terms: object
    ) -> int | None:
        files = [artefact(self.folder, version, extra) for version in versions]
        root = (self.keys / "root.json").read_bytes()
        wish = publish.Terms(**terms)  # type: ignore[arg-type]
        bundles = tuple((shells or {}).items())
        return publish.publish(self.maker, self.feed, files, wish, root, self.ring, bundles)

    def rotate(self, role: str, **wish: object) -> int:
        rotation = publish.Rotation(role, plain=True, **wish)  # type: ignore[arg-type]
        return publish.rotate(self.maker, self.feed, self.keys, rotation, never)

    def sign(self, folder: Path, *names: str) -> list[Path]:
        """By these keys of the bench, the root of trust beside them being the holder's own."""
        made: list[Path] = []
        for name in names:
            found = ceremony.look(folder, (self.keys / "root.json").read_bytes())
            made += ceremony.sign(self.maker, folder, found, self.keys / f"{name}.pem", never)
        return made

    def withdraw(self, version: str, to: str | None = None) -> int | None:
        why = publish.Reason("it forgets things", "high", Version.parse(to) if to else None)
        return publish.withdraw(self.maker, self.feed, Version.parse(version), why, self.ring)

    def releases(self) -> dict[str, object]:
        return {str(r.version): r for r in self.maker.repository(self.feed).releases()}

    def listing(self) -> dict[str, bytes]:
        """Every file of the feed by its name."""
        return {
            str(path.relative_to(self.feed)): path.read_bytes()
            for path in self.feed.rglob("*")
            if path.is_file()
        }


def own_root(bench: Bench) -> bytes:
    return (bench.keys / "root.json").read_bytes()


def keyid(bench: Bench, name: str) -> str:
    return keys.load(bench.keys / f"{name}.pem", never).public_key.keyid
