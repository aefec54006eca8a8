"""Minisign: Ed25519 over BLAKE2b-512 (prehashed, `ED`), in the files of the stock tool (DSK-1).

    secret key  "Ed" KDF "B2" salt[32] opslimit[8] memlimit[8] (id[8] seed[32] public[32] check[32])
                KDF "Sc": what is in brackets is XORed with scrypt's output; two zero bytes: it is plain
    public key  "Ed" id[8] public[32]
    signature   "ED" id[8] signature[64], a trusted comment, and a signature over both

Numbers are little-endian, everything is base64 below a line of comment. `tauri signer generate`
writes the same file, once more in base64.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from waiaas.core.errors import WaiaasError
from waiaas.core.value import frozen

KEY, SIGNATURE = b"Ed", b"ED"
SCRYPT, PLAIN, BLAKE = b"Sc", b"\0\0", b"B2"
UNTRUSTED, TRUSTED = "untrusted comment: ", "trusted comment: "
LENGTH = 158  # bytes of a secret key
HIDDEN = slice(54, LENGTH)  # the part that a passphrase protects
LARGEST = 20  # scrypt's N as a power of two: 1 GiB, what the stock tool takes
BLOCK = 8  # scrypt's r


@frozen
class PublicKey:
    keyid: bytes
    point: bytes

    @property
    def text(self) -> str:
        """The one line that `minisign -P` takes."""
        return base64.b64encode(KEY + self.keyid + self.point).decode()

    @property
    def name(self) -> str:
        """The id as the stock tool shows it."""
        return self.keyid[::-1].hex().upper()

    @property
    def file(self) -> str:
        return f"{UNTRUSTED}minisign public key {self.name}\n{self.text}\n"


@frozen
class SecretKey:
    keyid: bytes
    private: Ed25519PrivateKey

    @property
    def public(self) -> PublicKey:
        return PublicKey(self.keyid, self.private.public_key().public_bytes_raw())

    def sign(self, path: Path, comment: str) -> str:
        """The text of a signature file. `comment`: one line that is signed, too."""
        signature = self.private.sign(_digest(path))
        seal = self.private.sign(signature + comment.encode())
        first = base64.b64encode(SIGNATURE + self.keyid + signature).decode()
        head = f"{UNTRUSTED}signature from the WAIaaS desktop key {self.public.name}"
        return f"{head}\n{first}\n{TRUSTED}{comment}\n{base64.b64encode(seal).decode()}\n"


def verify(key: PublicKey, path: Path, text: str) -> str:
    """The trusted comment of a signature file that fits; raises WaiaasError `bad-signature`."""
    try:
        head, first, comment, last = text.splitlines()
        raw, seal = base64.b64decode(first, validate=True), base64.b64decode(last, validate=True)
        algorithm, keyid, signature = raw[:2], raw[2:10], raw[10:]
        if not head.startswith(UNTRUSTED) or (algorithm, keyid) != (SIGNATURE, key.keyid):
            raise WaiaasError("bad-signature", "it is of another kind, or by another key")
        point = Ed25519PublicKey.from_public_bytes(key.point)
        point.verify(signature, _digest(path))
        point.verify(seal, signature + comment.removeprefix(TRUSTED).encode())
    except (ValueError, binascii.Error, InvalidSignature) as problem:
        raise WaiaasError("bad-signature", f"the signature does not fit {path.name}") from problem
    return comment.removeprefix(TRUSTED)


def load(path: Path, passphrase: Callable[[], bytes]) -> SecretKey:
    """A secret key, asking for its passphrase if it has one.

    Raises WaiaasError `no-key`, `bad-key`, `wrong-passphrase`.
    """
    if not path.is_file():
        raise WaiaasError("no-key", f"there is no key {path}", "make one with `minisign -G -s FILE -p FILE`")
    try:
        raw = _decoded(path.read_text(encoding="ascii"))
    except (ValueError, IndexError) as problem:
        raise _bad(path) from problem
    if len(raw) != LENGTH or raw[:2] != KEY or raw[4:6] != BLAKE or raw[2:4] not in (SCRYPT, PLAIN):
        raise _bad(path)
    hidden = raw[HIDDEN] if raw[2:4] == PLAIN else _revealed(raw, passphrase(), path)
    keyid, seed, point, check = hidden[:8], hidden[8:40], hidden[40:72], hidden[72:]
    # a key without a passphrase carries no check: the stock tool leaves it zero
    right = hashlib.blake2b(KEY + hidden[:72], digest_size=32).digest()
    key = SecretKey(keyid, Ed25519PrivateKey.from_private_bytes(seed))
    if key.public.point != point or (check != right and any(check)):
        raise _bad(path) if raw[2:4] == PLAIN else _wrong(path)
    return key


def _decoded(text: str) -> bytes:
    if not text.startswith(UNTRUSTED):
        text = base64.b64decode(text, validate=False).decode("ascii")
    return base64.b64decode(text.splitlines()[1], validate=True)


def _revealed(raw: bytes, passphrase: bytes, path: Path) -> bytes:
    cost, parallel = _scrypt(int.from_bytes(raw[38:46], "little"), int.from_bytes(raw[46:54], "little"))
    if cost > LARGEST:
        raise _bad(path)
    memory = 128 * BLOCK * (2**cost + parallel + 2)
    stream = hashlib.scrypt(
        passphrase, salt=raw[6:38], n=2**cost, r=BLOCK, p=parallel, maxmem=memory, dklen=LENGTH - HIDDEN.start
    )
    return bytes(a ^ b for a, b in zip(raw[HIDDEN], stream, strict=True))


def _scrypt(operations: int, memory: int) -> tuple[int, int]:
    """log2 N and p from libsodium's limits, by the rule of crypto_pwhash_scryptsalsa208sha256."""
    operations = max(operations, 32768)
    if operations < memory // 32:
        return _log2(operations // (BLOCK * 4)), 1
    cost = _log2(memory // (BLOCK * 128))
    return cost, max(1, min((operations // 4) >> cost, 0x3FFFFFFF) // BLOCK)


def _log2(most: int) -> int:
    """The smallest power from 1 on whose double is above `most`."""
    power = 1
    while 2**power <= most // 2:
        power += 1
    return power


def _digest(path: Path) -> bytes:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, hashlib.blake2b).digest()


def _bad(path: Path) -> WaiaasError:
    return WaiaasError("bad-key", f"{path} is no secret key of minisign", "make one with `minisign -G`")


def _wrong(path: Path) -> WaiaasError:
    return WaiaasError("wrong-passphrase", f"this passphrase does not open {path}", "check the passphrase")
