"""Recognising that a file is part of an image, from the mounts that a real container shows (UPGR-09)."""

from pathlib import Path

import pytest

from waiaas.host import container
from waiaas.host.container import in_container, in_image

DOCKER = """\
700 650 0:62 / / rw,relatime master:1 - overlay overlay rw,lowerdir=/l,upperdir=/u,workdir=/w
701 700 0:65 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
715 700 254:0 /volumes/v/_data /data rw,relatime - ext4 /dev/vda rw
"""
PODMAN_VFS = """\
500 400 254:0 /store/vfs/dir/0f /  ro,relatime - ext4 /dev/vda rw
501 500 254:0 /volumes/v/_data /data rw,relatime - ext4 /dev/vda rw
"""


@pytest.fixture
def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In a container whose mounts are what the test writes there."""
    mark, table = tmp_path / "mark", tmp_path / "mountinfo"
    mark.touch()
    monkeypatch.setattr(container, "MARKS", (str(mark),))
    monkeypatch.setattr(container, "MOUNTS", table)
    return table


@pytest.mark.parametrize("lines", [DOCKER, PODMAN_VFS])
def test_a_program_on_the_images_layers_is_part_of_it__UPGR_09(mounts: Path, lines: str) -> None:
    """Whatever file system the engine keeps images on."""
    mounts.write_text(lines)
    assert in_image(Path("/usr/local/bin/waiaas"))
    assert not in_image(Path("/data/bin/waiaas"))


def test_a_program_on_no_container_is_part_of_no_image__UPGR_09(
    mounts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts.write_text(DOCKER)
    monkeypatch.setattr(container, "MARKS", ())
    assert not in_container()
    assert not in_image(Path("/usr/local/bin/waiaas"))


def test_without_a_list_of_mounts_nothing_is_guessed__UPGR_09(mounts: Path) -> None:
    assert in_container()
    assert not in_image(Path("/usr/local/bin/waiaas"))
