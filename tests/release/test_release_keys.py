"""Private keys: files nobody else can read, encrypted unless told otherwise."""

from pathlib import Path

import pytest

from tests.fakes import FakeClock
from waiaas.core.errors import UsageError, WaiaasError
from waiaas.host.files import Files
from waiaas.release import keys
from waiaas.release.root import choose_key


def generate(folder: Path, passphrase: bytes | None, threshold: int = 2) -> Path:
    return keys.generate(folder, threshold, passphrase, Files(), FakeClock())


def test_keys_are_private_files_and_encrypted__BLD_1(tmp_path: Path) -> None:
    root = generate(tmp_path / "K", b"correct horse")
    found = sorted((tmp_path / "K").glob("*.pem"))
    assert [path.name for path in found] == [
        *(f"root-{n}.pem" for n in (1, 2, 3)),
        "snapshot-1.pem",
        *(f"targets-{n}.pem" for n in (1, 2, 3)),
        "timestamp-1.pem",
    ]
    assert {path.stat().st_mode & 0o777 for path in found} == {0o600}
    assert (tmp_path / "K").stat().st_mode & 0o777 == 0o700
    assert all(path.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----") for path in found)
    assert b"PRIVATE" not in root.read_bytes()
    keys.load_folder(tmp_path / "K", lambda: b"correct horse")


def test_a_wrong_passphrase_is_one_sentence__BLD_1(tmp_path: Path) -> None:
    generate(tmp_path / "K", b"correct horse")
    with pytest.raises(WaiaasError) as refused:
        keys.load_folder(tmp_path / "K", lambda: b"wrong")
    assert (refused.value.code, refused.value.hint) == ("wrong-passphrase", "check the passphrase")


def test_a_passphrase_that_no_key_can_carry_is_refused__BLD_1(tmp_path: Path) -> None:
    keys.keep(keys.new_key(), tmp_path / "longest.pem", b"x" * 1023, Files())
    keys.load(tmp_path / "longest.pem", lambda: b"x" * 1023)
    with pytest.raises(UsageError) as refused:
        keys.keep(keys.new_key(), tmp_path / "k.pem", b"x" * 1024, Files())
    assert refused.value.code == "no-passphrase"
    assert not (tmp_path / "k.pem").exists()


def test_existing_keys_are_never_replaced__BLD_1(tmp_path: Path) -> None:
    generate(tmp_path / "K", None)
    with pytest.raises(UsageError) as refused:
        generate(tmp_path / "K", None)
    assert refused.value.code == "keys-exist"


@pytest.mark.parametrize("threshold", [0, 4])
def test_an_impossible_threshold_is_refused__FEED_1(threshold: int, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        generate(tmp_path / "K", None, threshold)
    assert not (tmp_path / "K").exists()


def test_a_folder_without_keys_and_a_file_that_is_none_are_refused__BLD_1(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as empty:
        keys.load_folder(tmp_path, lambda: b"")
    assert empty.value.code == "no-keys"
    (tmp_path / "x.pem").write_text("x")
    with pytest.raises(WaiaasError) as garbage:
        keys.load_folder(tmp_path, lambda: b"")
    assert garbage.value.code == "bad-key"


def test_the_key_to_replace_is_named_by_the_beginning_of_its_id__FEED_1() -> None:
    assert choose_key(["aa1", "ab2"], "") == "aa1"
    assert choose_key(["aa1", "ab2"], "ab") == "ab2"
    for wanted in ("a", "c"):
        with pytest.raises(UsageError):
            choose_key(["aa1", "ab2"], wanted)
