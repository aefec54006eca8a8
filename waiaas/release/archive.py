"""The canonical repack: what shiv assembled, as a zip that imports by itself and never differs.

Sorted names, one date, fixed modes, entries for directories (zipimport before 3.14 finds no
namespace package without one), the packages at the root of the zip, and nothing that tells where
or by which pip it was built. Entries are stored, not deflated: the file stays far below its budget
(PRF-4), starts as fast, and does not depend on the zlib of whoever rebuilds it.
"""

import io
import re
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from waiaas.release.entry import SHEBANG, modules

PACKAGES = "site-packages/"  # where shiv puts them
EARLIEST = 315532800  # 1980-01-01: a zip has no date before
LEFTOVERS = re.compile(
    r"""(^|/)__pycache__/ | \.py[co]$ | ^bin/
      | \.dist-info/(RECORD|INSTALLER|REQUESTED|direct_url\.json)$
      | ^securesystemslib/_vendor/ed25519/test_   # 2 of 2.6 MB
    """,
    re.VERBOSE,
)


def repack(assembled: Path, version: str, when: int) -> bytes:
    """The artefact's bytes, from shiv's file. `when`: Unix seconds, the date of every entry."""
    with zipfile.ZipFile(assembled) as source:
        contents = {
            name.removeprefix(PACKAGES): source.read(name)
            for name in source.namelist()
            if name.startswith(PACKAGES) and not name.endswith("/")
        }
    kept = {name: data for name, data in contents.items() if not LEFTOVERS.search(name)}
    return pack(kept | modules(version), when)


def pack(contents: dict[str, bytes], when: int) -> bytes:
    """An executable archive of exactly these files."""
    date = time.gmtime(max(when, EARLIEST))[:6]
    stream = io.BytesIO()
    stream.write(SHEBANG)
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted([*contents, *_folders(contents)]):
            folder = name.endswith("/")
            entry = zipfile.ZipInfo(name, date)
            entry.create_system = 3  # Unix, wherever it was built
            entry.external_attr = (0o40755 << 16 | 0x10) if folder else (0o100644 << 16)
            archive.writestr(entry, b"" if folder else contents[name])
    return stream.getvalue()


def _folders(names: dict[str, bytes]) -> Iterator[str]:
    yield from {f"{folder}/" for name in names for folder in PurePosixPath(name).parents if folder.name}
