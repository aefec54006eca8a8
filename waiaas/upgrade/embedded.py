"""What the build put into this program: its facts, and files."""

from pathlib import Path

import waiaas
from waiaas.core.value import frozen

TYPE_CHECKING = False  # importing `typing` is one of the things that every command saves (PRF-3)
if TYPE_CHECKING:
    from typing import Any

FACTS = "_build.json"


@frozen
class BuildInfo:
    """`built`: Unix seconds, 0 in a source tree. `targets_floor`: of the embedded root's feed."""

    version: str
    commit: str
    built: int
    feed_url: str
    targets_floor: int


def build_info() -> BuildInfo:
    """The facts the build wrote down; those of a development tree where it did not."""
    import json

    facts: dict[str, Any] = json.loads(content(FACTS) or b"{}")
    return BuildInfo(
        facts.get("version", waiaas.__version__),
        facts.get("commit", ""),
        int(facts.get("built", 0)),
        facts.get("feedUrl", ""),
        int(facts.get("targetsFloor", 0)),
    )


def feed_url() -> str:
    """That fact alone, for every command asks for it; as plain as our build writes it, it takes no JSON."""
    _, there, rest = (content(FACTS) or b"").partition(b'"feedUrl": "')
    url = rest.partition(b'"')[0]
    return url.decode() if there and url.isascii() and b"\\" not in url else build_info().feed_url


def content(name: str) -> bytes | None:
    """The content of a file inside the package; None where there is none."""
    loader: Any = waiaas.__loader__
    try:
        found: bytes = loader.get_data(str(Path(waiaas.__file__).parent / name))
    except OSError:
        return None
    return found
