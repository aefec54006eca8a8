"""Where there are no pidfds: old kernels, and containers whose seccomp filter forbids them (DIR-2)."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys import sabotage
from tests.journeys.api import health
from tests.journeys.sabotage import Overlay, appended
from tests.journeys.witness import Witness, last_run, told
from tests.journeys.workshop import Site, Workshop, site

GONE = "\n\nif hasattr(os, 'pidfd_open'):\n    del os.pidfd_open\n"


def without(overlay: Overlay | None = None) -> Overlay:
    modules = ("waiaas/host/holder.py", "waiaas/host/ready.py")
    return {path: text for module in modules for path, text in appended(module, GONE).items()} | (
        overlay or {}
    )


@pytest.fixture
def old_kernel(workshop: Workshop, tmp_path: Path) -> Iterator[Site]:
    """1.8.0 serves; 1.8.1 is sound, and 1.8.2 ends at its start."""
    crashes = without(sabotage.exits_at_once())
    made = [workshop.build("1.8.0", without(), name="old-kernel-1.8.0")]
    made += [workshop.build("1.8.1", without(), name="old-kernel-1.8.1")]
    made += [workshop.build("1.8.2", crashes, name="old-kernel-1.8.2")]
    feed = workshop.feed(tmp_path / "feed", *made)
    with site(tmp_path / "site", made[0], feed.url) as installed:
        installed.ok("init")
        installed.ok("start", "--detach")
        yield installed
    feed.close()


def test_upgrade_roll_back_restart_and_stop__DIR_2(old_kernel: Site) -> None:
    pid = old_kernel.daemon["pid"]
    old_kernel.ok("upgrade", "--to", "1.8.1")
    assert (health(old_kernel)["version"], old_kernel.daemon["pid"] != pid) == ("1.8.1", True)
    old_kernel.ok("upgrade", "--rollback")
    old_kernel.ok("restart")
    assert health(old_kernel)["version"] == "1.8.0"
    assert f"pid {old_kernel.daemon['pid']}" in old_kernel.ok("stop").out
    assert json.loads(old_kernel.run("--json", "status").out)["running"] is False


def test_a_version_that_ends_at_its_start_is_told_in_its_own_words__UPGR_07(old_kernel: Site) -> None:
    witness = Witness(old_kernel)
    refused = told(old_kernel.run("upgrade", "--to", "1.8.2"), 7)
    assert "ended at once with exit code 3: I would rather not" in refused["error"]  # not: was not ready
    assert last_run(old_kernel)["outcome"] == "rolled-back"
    witness.all_is_back()
