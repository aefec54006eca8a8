"""A change to the feed, frozen so that several people can sign the very same bytes.

    F.pending/roots/N.root.json     the roots in force: the newest says who may sign
    F.pending/before.json           the targets in force, so that holders are shown what changes
    F.pending/targets.json          the next targets, to sign
    F.pending/root.json             the next root, to sign, where keys change
    F.pending/<keyid>.ROLE.sig.json partial signatures
    F.pending/targets/              the artefacts, under their final names

The folder can be carried to the key holders; nothing in it is secret, nothing in it is trusted:
`examine.py` checks it before anybody signs or publishes.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from waiaas.core.errors import TrustRefused, WaiaasError
from waiaas.core.value import field, frozen
from waiaas.host.files import Files

PUBLIC_MODE = 0o644
PUBLIC_DIRECTORY = 0o755
DOCUMENTS = ("root", "targets")  # what holders sign; snapshot and timestamp are signed online
BEFORE = "before.json"
SUFFIX = ".sig.json"


@frozen
class Partial:
    """One signature over the document of a role, `sig` in hex."""

    role: str
    keyid: str
    sig: str

    @property
    def name(self) -> str:
        return f"{self.keyid}.{self.role}{SUFFIX}"


@frozen
class Change:
    """`root`, `targets`: what is to be signed, empty where it stays; `payloads`: final name -> bytes.

    `roots`: those in force, oldest first. `before`: the targets in force.
    """

    roots: tuple[bytes, ...]
    before: bytes = b""
    root: bytes = b""
    targets: bytes = b""
    payloads: Mapping[str, Path] = field(default_factory=dict)
    signatures: tuple[Partial, ...] = ()

    @property
    def documents(self) -> dict[str, bytes]:
        """Role -> bytes to sign."""
        return {role: data for role, data in (("root", self.root), ("targets", self.targets)) if data}


def folder_of(feed: Path) -> Path:
    """`F.pending`, beside the feed and never served with it."""
    return feed.with_name(feed.name + ".pending")


def freeze(change: Change, folder: Path, files: Files) -> None:
    """Write the change; one that waits there already is never overwritten."""
    if folder.exists():
        raise WaiaasError(
            "already-prepared",
            f"{folder} holds a change that is not yet published",
            f"publish it, or drop it: rm -r {folder}",
        )
    building = folder.with_name(f".{folder.name}.new")
    files.remove_tree("pending.leftover", building)
    for part in ("targets", "roots"):
        files.make_directory("pending.folder", building / part, PUBLIC_DIRECTORY)
    for name, path in change.payloads.items():
        files.make_directory("pending.folder", (building / "targets" / name).parent, PUBLIC_DIRECTORY)
        files.copy("pending.payload", path, building / "targets" / name, PUBLIC_MODE)
    documents = {f"{role}.json": data for role, data in change.documents.items()}
    documents |= {f"roots/{number}.root.json": data for number, data in enumerate(change.roots, 1)}
    documents |= {BEFORE: change.before} if change.before else {}
    for name, data in documents.items():
        files.write("pending.document", building / name, data, PUBLIC_MODE)
    files.replace("pending.folder", building, folder)


def thaw(folder: Path) -> Change:
    """Read a change with the signatures that have arrived.

    Raises WaiaasError `nothing-prepared`, TrustRefused `pending-tampered`.
    """
    found = {role: _read(folder / f"{role}.json") for role in DOCUMENTS}
    if not any(found.values()):
        raise WaiaasError(
            "nothing-prepared", f"nothing is prepared in {folder}", "run one of the `prepare` commands first"
        )
    payloads = folder / "targets"
    return Change(
        roots=tuple(_roots(folder / "roots")),
        before=_read(folder / BEFORE),
        root=found["root"],
        targets=found["targets"],
        payloads={
            path.relative_to(payloads).as_posix(): path
            for path in sorted(payloads.rglob("*"))
            if path.is_file() and not path.is_symlink()
        },
        signatures=tuple(_partial(path) for path in sorted(folder.glob(f"*{SUFFIX}"))),
    )


def add_signature(folder: Path, signature: Partial, files: Files) -> Path:
    """Keep one partial signature; the same key signing again changes nothing."""
    path = folder / signature.name
    document = {"role": signature.role, "keyid": signature.keyid, "sig": signature.sig}
    files.write("pending.signature", path, json.dumps(document).encode(), PUBLIC_MODE)
    return path


def drop(folder: Path, files: Files) -> None:
    files.remove_tree("pending.done", folder)


def tampered(what: str) -> TrustRefused:
    """What is said of a folder that is not as `prepare` left it."""
    return TrustRefused(
        "pending-tampered",
        f"the frozen change is not as it was prepared: {what}",
        "sign and publish nothing of it; drop the folder, and prepare the change again",
    )


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _roots(folder: Path) -> Iterator[bytes]:
    """1.root.json, 2.root.json, … as far as they go."""
    number = 1
    while data := _read(folder / f"{number}.root.json"):
        yield data
        number += 1


def _partial(path: Path) -> Partial:
    try:
        document = json.loads(path.read_bytes())
        found = Partial(str(document["role"]), str(document["keyid"]), str(document["sig"]))
    except (ValueError, KeyError, TypeError) as problem:
        raise tampered(f"{path.name} is no signature") from problem
    if found.role not in DOCUMENTS:
        raise tampered(f"{path.name} signs {found.role!r}, which is never prepared")
    return found
