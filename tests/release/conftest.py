"""Keys take time to make, so one set is made for all tests; it lives and dies with the run."""

from pathlib import Path

import pytest
from bench import Bench
from withdrawal_kit import Office

from waiaas.host.clock import Clock
from waiaas.host.files import Files
from waiaas.release import keys


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
