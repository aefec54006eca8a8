"""Whose settings decide about a program that belongs to another user than the data (UPGR-14)."""

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Waiaas
from waiaas.cli import rights
from waiaas.cli.context import Context
from waiaas.cli.flags import Flags
from waiaas.cli.output import Output
from waiaas.core.errors import Exit, UsageError
from waiaas.core.layout import ProgramLayout
from waiaas.host.host import Outside
from waiaas.host.program import Program

Asked = Callable[[], tuple[Context, io.StringIO]]


@pytest.fixture
def program(tmp_path: Path) -> ProgramLayout:
    layout = ProgramLayout(tmp_path / "bin/waiaas")
    layout.base.mkdir(parents=True)
    layout.program.touch(0o755)
    return layout


@pytest.fixture
def asked(ready: Waiaas, data_dir: Path, program: ProgramLayout, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """`upgrade` of a program whose owner is not the data's."""
    monkeypatch.setattr(rights, "_foreign", lambda *_: True)
    assert ready("config", "path").code == 0

    def make() -> tuple[Context, io.StringIO]:
        err, flags = io.StringIO(), Flags()
        environ = {"WAIAAS_DATA_DIR": str(data_dir)}
        out = Output(io.StringIO(), err, flags, environ)
        return Context(Outside(Program(program.program), environ, False), out, flags), err

    return make


def write(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o644)


def test_settings_that_do_not_count_are_named_with_the_place_for_them__UPGR_14(
    asked: Asked, data_dir: Path, program: ProgramLayout
) -> None:
    write(data_dir / "config.toml", '[upgrade]\npin = "1"\nmode = "external"\nkeep_backups = 5\n')
    context, err = asked()
    assert rights.load(context).settings.upgrade.mode == "self"
    assert err.getvalue() == (
        f"warning: upgrade.pin, upgrade.mode of {data_dir}/config.toml decide nothing about "
        f"{program.program}, which is another user's; put them into {program.base}/config.toml\n"
    )
    write(program.base / "config.toml", '[upgrade]\npin = "1"\nmode = "external"\n')
    context, err = asked()
    assert rights.load(context).settings.upgrade.pin == "1"
    assert err.getvalue() == ""


@pytest.mark.parametrize("text", ['[upgrade]\nchanel = "rc"\n', "[upgrade]\nkeep_backups = 0\n", "[upgrade"])
def test_what_is_wrong_beside_the_program_is_told_like_any_other_setting__UPGR_14(
    asked: Asked, program: ProgramLayout, text: str
) -> None:
    write(program.base / "config.toml", text)
    with pytest.raises(UsageError) as caught:
        rights.load(asked()[0])
    assert (caught.value.code, caught.value.exit_code) == ("bad-settings", Exit.USAGE)
    assert f"1 problem in the settings ({program.base}/config.toml)" in caught.value.message
    (program.base / "config.toml").write_bytes(b"\xff")
    with pytest.raises(UsageError, match="is not UTF-8 text"):
        rights.load(asked()[0])


def test_doctor_names_them_too__UPGR_14(asked: Asked, data_dir: Path, program: ProgramLayout) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives a file away")
    write(data_dir / "config.toml", '[upgrade]\nchannel = "rc"\n')
    context, _ = asked()
    loaded = context.load()
    assert rights.disobeyed(context, loaded) is None
    os.chown(program.program, 4321, 4321)
    told = rights.disobeyed(context, loaded)
    assert told is not None
    assert told[0].startswith("upgrade.channel of ")
    assert told[1] == f"put them into {program.base}/config.toml"
