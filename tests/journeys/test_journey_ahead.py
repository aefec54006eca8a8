"""The child that is started ahead of its time, so that nobody waits for it to read its modules (PRF-10):
it vouches for the file that it runs from, and only once that lies at the program's path."""

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from tests.journeys.sabotage import STEP
from tests.journeys.workshop import PYTHON, REPOSITORY, Site, Workshop, site


@pytest.fixture
def made(workshop: Workshop, tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path / "site", workshop.current) as made:
        made.ok("init")
        yield made


def waiting(made: Site, program: Path) -> "Popen[bytes]":
    argv = [PYTHON, "-I", str(program), "--data-dir", str(made.data), "--json", "step", "verify", "--wait"]
    return Popen(argv, env=made.environ, stdin=PIPE, stdout=PIPE, stderr=PIPE)


def answer(child: "Popen[bytes]") -> bytes:
    """What it says to the word; its stdin stays open, for it is its lifeline."""
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(b"\n")
    child.stdin.flush()
    said = child.stdout.read()
    child.wait(30)
    return said


def staged(made: Site) -> Path:
    """A file beside the program, as a run stages it; a run is open."""
    base = made.program.parent / ".waiaas"
    base.mkdir(exist_ok=True)
    plan = {"run": "r", "format": 1, "dataDir": str(made.data), "program": str(made.program)}
    event = {"event": "opened", "at": 1, "facts": plan}
    (base / "journal").write_text(json.dumps(event) + "\n")
    return Path(shutil.copy2(made.program, base / "staged"))


def test_it_opens_no_data_before_the_word_and_then_vouches__UPGR_12_PRF_10(made: Site) -> None:
    with waiting(made, file := staged(made)) as child:
        time.sleep(1)
        opened = {os.readlink(f"/proc/{child.pid}/fd/{n}") for n in os.listdir(f"/proc/{child.pid}/fd")}
        file.replace(made.program)
        out = answer(child)
    assert not [path for path in opened if path.startswith(str(made.data))]
    assert (child.returncode, json.loads(out)["problems"]) == (0, [])


def test_it_does_not_vouch_for_another_file__UPGR_12_PRF_10(made: Site) -> None:
    with waiting(made, staged(made)) as child:
        out = answer(child)
    assert (child.returncode, json.loads(out)["error"]["code"]) == (3, "not-at-its-path")


def test_it_ends_without_a_word_when_nobody_is_left__UPGR_06(made: Site) -> None:
    with waiting(made, staged(made)) as child:
        out, _ = child.communicate(timeout=30)
    assert (child.returncode, out) == (1, b"")


def test_a_version_that_cannot_wait_is_asked_when_it_is_time__PRF_10(
    workshop: Workshop, tmp_path: Path
) -> None:
    text = (REPOSITORY / STEP).read_text().replace('"--wait"', '"--later", dest="wait"')
    other = workshop.build("1.8.1", {STEP: text}, name="cannot-wait")
    feed = workshop.feed(tmp_path / "feed", workshop.current, other)
    with site(tmp_path / "site", workshop.current, feed.url) as made:
        made.ok("init")
        assert made.json("upgrade", "--no-start")["outcome"] == "committed"
        assert made.run("step", "verify", "--wait").code == 2
    feed.close()
