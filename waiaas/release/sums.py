"""SHA256SUMS: the digests of a release's files, as coreutils' `sha256sum -c` reads them (RLSE-05)."""

from collections.abc import Iterable
from pathlib import Path

from waiaas.core.errors import UsageError
from waiaas.host.files import Files, sha256

FILE = "SHA256SUMS"
PUBLIC_MODE = 0o644
PUBLIC_DIRECTORY = 0o755


def write(paths: Iterable[Path], folder: Path, files: Files) -> Path:
    """One line a file, by its name alone, in the order of the names; returns the path of the list.

    Raises UsageError `bad-name` for a name that a line cannot hold, or that two files have.
    """
    found: dict[str, Path] = {}
    for path in paths:
        if not path.is_file() or set(path.name) & set("\\\n\r"):
            raise UsageError(
                "bad-name", f"{path} is no file with a plain name", "name the files of a release"
            )
        if path.name in found:
            raise UsageError("bad-name", f"two files are called {path.name}", "name each file once")
        found[path.name] = path
    lines = [f"{sha256(path)}  {name}\n" for name, path in sorted(found.items())]
    files.make_directory("sums.folder", folder, PUBLIC_DIRECTORY)
    files.write("sums", folder / FILE, "".join(lines).encode(), PUBLIC_MODE)
    return folder / FILE
