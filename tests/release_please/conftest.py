"""The real release-please, and a reason printed where it is not at hand."""

import subprocess

import pytest

from tests.release_please.cases import NODE, TOOLS


@pytest.fixture(scope="session", autouse=True)
def release_please() -> None:
    """Skips without it: these tests prove nothing with anything else."""
    if not NODE.exists() or not (TOOLS / "release-please").is_dir():
        pytest.skip("release-please is not installed: make node")
    done = subprocess.run([str(NODE), "--version"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"node does not run here: {done.stderr.strip()}")
