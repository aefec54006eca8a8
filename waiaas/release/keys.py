"""Who may sign: private keys as PEM files, and the root of trust that names their public halves.

Ed25519 only. A private key is a PKCS8 file of mode 0600, encrypted with a passphrase unless told
otherwise. Which role a key serves is decided by the root of trust, never by the file's name.
"""

import copy
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root, Targets

from waiaas.core.errors import UsageError, WaiaasError
from waiaas.core.layout import DIRECTORY_MODE, FILE_MODE
from waiaas.host.clock import Clock
from waiaas.host.files import Files

NUMBER_OF_KEYS = {"root": 3, "targets": 3, "snapshot": 1, "timestamp": 1}
LIFETIME = {"root": 730, "targets": 182, "snapshot": 35, "timestamp": 14}  # days (FEED-1)
ROOT_FILE = "root.json"
PUBLIC_MODE = 0o644
ENCRYPTED = b"ENCRYPTED PRIVATE KEY"

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

    def sign_role(self, metadata: Metadata[Any], role: str, roots: Sequence[Metadata[Root]]) -> None:
        """Sign so that the role's threshold in each of `roots` is met; else `signatures-missing`."""
        for root in roots:
            self.sign(metadata, root.signed.roles[role].keyids)
        for root in roots:
            require(root, role, metadata)


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
    root = Metadata(Root(version=1, expires=lifetime_end(clock, "root"), consistent_snapshot=True))
    signers = []
    for role, count in NUMBER_OF_KEYS.items():
        for _ in range(count):
            signer = new_key()
            keep(signer, folder, role, passphrase, files)
            root.signed.add_key(signer.public_key, role)
            signers.append(signer)
    root.signed.roles["root"].threshold = 2
    root.signed.roles["targets"].threshold = threshold
    Keyring(signers).sign(root, root.signed.roles["root"].keyids)
    require(root, "root", root)
    return keep_root(root, folder, files)


def lifetime_end(clock: Clock, role: str) -> datetime:
    """When metadata of the role expires that is signed now."""
    return clock.utc().replace(microsecond=0) + timedelta(days=LIFETIME[role])


def new_key() -> CryptoSigner:
    return CryptoSigner.generate_ed25519()


def keep(signer: CryptoSigner, folder: Path, role: str, passphrase: bytes | None, files: Files) -> Path:
    """Write the private key as the next `ROLE-N.pem` of the folder; returns its path."""
    lock = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase)
    number = 1 + max((_number(path) for path in folder.glob(f"{role}-*.pem*")), default=0)
    private = load_pem_private_key(signer.private_bytes, None)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
    path = folder / f"{role}-{number}.pem"
    files.write("keys.private", path, pem, FILE_MODE)
    return path


def keep_root(root: Metadata[Root], folder: Path, files: Files) -> Path:
    """Write the public root of trust beside the keys: what `build --root` takes."""
    files.write("keys.root", folder / ROOT_FILE, root.to_bytes(), PUBLIC_MODE)
    return folder / ROOT_FILE


def retire(keyid: str, folder: Path, passphrase: Passphrase, files: Files) -> None:
    """Rename the file of a key that serves no more to `*.pem.retired`, if it is here at all."""
    for path in folder.glob("*.pem"):
        if load(path, passphrase).public_key.keyid == keyid:
            files.replace("keys.retire", path, path.with_name(path.name + ".retired"))


def partial_signature(root: bytes, targets: bytes, signer: CryptoSigner) -> dict[str, str]:
    """A signature over frozen targets; raises UsageError `foreign-key` if it would count for nothing."""
    keyid = signer.public_key.keyid
    if keyid not in Metadata[Root].from_bytes(root).signed.roles["targets"].keyids:
        raise UsageError(
            "foreign-key", f"the key {keyid[:8]} is no targets key of this feed", "use a targets key"
        )
    return dict(Metadata[Targets].from_bytes(targets).sign(signer).to_dict())


def load_folder(folder: Path, passphrase: Passphrase) -> Keyring:
    """Every key of a folder."""
    found = sorted(folder.glob("*.pem"))
    if not found:
        raise UsageError(
            "no-keys", f"{folder} holds no key", "make some with `keys --dir K`, or name their folder"
        )
    return Keyring([load(path, passphrase) for path in found])


def load(path: Path, passphrase: Passphrase) -> CryptoSigner:
    """One private key."""
    pem = path.read_bytes()
    try:
        private = load_pem_private_key(pem, passphrase() if ENCRYPTED in pem else None)
    except (ValueError, TypeError) as problem:
        raise WaiaasError(
            "bad-key", f"{path} cannot be opened: {problem}", "check the passphrase"
        ) from problem
    if not isinstance(private, Ed25519PrivateKey):
        raise WaiaasError("bad-key", f"{path} is no Ed25519 key", "make keys with `keys --dir K`")
    return CryptoSigner(private)


def require(root: Metadata[Root], role: str, metadata: Metadata[Any]) -> None:
    """Raise WaiaasError `signatures-missing` unless enough keys of the role have signed."""
    result = root.signed.get_verification_result(role, metadata.signed_bytes, metadata.signatures)
    if not result.verified:
        raise WaiaasError(
            "signatures-missing",
            f"{role} carries {len(result.signed)} of the {result.threshold} signatures it needs",
            f"let holders of {role} keys sign, or name the folder of the keys with --keys or --online",
        )


def rotated(
    old: Metadata[Root],
    role: str,
    replaced: str,
    fresh: CryptoSigner,
    threshold: int | None,
    expires: datetime,
) -> Metadata[Root]:
    """The next root, not yet signed: `fresh` serves `role` instead of the key `replaced`."""
    new = copy.deepcopy(old)
    new.signatures.clear()
    new.signed.version += 1
    new.signed.expires = expires
    new.signed.revoke_key(replaced, role)
    new.signed.add_key(fresh.public_key, role)
    if threshold is not None:
        if not 1 <= threshold <= len(new.signed.roles[role].keyids):
            raise UsageError("bad-threshold", f"{role} cannot need {threshold} keys", "see `status --feed F`")
        new.signed.roles[role].threshold = threshold
    return new


def choose_key(keyids: Sequence[str], wanted: str) -> str:
    """The key whose id begins with `wanted`; without it, the one that has served longest."""
    matching = [keyid for keyid in keyids if keyid.startswith(wanted)]
    if not matching or (wanted and len(matching) > 1):
        raise UsageError(
            "unknown-key", f"no single key of the role begins with {wanted}", "see `status --feed F`"
        )
    return matching[0]


def _number(path: Path) -> int:
    text = path.name.partition(".")[0].rpartition("-")[2]
    return int(text) if text.isdecimal() else 0
