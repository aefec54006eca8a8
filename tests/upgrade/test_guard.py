"""Nothing beside the program is obeyed that somebody else could have written (UPGR-14)."""

import os
from pathlib import Path

import pytest

from tests.upgrade.test_presence import STARTING, journal, place
from waiaas.cli.before_start import answer
from waiaas.cli.flags import Flags
from waiaas.core.errors import RollbackFailed, WaiaasError
from waiaas.core.layout import ProgramLayout
from waiaas.host.files import Files, sha256
from waiaas.upgrade import book, guard, presence, slots
from waiaas.upgrade.place import Place, locked

STRANGER = 12345
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: another owner is a real user")
__all__ = ["place"]


def refused(place: Place) -> list[str]:
    """What the lock, who recovers, and who asks before a start say."""
    told = []
    with pytest.raises(WaiaasError) as caught, locked(place):
        pass
    told.append(caught.value)
    with pytest.raises(RollbackFailed) as failed:
        book.open_run(place.program)
    told.append(failed.value)
    with pytest.raises(RollbackFailed) as failed:
        answer(place.program.program, Flags(data_dir=str(place.layout.data_dir)), {})
    told.append(failed.value)
    with pytest.raises(RollbackFailed) as failed:
        presence.recover_before_start(place, 0.0)
    told.append(failed.value)
    assert {problem.code for problem in told} == {"foreign-place"}
    return [problem.hint for problem in told]


@pytest.mark.parametrize("name", ["base", "journal"])
def test_what_others_may_write_to_is_not_obeyed__UPGR_14(place: Place, name: str) -> None:
    journal(place, *STARTING)
    path: Path = getattr(place.program, name)
    path.chmod(0o777)
    before = place.program.journal.read_bytes()
    assert refused(place) == [f"chmod go-w {path}"] * 4
    assert place.program.journal.read_bytes() == before
    assert not place.program.lock.exists()


@as_root
@pytest.mark.parametrize("name", ["base", "journal", "history"])
def test_what_a_stranger_owns_is_not_obeyed__UPGR_14(place: Place, name: str) -> None:
    journal(place, *STARTING)
    place.program.history.write_bytes(b"")
    path: Path = getattr(place.program, name)
    os.chown(path, STRANGER, STRANGER)
    assert refused(place) == [f"sudo rm -r {path}"] * 4


@as_root
def test_a_journal_that_a_strangers_link_leads_to_is_not_obeyed__UPGR_14(
    place: Place, tmp_path: Path
) -> None:
    journal(place, *STARTING)
    place.program.journal.rename(tmp_path / "elsewhere")
    place.program.journal.symlink_to(tmp_path / "elsewhere")
    os.chown(place.program.journal, STRANGER, STRANGER, follow_symlinks=False)
    refused(place)


@as_root
def test_the_programs_owner_and_root_are_obeyed__UPGR_14(place: Place) -> None:
    journal(place, *STARTING)
    os.chown(place.program.program, STRANGER, STRANGER)
    assert not list(guard.findings(place.program))
    os.chown(place.program.base, STRANGER, STRANGER)
    os.chown(place.program.journal, STRANGER, STRANGER)
    assert not list(guard.findings(place.program))


def test_without_a_journal_nothing_is_obeyed_that_could_be_refused__UPGR_14(place: Place) -> None:
    """A daemon serves on beside a folder that is open to others; no upgrade starts in it."""
    place.program.base.chmod(0o777)
    assert book.open_run(place.program) is None
    with pytest.raises(WaiaasError, match="writable by others"), locked(place):
        pass


def test_a_kept_program_that_was_exchanged_is_never_installed__UPGR_14(tmp_path: Path) -> None:
    program = ProgramLayout(tmp_path / "waiaas")
    program.base.mkdir()
    program.program.write_bytes(b"old")
    old = sha256(program.program)
    program.program.write_bytes(b"new")
    program.slot(old).write_bytes(b"the attacker's")
    with pytest.raises(RollbackFailed) as refused:
        slots.swap_back(Files(), program, old, None)
    assert refused.value.code == "kept-program-gone"
    assert program.program.read_bytes() == b"new"
    program.slot(old).unlink()
    with pytest.raises(RollbackFailed):
        slots.swap_back(Files(), program, old, None)
