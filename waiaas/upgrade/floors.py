"""What the feed may never fall below again (FEED-8), kept outside of TUF's own cache.

TUF remembers versions in its cache, and a damaged cache forgets them. The floor is our own memory:
the highest targets version ever verified, and the newest time that the targets keys signed. It
belongs to one set of targets keys: when root replaces these, it starts anew.
"""

import json
from pathlib import Path

from waiaas.core.release import Release
from waiaas.core.value import frozen

TYPE_CHECKING = False  # most checks write nothing (PRF-12)
if TYPE_CHECKING:
    from waiaas.host.files import Files

FLOORS_MODE = 0o644  # beside the program


@frozen
class Floor:
    """`targets_keys`: sorted key ids. `seq`: of the newest release seen. `signed_time`: Unix seconds."""

    targets_version: int
    targets_keys: tuple[str, ...]
    seq: int = 0
    signed_time: int = 0


def raised(floor: Floor, targets_version: int, keys: tuple[str, ...], releases: tuple[Release, ...]) -> Floor:
    """The floor after this list of releases was verified."""
    signed = [r.built for r in releases] + [r.withdrawn.at for r in releases if r.withdrawn]
    return Floor(
        targets_version,
        keys,
        max([floor.seq, *(release.seq for release in releases)]),
        max([floor.signed_time, *signed]),
    )


class Floors:
    """The file with the floor. It is fsynced before anything acts on what was verified."""

    def __init__(self, path: Path, files: "Files") -> None:
        self.path = path
        self._files = files

    def load(self) -> tuple[Floor | None, str]:
        """The floor, None without one; and a warning, empty but for a file that cannot be read."""
        try:
            return _parse(json.loads(self.path.read_bytes())), ""
        except FileNotFoundError:
            return None, ""
        except (OSError, ValueError, RecursionError) as problem:
            guard = "only what this version carries guards this look against old lists"
            return None, f"{self.path} cannot be read ({problem}): {guard}"

    def save(self, floor: Floor) -> None:
        """Replace the file; raises OSError."""
        document = {
            "targetsVersion": floor.targets_version,
            "targetsKeys": list(floor.targets_keys),
            "seq": floor.seq,
            "signedTime": floor.signed_time,
        }
        self._files.make_directory("floors", self.path.parent)
        mode = FLOORS_MODE & self.path.parent.stat().st_mode  # private in a data directory (DIR-1)
        self._files.write("floors", self.path, json.dumps(document).encode() + b"\n", mode)


def _parse(document: object) -> Floor:
    if not isinstance(document, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 - one kind of error for a damaged file
    keys = document.get("targetsKeys")
    numbers = [document.get(name) for name in ("targetsVersion", "seq", "signedTime")]
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise ValueError("targetsKeys is no list of key ids")
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise ValueError("a number is missing")
    version, seq, signed_time = (int(str(number)) for number in numbers)
    return Floor(version, tuple(sorted(keys)), seq, signed_time)
