"""A data directory of another user: who is who, and one hint that fits the place (DOCK-01, CLI-2)."""

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Waiaas
from waiaas.cli.closed import closed
from waiaas.host import container


def test_the_hint_fits_a_machine__CLI_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "MARKS", ())
    monkeypatch.setattr(os, "geteuid", lambda: 4321)
    monkeypatch.setattr(os, "getegid", lambda: 4322)
    owner = tmp_path.stat()
    found = closed(tmp_path)
    assert found.code == "data-dir-closed"
    assert f"belongs to user {owner.st_uid}:{owner.st_gid}, and this is user 4321:4322" in found.message
    assert f"chown -R 4321:4322 {tmp_path}" in found.hint
    assert "--user" not in found.hint


@pytest.mark.parametrize(("owner", "words"), [(1001, "start it with --user 1001:1001, or"), (0, "let root")])
def test_the_hint_fits_a_container__DOCK_01(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: int, words: str
) -> None:
    """Nobody is told to run as root; an empty volume needs a file, or the engine gives it back."""
    if os.geteuid() != 0:
        pytest.skip("only root gives a directory away")
    (tmp_path / "mark").touch()
    monkeypatch.setattr(container, "MARKS", (str(tmp_path / "mark"),))
    os.chown(tmp_path, owner, owner)
    monkeypatch.setattr(os, "geteuid", lambda: 4321)
    monkeypatch.setattr(os, "getegid", lambda: 4321)
    found = closed(tmp_path)
    assert found.hint.startswith(words)
    assert found.hint.endswith(f"touch {tmp_path}/.keep && chown -R 4321:4321 {tmp_path}")


def test_a_directory_that_may_not_be_written_is_not_initialised__DOCK_01(
    waiaas: Waiaas, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_dir.mkdir()
    asked = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode, **more: not mode & os.W_OK and asked(path, mode, **more)
    )
    ran = waiaas("--json", "init")
    assert (ran.code, ran.error["code"]) == (1, "data-dir-closed")
    assert list(data_dir.iterdir()) == []
