"""`make reproducible`: the artefact of HEAD, built again and again where everything else differs.

Each build has its own folder, umask, order of files on disk, time zone, hash seed, Python and
installed dependencies. There must be one sha256 (SHP-2, RLSE-05). Every Python from 3.11 on that is
found on PATH takes part; with one alone there are still two builds.
"""

import hashlib
import itertools
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
MINORS = range(11, 15)
ROOT = b'{"signatures": [], "signed": {"_type": "root"}}'  # any will do, as long as it is the same
BUILD = (
    "import sys; sys.path[:0] = {path!r}; from waiaas.release.__main__ import main; sys.exit(main({argv!r}))"
)
VERSION = "import sys; print('.'.join(map(str, sys.version_info[:3])), sys.executable)"


@dataclass(frozen=True)
class Way:
    """One way to build: all of it differs from the next one's."""

    python: str
    version: str
    umask: int
    order: str
    zone: str
    seed: int


def pythons() -> Iterator[tuple[str, str]]:
    """Version and real path of each Python on PATH, and beside pyenv's shims; this one first."""
    yield ".".join(map(str, sys.version_info[:3])), sys.executable
    folders = [Path(folder) for folder in os.environ["PATH"].split(os.pathsep) if folder]
    shims = [folder.parent / "versions" for folder in folders if folder.name == "shims"]
    for minor in MINORS:
        more = [home / "bin" for versions in shims for home in sorted(versions.glob(f"3.{minor}.*"))]
        if minor != sys.version_info[1]:
            yield from itertools.islice(_proven(minor, [*folders, *more]), 1)


def _proven(minor: int, folders: list[Path]) -> Iterator[tuple[str, str]]:
    for folder in folders:
        python = folder / f"python3.{minor}"
        if python.is_file():
            done = subprocess.run([python, "-S", "-c", VERSION], capture_output=True, text=True, check=False)
            if done.returncode == 0:
                version, _, path = done.stdout.strip().partition(" ")
                yield version, path


def ways() -> list[Way]:
    found = list(pythons())
    found += found[:1] if len(found) == 1 else []
    umasks, orders, zones = (0o022, 0o077, 0o002, 0o027), ("a-z", "z-a"), ("UTC", "Asia/Seoul")
    return [
        Way(path, version, umasks[n % 4], orders[n] if n < 2 else f"shuffled ({n})", zones[n % 2], 7 * n)
        for n, (version, path) in enumerate(found)
    ]


def lay_out(clone: Path, folder: Path, order: str, umask: int) -> None:
    """The same tree, its files written in another order: some file systems list them so."""
    names = sorted(path.relative_to(clone) for path in clone.rglob("*") if path.is_file())
    if order == "z-a":
        names.reverse()
    elif order != "a-z":
        random.Random(order).shuffle(names)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(clone / name, folder / name)
        (folder / name).chmod(0o666 & ~umask)


def build(way: Way, clone: Path, root: Path, scratch: Path) -> Path:
    """One artefact, made in this way."""
    tree = scratch / f"{way.version}-{way.order[0]}" / "tree"
    lay_out(clone, tree, way.order, way.umask)
    argv = ["build", "--source", str(tree), "--root", str(root), "-o", str(tree.parent / "dist")]
    argv += ["--feed-url", "https://example.org/", "--cache", str(tree.parent / "cache")]
    path = [str(tree), *(name for name in sys.path if name.endswith("site-packages"))]
    environ = {"PATH": os.environ["PATH"], "TZ": way.zone, "PYTHONHASHSEED": str(way.seed)}
    environ |= {name: os.environ[name] for name in os.environ if name.startswith(("PIP_", "SSL_CERT"))}
    environ |= {name: os.environ[name] for name in os.environ if name.lower().endswith("_proxy")}
    environ["HOME"] = str(scratch)
    script = BUILD.format(path=path, argv=argv)
    done = subprocess.run(
        [way.python, "-c", script],
        env=environ,
        umask=way.umask,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"Python {way.version} cannot build: {done.stderr.strip()}")
    return Path(done.stdout.strip())


def main() -> int:
    digests = set()
    print(f"{'Python':<8} {'umask':<6} {'files':<13} {'zone':<11} sha256")
    with tempfile.TemporaryDirectory(prefix="waiaas-reproducible-") as name:
        scratch = Path(name)
        clone, root = scratch / "clone", scratch / "root.json"
        subprocess.run(["git", "clone", "-q", str(REPOSITORY), str(clone)], check=True)
        root.write_bytes(ROOT)
        chosen = ways()
        with ThreadPoolExecutor() as at_once:
            built = at_once.map(lambda way: build(way, clone, root, scratch), chosen)
            made = [hashlib.sha256(path.read_bytes()).hexdigest() for path in built]
        for way, digest in zip(chosen, made, strict=True):
            digests.add(digest)
            print(f"{way.version:<8} {way.umask:04o}   {way.order:<13} {way.zone:<11} {digest}", flush=True)
    print("one sha256" if len(digests) == 1 else f"{len(digests)} different files: not reproducible")
    return 0 if len(digests) == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
