"""A deployment that is killed in the middle of a step ends the same when it is run again (RLSE-05).

After each command of git, gh and skopeo in turn, the process that ran it dies by SIGKILL, before it
can have noted anything; then the whole is run once more, and must end as if nothing had happened.
"""

import os
import signal
import sys
from collections.abc import Callable

import pytest
from bench import Bench
from deployments import Yard

from waiaas.release.deploy import story
from waiaas.release.deploy.deployment import DONE, THERE

pytestmark = [pytest.mark.journey, pytest.mark.nightly, pytest.mark.timeout(600)]  # half a minute, alone

Fresh = Callable[[], Yard]
STEPS = ("signatures", "feed", "image", "assets")
KILLER = """#!/bin/sh
# Counts its calls; at the one that is asked for, the real tool still works, and whoever called it dies.
count=$(($(cat "$STORE/count" 2>/dev/null || echo 0) + 1))
echo $count >"$STORE/count"
TOOL "$@"
code=$?
[ "$count" != "${DIE_AFTER:-}" ] || kill -9 $PPID
exit $code
"""


@pytest.fixture
def fresh(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    """Makes yards with 1.9.0 to publish: same keys, same frozen change, each a world of its own."""

    def make() -> Yard:
        another = Bench(tmp_path_factory.mktemp("w"), bench.keys)
        another.clock.time = bench.clock.time
        made = Yard(another)
        for name, text in (("image/manifest.json", "the image"), ("assets/SHA256SUMS", "digests")):
            (made.folder / name).parent.mkdir()
            (made.folder / name).write_text(text)
        tools = made.bench.folder / "tools"
        (tools / "real").mkdir()
        for name in ("gh", "skopeo"):
            (tools / name).rename(tools / "real" / name)
        for name, real in (
            ("git", "/usr/bin/git"),
            ("gh", f"{tools}/real/gh"),
            ("skopeo", f"{tools}/real/skopeo"),
        ):
            (tools / name).write_text(KILLER.replace("TOOL", real))
            (tools / name).chmod(0o755)
        return made

    return make


def run(yard: Yard, **environ: str) -> int:
    """Deploy in a process of its own; its exit status, or minus the signal that ended it."""
    (yard.store / "count").unlink(missing_ok=True)
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            story.deploy(yard.deployment(**environ), STEPS)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def state(yard: Yard) -> dict[str, object]:
    """Everything public."""
    return {
        "targets": yard.public("show", "feed:metadata/1.targets.json"),
        "files": [n for n in yard.public("ls-tree", "-r", "--name-only", "feed").split() if "targets/" in n],
        "images": yard.images(),
        "assets": {name: data for name, data in yard.assets().items() if name != "release.json"},
    }


def test_killed_after_any_command_it_ends_the_same__RLSE_05(fresh: Fresh) -> None:
    reference = fresh()
    assert run(reference) == 0
    wanted, commands = state(reference), int((reference.store / "count").read_text())
    assert wanted["images"]
    assert commands > 25
    for number in range(1, commands + 1):
        yard = fresh()
        assert run(yard, DIE_AFTER=str(number)) == -signal.SIGKILL, number
        outcomes = {entry.outcome for entry in story.deploy(yard.deployment(), STEPS)}
        assert state(yard) == wanted, number
        assert outcomes <= {DONE, THERE}, number
