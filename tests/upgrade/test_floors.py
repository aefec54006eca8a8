"""The memory that no feed may fall below (FEED-8)."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waiaas.host.files import Files
from waiaas.upgrade.floors import Floor, Floors

NUMBERS = st.integers(0, 2**53)


def test_no_file_is_no_floor_and_no_warning(tmp_path: Path) -> None:
    assert Floors(tmp_path / "floors.json", Files()).load() == (None, "")


@given(NUMBERS, st.lists(st.text()), NUMBERS, NUMBERS)
def test_what_is_saved_is_loaded(
    tmp_path_factory: pytest.TempPathFactory, version: int, keys: list[str], seq: int, signed: int
) -> None:
    floors = Floors(tmp_path_factory.getbasetemp() / "floors" / "floors.json", Files())
    floor = Floor(version, tuple(sorted(keys)), seq, signed)
    floors.save(floor)
    assert floors.load() == (floor, "")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 80,
        b"[]",
        b'{"targetsVersion": 3}',
        b'{"targetsVersion": "3", "targetsKeys": [], "seq": 0, "signedTime": 0}',
        b'{"targetsVersion": true, "targetsKeys": [], "seq": 0, "signedTime": 0}',
        b'{"targetsVersion": -1, "targetsKeys": [], "seq": 0, "signedTime": 0}',
        b'{"targetsVersion": 3, "targetsKeys": "abc", "seq": 0, "signedTime": 0}',
        b'{"targetsVersion": 3.5, "targetsKeys": [], "seq": 0, "signedTime": 0}',
    ],
)
def test_a_damaged_file_is_a_warning_not_a_floor__FEED_8(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "floors.json"
    path.write_bytes(content)
    floor, warning = Floors(path, Files()).load()
    assert floor is None
    assert str(path) in warning


def test_saving_is_atomic_and_synced__FEED_8(tmp_path: Path) -> None:
    points: list[str] = []
    Floors(tmp_path / "floors.json", Files(points.append)).save(Floor(3, ("a",)))
    assert points == ["floors:write", "floors:rename", "floors:fsync-directory"]
    assert json.loads((tmp_path / "floors.json").read_text())["targetsVersion"] == 3
