"""Private keys: files of their holders, and the public halves that holders hand out.

Ed25519 only. A private key is a PKCS8 file of mode 0600, encrypted with a passphrase unless told
otherwise. Which role a key serves is decided by the root of trust, never by the file's name. A public
half is a JSON file: `keyid`, and the key as TUF metadata write it.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from securesystemslib.signer import CryptoSigner, Key, SSlibKey
from tuf.api.metadata import Metadata, Root

from waiaas.core.errors import UsageError, WaiaasError
from waiaas.core.layout import DIRECTORY_MODE, FILE_MODE
from waiaas.host.clock import Clock
from waiaas.host.files import Files
from waiaas.release import root as roots
from waiaas.release.root import NUMBER_OF_KEYS

ROOT_FILE = "root.json"
PUBLIC_MODE = 0o644
ENCRYPTED = b"ENCRYPTED PRIVATE KEY"
LONGEST = 1023  # bytes of a passphrase that the format takes

Passphrase = Callable[[], bytes]  # asked at most once for a folder


class Keyring:
    """Signers by key id."""

    def __init__(self, signers: Iterable[CryptoSigner]) -> None:
        self._signers = {signer.public_key.keyid: signer for signer in signers}

    def with_key(self, signer: CryptoSigner) -> "Keyring":
        return Keyring([*self._signers.values(), signer])

    def sign(self, metadata: Metadata[Any], keyids: Iterable[str]) -> None:
        """Add a signature by each of these keys that is here; the others are simply missing."""
        for keyid in keyids:
            if keyid in self._signers:
                metadata.sign(self._signers[keyid], append=True)

    def sign_role(self, metadata: Metadata[Any], role: str, known: Sequence[Metadata[Root]]) -> None:
        """Sign so that the role's threshold in each root of `known` is met; else `signatures-missing`."""
        for root in known:
            self.sign(metadata, root.signed.roles[role].keyids)
        for root in known:
            roots.require(root, role, metadata)


def generate(folder: Path, threshold: int, passphrase: bytes | None, files: Files, clock: Clock) -> Path:
    """Make every key and the signed root of trust, version 1; returns the path of `root.json`."""
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(
            "keys-exist", f"{folder} is not empty, and keys are never replaced", "name a new folder"
        )
    if not 1 <= threshold <= NUMBER_OF_KEYS["targets"]:
        raise UsageError(
            "bad-threshold", f"a threshold of {threshold} of 3 keys is impossible", "use 1, 2 or 3"
        )
    files.make_directory("keys.folder", folder, DIRECTORY_MODE)
    made = {role: [new_key() for _ in range(count)] for role, count in NUMBER_OF_KEYS.items()}
    for role, signers in made.items():
        for signer in signers:
            keep(signer, _next(folder, role), passphrase, files)
    holders = {role: [signer.public_key for signer in signers] for role, signers in made.items()}
    root = roots.first(holders, {"root": 2, "targets": threshold}, clock)
    Keyring(made["root"]).sign_role(root, "root", [root])
    return keep_root(root, folder, files)


def new_key() -> CryptoSigner:
    return CryptoSigner.generate_ed25519()


def keep(signer: CryptoSigner, path: Path, passphrase: bytes | None, files: Files) -> Path:
    """Write the private key; a file that is there already is never replaced. Returns `path`."""
    if path.exists():
        raise UsageError("keys-exist", f"{path} exists, and keys are never replaced", "choose another name")
    if passphrase is not None and len(passphrase) > LONGEST:
        raise UsageError("no-passphrase", f"a passphrase has {LONGEST} bytes at most", "choose a shorter one")
    lock = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase)
    private = load_pem_private_key(signer.private_bytes, None)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
    files.make_directory("keys.folder", path.parent, DIRECTORY_MODE)
    files.write("keys.private", path, pem, FILE_MODE)
    return path


def keep_next(signer: CryptoSigner, folder: Path, role: str, passphrase: bytes | None, files: Files) -> Path:
    """The same, as the next `ROLE-N.pem` of a folder that holds the keys of a whole feed."""
    return keep(signer, _next(folder, role), passphrase, files)


def keep_public(key: Key, path: Path, files: Files) -> Path:
    """Write the public half, which its holder hands out; returns `path`."""
    document = {"keyid": key.keyid, **key.to_dict()}
    files.write("keys.public", path, (json.dumps(document, indent=1) + "\n").encode(), PUBLIC_MODE)
    return path


def load_public(path: Path) -> Key:
    """A public half, its id computed anew. Raises UsageError `bad-public-key`."""
    try:
        document = json.loads(path.read_bytes())
        raw = bytes.fromhex(document["keyval"]["public"])
        key = SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(raw))
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise _not_public(path, str(problem)) from problem
    if document != {"keyid": key.keyid, **key.to_dict()}:
        raise _not_public(path, "what it says does not fit its key")
    return key


def identify(key: Key) -> str:
    """The id that a key must have, "" for one that is not Ed25519."""
    try:
        point = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.keyval["public"]))
    except (ValueError, KeyError, TypeError):
        return ""
    real = SSlibKey.from_crypto(point)
    return real.keyid if real.to_dict() == key.to_dict() else ""


def keep_root(root: Metadata[Root], folder: Path, files: Files) -> Path:
    """Write the public root of trust beside the keys: what `build --root` takes."""
    files.write("keys.root", folder / ROOT_FILE, root.to_bytes(), PUBLIC_MODE)
    return folder / ROOT_FILE


def retire(keyid: str, folder: Path, passphrase: Passphrase, files: Files) -> None:
    """Rename the file of a key that serves no more to `*.pem.retired`, if it is here at all."""
    for path in folder.glob("*.pem"):
        if load(path, passphrase).public_key.keyid == keyid:
            files.replace("keys.retire", path, path.with_name(path.name + ".retired"))


def load_folder(folder: Path, passphrase: Passphrase) -> Keyring:
    """Every key of a folder."""
    found = sorted(folder.glob("*.pem"))
    if not found:
        raise UsageError(
            "no-keys", f"{folder} holds no key", "make some with `keys --dir K`, or name their folder"
        )
    return Keyring([load(path, passphrase) for path in found])


def load(path: Path, passphrase: Passphrase) -> CryptoSigner:
    """One private key. Raises WaiaasError `no-key`, `wrong-passphrase`, `bad-key`."""
    if not path.is_file():
        raise WaiaasError("no-key", f"there is no key {path}", "name the file that `new-key` or `keys` made")
    pem = path.read_bytes()
    encrypted = ENCRYPTED in pem
    try:
        private = load_pem_private_key(pem, passphrase() if encrypted else None)
    except (ValueError, TypeError) as problem:
        if encrypted:
            raise WaiaasError(
                "wrong-passphrase",
                f"this passphrase does not open {path} (or the file is damaged)",
                "check the passphrase",
            ) from problem
        raise WaiaasError("bad-key", f"{path} is no private key: {problem}", "name a .pem file") from problem
    if not isinstance(private, Ed25519PrivateKey):
        raise WaiaasError("bad-key", f"{path} is no Ed25519 key", "make keys with `new-key` or `keys`")
    return CryptoSigner(private)


def _not_public(path: Path, why: str) -> UsageError:
    return UsageError(
        "bad-public-key",
        f"{path} is no public half of a key: {why}",
        "take the .pub file that `new-key` made on the holder's machine",
    )


def _next(folder: Path, role: str) -> Path:
    number = 1 + max((_number(path) for path in folder.glob(f"{role}-*.pem*")), default=0)
    return folder / f"{role}-{number}.pem"


def _number(path: Path) -> int:
    text = path.name.partition(".")[0].rpartition("-")[2]
    return int(text) if text.isdecimal() else 0
