"""`release.json`: what one run is to publish. Made before gate 2, so that whoever approves can read it.

Whoever rebuilds the artefact needs exactly these values: commit, root of trust, address of the feed
and floor of its targets.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from waiaas.core.errors import WaiaasError
from waiaas.core.value import frozen
from waiaas.core.version import Version
from waiaas.host.files import Files

FILE = "release.json"
ROOT = Path("build", "root.json")  # the root of trust, in the tree
COPY_OF_ROOT = "root.json"  # the one that was built in, beside the artefact
FORMAT = 1
PUBLIC_MODE = 0o644
PUBLISH = "WAIAAS_RELEASE_PUBLISH"  # "true": publish; anything else but "" is a dry run
FIRST_FOR_REAL = Version(2, 0, 0)  # published where nothing is said


@frozen
class Plan:
    """`length` in bytes, `sha256` and `root_sha256` in hex; `images` without a tag.

    `feed_branch` is `REMOTE#BRANCH`. `rehearsal`: the tree has no root of trust of its own yet, so
    this artefact carries one that nobody has the keys of, and is never published.
    """

    tag: str
    version: Version
    commit: str
    artefact: str
    length: int
    sha256: str
    root_sha256: str
    feed_url: str
    feed_branch: str
    targets_floor: int
    images: tuple[str, ...]
    rehearsal: bool


def write(plan: Plan, folder: Path, files: Files) -> Path:
    """Keep the plan beside what it speaks of."""
    document = {
        "format": FORMAT,
        "tag": plan.tag,
        "version": str(plan.version),
        "commit": plan.commit,
        "artefact": plan.artefact,
        "length": plan.length,
        "sha256": plan.sha256,
        "rootSha256": plan.root_sha256,
        "feedUrl": plan.feed_url,
        "feedBranch": plan.feed_branch,
        "targetsFloor": plan.targets_floor,
        "images": list(plan.images),
        "rehearsal": plan.rehearsal,
    }
    path = folder / FILE
    files.write("release.plan", path, (json.dumps(document, indent=1) + "\n").encode(), PUBLIC_MODE)
    return path


def read(folder: Path) -> Plan:
    """The plan in a folder that `assemble` made; raises WaiaasError `no-plan`."""
    path = folder / FILE
    try:
        return _plan(json.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise WaiaasError(
            "no-plan", f"{path} is no plan of a release: {problem}", "make one with `assemble`"
        ) from problem


def is_for_real(plan: Plan, environ: Mapping[str, str]) -> bool:
    """False for a dry run: before 2.0.0 unless told otherwise, and always when told so (RLSE-04)."""
    said = environ.get(PUBLISH, "")
    return said == "true" if said else plan.version >= FIRST_FOR_REAL


def _plan(document: Mapping[str, Any]) -> Plan:
    if document["format"] != FORMAT:
        raise ValueError(f"format {document['format']}, expected {FORMAT}")
    return Plan(
        tag=str(document["tag"]),
        version=Version.parse(document["version"]),
        commit=str(document["commit"]),
        artefact=Path(document["artefact"]).name,
        length=int(document["length"]),
        sha256=str(document["sha256"]),
        root_sha256=str(document["rootSha256"]),
        feed_url=str(document["feedUrl"]),
        feed_branch=str(document["feedBranch"]),
        targets_floor=int(document["targetsFloor"]),
        images=tuple(str(name) for name in document["images"]),
        rehearsal=bool(document["rehearsal"]),
    )
