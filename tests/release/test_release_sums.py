"""SHA256SUMS: what coreutils verifies, without a word of ours."""

import shutil
import subprocess
from pathlib import Path

import pytest

from waiaas.core.errors import UsageError
from waiaas.host.files import Files
from waiaas.release.__main__ import main
from waiaas.release.sums import FILE, write

needs_coreutils = pytest.mark.skipif(not shutil.which("sha256sum"), reason="no sha256sum (coreutils) here")


def check(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    argv = ["sha256sum", *options, "-c", FILE]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True)


@pytest.fixture
def dist(tmp_path: Path) -> list[Path]:
    """Names that a careless list would break on."""
    made = [tmp_path / name for name in ("waiaas-1.8.0.pyz", "with space.json", "-o", "ü.txt")]
    for path in made:
        path.write_text(path.name)
    return made


@needs_coreutils
def test_coreutils_verify_the_list__RLSE_05(dist: list[Path]) -> None:
    folder = dist[0].parent
    assert main(["sums", "-o", str(folder), *map(str, dist)]) == 0
    done = check(folder, "--strict")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [f"{path.name}: OK" for path in sorted(dist)]
    names = sorted(path.name for path in dist)
    argv = ["sha256sum", "--", *names]
    theirs = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=True)
    assert (folder / FILE).read_text() == theirs.stdout, "what sha256sum itself writes"
    dist[0].write_text("other")
    done = check(folder)
    assert done.returncode == 1
    assert "waiaas-1.8.0.pyz: FAILED" in done.stdout


def test_the_same_files_in_any_order_give_the_same_list__RLSE_05(dist: list[Path], tmp_path: Path) -> None:
    one = write(dist, tmp_path / "one", Files()).read_bytes()
    assert write(reversed(dist), tmp_path / "two", Files()).read_bytes() == one


@pytest.mark.parametrize("name", ["back\\slash", "new\nline"])
def test_a_name_that_no_line_can_hold_is_refused__RLSE_05(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("x")
    with pytest.raises(UsageError) as refused:
        write([tmp_path / name], tmp_path, Files())
    assert refused.value.code == "bad-name"
    assert not (tmp_path / FILE).exists()


def test_absent_files_folders_and_two_of_one_name_are_refused__RLSE_05(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_text("1")
    (tmp_path / "x").write_text("2")
    for wrong in ([tmp_path / "absent"], [tmp_path / "a"], [tmp_path / "a" / "x", tmp_path / "x"]):
        with pytest.raises(UsageError):
            write(wrong, tmp_path, Files())
