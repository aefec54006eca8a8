"""Keys take time to make, so one set is made for all tests; it lives and dies with the run."""

import base64
import shutil
import subprocess
from pathlib import Path

import pytest
from bench import Bench
from withdrawal_kit import Office

from waiaas.host.clock import Clock
from waiaas.host.files import Files
from waiaas.release import __main__ as tool
from waiaas.release import keys, minisign


@pytest.fixture(scope="session")
def plain_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys") / "K"
    keys.generate(folder, 2, None, Files(), Clock())
    return folder


@pytest.fixture
def bench(tmp_path: Path, plain_keys: Path) -> Bench:
    return Bench(tmp_path, plain_keys)


@pytest.fixture
def office(tmp_path: Path, plain_keys: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    return Office(tmp_path, plain_keys, monkeypatch)


@pytest.fixture
def feed(bench: Bench) -> Bench:
    bench.publish("1.8.0", "1.9.0-rc.1", "1.9.0")
    return bench


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    tool._passphrase.cache_clear()
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("LOGNAME", "ada")


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A key of the stock tool, or, where it is missing, one of its kind."""
    path = tmp_path / "minisign.key"
    if shutil.which("minisign"):
        argv = ["minisign", "-G", "-W", "-s", path, "-p", tmp_path / "minisign.pub"]
        subprocess.run(argv, check=True, capture_output=True)
        return path
    seed = bytes(range(32))
    point = minisign.Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    raw = b"Ed\0\0B2" + bytes(48) + b"identity" + seed + point + bytes(32)
    path.write_text(f"untrusted comment: x\n{base64.b64encode(raw).decode()}\n")
    return path
