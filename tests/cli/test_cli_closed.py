"""A data directory of another user: who is who, and one hint that fits the place (DOCK-01, CLI-2)."""

import os
import pwd
from pathlib import Path

import pytest

from tests.cli.conftest import Waiaas
from waiaas.cli.closed import closed
from waiaas.core.errors import Exit
from waiaas.host import container


@pytest.fixture
def stranger(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user that nobody's directory belongs to, on a machine that is no container."""
    monkeypatch.setattr(container, "MARKS", ())
    monkeypatch.setattr(os, "geteuid", lambda: 4321)
    monkeypatch.setattr(os, "getegid", lambda: 4322)


@pytest.mark.usefixtures("stranger")
@pytest.mark.parametrize("words", [(), ("status", "--data-dir", "/d"), ("--data-dir=/d", "backup", "list")])
def test_on_a_machine_the_owner_is_asked_and_nothing_given_away__CLI_2(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Wallets somebody else uses: whoever takes them away stops his daemon."""
    (tmp_path / "installation.json").touch()
    owner = tmp_path.stat()
    found = closed(tmp_path, words)
    assert (found.code, found.exit_code) == ("data-dir-closed", Exit.NOT_AUTHORISED)
    assert f"belongs to user {owner.st_uid}:{owner.st_gid}, and this is user 4321:4322" in found.message
    sudo = "sudo" if owner.st_uid == 0 else f"sudo -u {pwd.getpwuid(owner.st_uid).pw_name}"
    again = " ".join(words) or f"status --data-dir {tmp_path}"
    assert found.hint == f"run it as its owner: `{sudo} waiaas {again}`"


@pytest.mark.usefixtures("stranger")
def test_an_empty_directory_may_be_given_away__CLI_2(tmp_path: Path) -> None:
    assert closed(tmp_path).hint.endswith(
        f"; it is empty, so root may also give it away: chown 4321:4322 {tmp_path}"
    )


@pytest.mark.usefixtures("stranger")
@pytest.mark.parametrize(("uid", "sudo"), [(1001, "sudo -u '#1001' waiaas"), (0, "sudo waiaas")])
def test_the_owner_is_named_as_sudo_takes_him__CLI_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uid: int, sudo: str
) -> None:
    def unknown(asked: int) -> None:
        raise KeyError(asked)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    described = os.stat_result((0o40700, 1, 1, 1, uid, uid, 0, 0, 0, 0))
    monkeypatch.setattr(Path, "stat", lambda path: described)
    assert f"`{sudo} init --data-dir {tmp_path}`" in closed(tmp_path, ("init",)).hint


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
    assert (ran.code, ran.error["code"]) == (4, "data-dir-closed")
    assert list(data_dir.iterdir()) == []
