"""A change to the feed, frozen so that several people can sign the very same bytes.

    F.pending/root.json          the root of trust it is to be signed under
    F.pending/targets.json       the bytes to sign
    F.pending/<keyid>.sig.json   partial signatures
    F.pending/targets/           the artefacts, under their final names

The folder can be carried to the key holders; nothing in it is secret, nothing in it is trusted.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from waiaas.core.errors import WaiaasError
from waiaas.host.files import Files

PUBLIC_MODE = 0o644
PUBLIC_DIRECTORY = 0o755


@dataclass(frozen=True)
class Change:
    """`root`, `targets`: metadata files as bytes; `payloads`: final name -> where the bytes are."""

    root: bytes
    targets: bytes
    payloads: dict[str, Path]
    signatures: tuple[dict[str, str], ...] = ()


def folder_of(feed: Path) -> Path:
    """`F.pending`, beside the feed and never served with it."""
    return feed.with_name(feed.name + ".pending")


def freeze(change: Change, folder: Path, files: Files) -> None:
    """Write the change; one that waits there already is never overwritten."""
    if folder.exists():
        raise WaiaasError(
            "already-prepared",
            f"{folder} holds a change that is not yet published",
            "publish it, or remove the folder to drop it",
        )
    building = folder.with_name(f".{folder.name}.new")
    files.remove_tree("pending.leftover", building)
    files.make_directory("pending.folder", building / "targets", PUBLIC_DIRECTORY)
    for name, path in change.payloads.items():
        files.copy("pending.payload", path, building / "targets" / name, PUBLIC_MODE)
    files.write("pending.root", building / "root.json", change.root, PUBLIC_MODE)
    files.write("pending.targets", building / "targets.json", change.targets, PUBLIC_MODE)
    files.replace("pending.folder", building, folder)


def thaw(folder: Path) -> Change:
    """Read a change with the signatures that have arrived; raises WaiaasError `nothing-prepared`."""
    if not (folder / "targets.json").is_file():
        raise WaiaasError("nothing-prepared", f"nothing is prepared in {folder}", "run `prepare` first")
    return Change(
        (folder / "root.json").read_bytes(),
        (folder / "targets.json").read_bytes(),
        {path.name: path for path in sorted((folder / "targets").iterdir())},
        tuple(json.loads(path.read_bytes()) for path in sorted(folder.glob("*.sig.json"))),
    )


def add_signature(folder: Path, signature: dict[str, str], files: Files) -> Path:
    """Keep one partial signature; the same key signing again changes nothing."""
    path = folder / f"{signature['keyid']}.sig.json"
    files.write("pending.signature", path, json.dumps(signature).encode(), PUBLIC_MODE)
    return path


def drop(folder: Path, files: Files) -> None:
    files.remove_tree("pending.done", folder)
