"""Clearing a cache of verified metadata of what a killed look at the feed left half-written in it."""

from pathlib import Path

from waiaas.core.errors import Busy
from waiaas.host.files import Files
from waiaas.host.locks import Lock

HALVES = "tmp????????"  # as TUF's client names what it is about to rename (Python's tempfile)


def sweep(files: Files, cache: Path) -> None:
    """Nothing is touched while somebody looks at the feed with this cache."""
    if not cache.is_dir():
        return
    try:
        lock = Lock.acquire(cache / "lock", "look at the feed")
    except Busy:
        return
    with lock:
        files.sweep("leftover", cache)
        for half in (*cache.glob(HALVES), *(cache / "root_history").glob(HALVES)):
            if half.is_file() or half.is_symlink():
                half.unlink(missing_ok=True)
