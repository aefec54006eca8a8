"""Other Pythons of this machine, found on PATH and beside pyenv's shims, proven to run."""

import os
import subprocess
from functools import cache
from pathlib import Path

OLD = ("2.7", "3.6", "3.7", "3.8", "3.9", "3.10")
NEW = ("3.11", "3.12", "3.13", "3.14")


@cache
def interpreter(version: str) -> str | None:
    """A Python of this minor version, or None."""
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    shims = [folder.parent / "versions" for folder in folders if folder.name == "shims"]
    folders += [home / "bin" for versions in shims for home in sorted(versions.glob(f"{version}.*"))]
    for folder in folders:
        candidate = folder / f"python{version}"
        if candidate.is_file() and (real := _prove(str(candidate), version)):
            return real
    return None


def _prove(python: str, version: str) -> str | None:
    """The interpreter behind a name, which may be a shim that needs its PATH."""
    script = "import sys; print('%d.%d' % sys.version_info[:2]); print(sys.executable)"
    done = subprocess.run([python, "-S", "-c", script], capture_output=True, text=True)
    found = done.stdout.splitlines()
    return found[1] if found[:1] == [version] else None
