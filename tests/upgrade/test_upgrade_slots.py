"""Swapping the program: never a moment without one, and back again (UPGR-06, UPGR-12)."""

import os
from pathlib import Path

import pytest

from waiaas.core.errors import WaiaasError
from waiaas.core.layout import ProgramLayout
from waiaas.host.files import Files, sha256
from waiaas.upgrade import slots


class PowerCut(BaseException):
    """The machine stopped."""


class Place:
    """A program file, a staged one, and a count of the named operations."""

    def __init__(self, folder: Path) -> None:
        self.layout = ProgramLayout(folder / "waiaas")
        self.layout.program.write_bytes(b"old")
        self.layout.program.chmod(0o750)
        self.layout.base.mkdir()
        self.stage()
        self.old, self.new = sha256(self.layout.program), sha256(self.layout.staged)

    def stage(self) -> None:
        self.layout.staged.write_bytes(b"new")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_swap_keeps_the_old_program_and_its_mode__DIR_1(place: Place) -> None:
    slots.swap(Files(), place.layout, place.old, place.new)
    assert place.layout.program.read_bytes() == b"new"
    assert place.layout.program.stat().st_mode & 0o777 == 0o750
    assert place.layout.slot(place.old).read_bytes() == b"old"
    assert place.layout.previous.read_bytes() == b"old"


def test_a_staged_file_that_changed_is_not_swapped_in__UPGR_06(place: Place) -> None:
    place.layout.staged.write_bytes(b"evil")
    with pytest.raises(WaiaasError, match="not the one that was verified"):
        slots.swap(Files(), place.layout, place.old, place.new)
    assert place.layout.program.read_bytes() == b"old"


def test_power_cut_at_every_operation_leaves_a_whole_program_and_can_be_undone__UPGR_06(
    tmp_path: Path,
) -> None:
    """Every named operation of swap, then every one of swap_back."""
    points: list[str] = []
    rehearsal = Place(_fresh(tmp_path, "count"))
    slots.swap(Files(points.append), rehearsal.layout, rehearsal.old, rehearsal.new)
    assert len(points) >= 8
    for stop in range(len(points)):
        place = Place(_fresh(tmp_path, f"cut-{stop}"))
        with pytest.raises(PowerCut):
            slots.swap(_cutting(stop), place.layout, place.old, place.new)
        assert place.layout.program.read_bytes() in (b"old", b"new")
        _undo_through_power_cuts(place)


def _undo_through_power_cuts(place: Place) -> None:
    for stop in range(20):
        try:
            slots.swap_back(_cutting(stop), place.layout, place.old, None)
        except PowerCut:
            assert place.layout.program.read_bytes() in (b"old", b"new")
            continue
        break
    slots.swap_back(Files(), place.layout, place.old, None)
    assert place.layout.program.read_bytes() == b"old"
    assert slots.previous(place.layout) in (None, place.layout.slot(place.old).name)


def _cutting(stop: int) -> Files:
    left = [stop]

    def observe(_point: str) -> None:
        if left[0] == 0:
            raise PowerCut
        left[0] -= 1

    return Files(observe)


def _fresh(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir()
    return folder


def test_only_wanted_slots_are_kept__BKUP_2(place: Place) -> None:
    slots.swap(Files(), place.layout, place.old, place.new)
    stray = place.layout.slot("0" * 64)
    stray.write_bytes(b"forgotten")
    slots.prune(Files(), place.layout, {place.new})
    assert not stray.exists()
    assert place.layout.slot(place.old).exists(), "waiaas.previous leads to it"


def test_staging_a_damaged_kept_program_is_refused__UPGR_04(place: Place) -> None:
    slots.swap(Files(), place.layout, place.old, place.new)
    os.truncate(place.layout.slot(place.old), 1)
    with pytest.raises(WaiaasError, match="missing or damaged"):
        slots.stage_kept(Files(), place.layout, place.old)
