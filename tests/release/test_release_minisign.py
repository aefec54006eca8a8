"""Minisign, against the stock tool of Debian: its keys sign here, and what is signed here verifies there."""

import base64
import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waiaas.core.errors import WaiaasError
from waiaas.release import minisign

COMMENT = "timestamp:1700000000\tfile:shell.AppImage\tversion:1.9.0"
STOCK = shutil.which("minisign")
needs_stock = pytest.mark.skipif(STOCK is None, reason="no minisign here (apt install minisign)")


def never() -> bytes:
    raise AssertionError("a key without a passphrase asked for one")


def stock(*arguments: str | Path, typed: str = "") -> subprocess.CompletedProcess[str]:
    argv = ["minisign", *map(str, arguments)]
    return subprocess.run(argv, input=typed, capture_output=True, text=True)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "shell.AppImage"
    path.write_bytes(bytes(range(256)) * 1000)
    return path


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A secret key as `minisign -G -W` writes it; the public one beside it."""
    if STOCK is None:
        pytest.skip("no minisign here (apt install minisign)")
    done = stock("-G", "-W", "-s", tmp_path / "key", "-p", tmp_path / "pub")
    assert done.returncode == 0, done.stderr
    return tmp_path / "key"


def signed(key: Path, bundle: Path, passphrase: str | None = None) -> minisign.SecretKey:
    secret = minisign.load(key, never if passphrase is None else passphrase.encode)
    bundle.with_name(f"{bundle.name}.minisig").write_text(secret.sign(bundle, COMMENT))
    return secret


@needs_stock
def test_the_stock_tool_accepts_our_signature__DSK_1(plain: Path, bundle: Path) -> None:
    secret = signed(plain, bundle)
    for how in (("-p", plain.with_name("pub")), ("-P", secret.public.text)):
        done = stock("-V", "-H", "-m", bundle, *how)
        assert done.returncode == 0, done.stderr
        assert f"Trusted comment: {COMMENT}" in done.stdout
    plain.with_name("pub").write_text(secret.public.file)
    assert stock("-V", "-m", bundle, "-p", plain.with_name("pub")).returncode == 0


@needs_stock
@pytest.mark.parametrize("victim", ["bundle", "comment", "signature", "seal"])
def test_the_stock_tool_refuses_what_was_changed_since__DSK_1(victim: str, plain: Path, bundle: Path) -> None:
    signed(plain, bundle)
    path = bundle.with_name(f"{bundle.name}.minisig")
    lines = path.read_text().splitlines()
    if victim == "bundle":
        bundle.write_bytes(b"other")
    elif victim == "comment":
        lines[2] = lines[2].replace("1.9.0", "1.9.1")
    else:
        number = 1 if victim == "signature" else 3
        raw = bytearray(base64.b64decode(lines[number]))
        raw[-1] ^= 1
        lines[number] = base64.b64encode(raw).decode()
    path.write_text("\n".join(lines) + "\n")
    assert stock("-V", "-m", bundle, "-p", plain.with_name("pub")).returncode != 0
    with pytest.raises(WaiaasError) as refused:
        minisign.verify(minisign.load(plain, never).public, bundle, path.read_text())
    assert refused.value.code == "bad-signature"


@needs_stock
def test_we_read_what_the_stock_tool_signs__DSK_1(plain: Path, bundle: Path) -> None:
    assert stock("-S", "-s", plain, "-m", bundle, "-t", COMMENT).returncode == 0
    text = bundle.with_name(f"{bundle.name}.minisig").read_text()
    public = minisign.load(plain, never).public
    assert minisign.verify(public, bundle, text) == COMMENT
    other = minisign.PublicKey(b"\0" * 8, public.point)
    with pytest.raises(WaiaasError, match="another key"):
        minisign.verify(other, bundle, text)


@pytest.mark.journey  # ten seconds, nearly all of them the stock tool's
@needs_stock
def test_a_key_that_a_passphrase_protects_signs_as_well__DSK_1(bundle: Path, tmp_path: Path) -> None:
    """The stock tool's own cost of scrypt: a gibibyte."""
    words = ("-G", "-s", tmp_path / "key", "-p", tmp_path / "pub")
    assert stock(*words, typed="correct horse\ncorrect horse\n").returncode == 0
    signed(tmp_path / "key", bundle, "correct horse")
    assert stock("-V", "-m", bundle, "-p", tmp_path / "pub").returncode == 0


def made(passphrase: bytes | None, operations: int = 32768, memory: int = 1 << 24) -> bytes:
    """A key file's bytes, by the format's description; cheap to open."""
    seed = hashlib.sha256(b"seed").digest()
    point = minisign.Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    body = b"identity" + seed + point
    body += hashlib.blake2b(b"Ed" + body, digest_size=32).digest()
    kdf, salt = (b"\0\0", bytes(32)) if passphrase is None else (b"Sc", bytes(range(32)))
    if passphrase is not None:
        stream = hashlib.scrypt(passphrase, salt=salt, n=1024, r=8, p=1, maxmem=1 << 26, dklen=104)
        body = bytes(a ^ b for a, b in zip(body, stream, strict=True))
    numbers = operations.to_bytes(8, "little") + memory.to_bytes(8, "little")
    return b"Ed" + kdf + b"B2" + salt + numbers + body


def written(path: Path, raw: bytes) -> Path:
    path.write_text(f"untrusted comment: x\n{base64.b64encode(raw).decode()}\n")
    return path


def test_a_wrong_passphrase_and_no_key_each_have_their_sentence__DSK_1(tmp_path: Path) -> None:
    path = written(tmp_path / "key", made(b"right"))
    assert minisign.load(path, lambda: b"right").keyid == b"identity"
    with pytest.raises(WaiaasError) as refused:
        minisign.load(path, lambda: b"wrong")
    assert refused.value.code == "wrong-passphrase"
    with pytest.raises(WaiaasError) as refused:
        minisign.load(tmp_path / "absent", never)
    assert refused.value.code == "no-key"


def test_a_key_in_tauris_wrapping_is_the_same_key__DSK_1(tmp_path: Path) -> None:
    inner = written(tmp_path / "key", made(None)).read_bytes()
    wrapped = tmp_path / "tauri.key"
    wrapped.write_bytes(base64.b64encode(inner))
    assert minisign.load(wrapped, never).public == minisign.load(tmp_path / "key", never).public


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        made(None)[:-1],
        b"Xx" + made(None)[2:],
        made(None)[:2] + b"Ar" + made(None)[4:],
        made(None)[:-1] + b"?",
        made(None)[:70] + b"?" + made(None)[71:],
        made(b"x", 1 << 40, 1 << 40),
    ],
    ids=["empty", "short", "algorithm", "kdf", "check", "seed", "cost"],
)
def test_a_file_that_is_no_key_is_one_sentence__DSK_1(raw: bytes, tmp_path: Path) -> None:
    with pytest.raises(WaiaasError) as refused:
        minisign.load(written(tmp_path / "key", raw), lambda: b"x")
    assert refused.value.code == "bad-key"


@given(data=st.binary(max_size=400))
def test_no_file_at_all_crashes_the_reader__DSK_1(
    data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("m") / "key"
    path.write_bytes(data)
    with pytest.raises(WaiaasError):
        minisign.load(path, lambda: b"x")
    with pytest.raises(WaiaasError):
        minisign.verify(minisign.PublicKey(b"identity", bytes(32)), path, data.decode("latin-1"))
