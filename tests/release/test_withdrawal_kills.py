"""Killed anywhere and resumed: the same end as without, and never anything twice (WDR-2)."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bench import Bench
from withdrawal_kit import Office

from tests.fakes import FakeClock
from waiaas.host.clock import Clock
from waiaas.host.files import Files
from waiaas.host.processes import Processes
from waiaas.release import commands
from waiaas.release.arguments import parser
from waiaas.release.repository import verify
from waiaas.release.withdrawal import story

pytestmark = [pytest.mark.journey, pytest.mark.nightly]
ROOT = Path(__file__).parents[2]


def told(office: Office) -> dict[str, Any]:
    """What everybody sees in the end, without times and numbers of metadata."""
    texts = {path.name: path.read_text() for path in (office.records / "1.9.0").glob("*.md")}
    tags = office.git("for-each-ref", "--format=%(refname) %(*objectname)", where=office.origin)
    seen = {step["name"]: (step["outcome"], step["observed"]) for step in office.record()["steps"]}
    return {"texts": texts, "tags": tags, "seen": seen, **office.state("github"), **office.state("registry")}


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("gh", "label create"),
        ("gh", "issue create"),
        ("gh", "release edit v1.9.0"),
        ("skopeo", "copy"),
        ("gh", "release edit v1.8.0"),
        ("git", "tag -a"),
        ("git", "push"),
        ("gh", "issue edit"),
        ("gh", "issue comment"),
    ],
)
def test_killed_after_it_was_done_and_before_it_was_known__WDR_2(
    program: str, words: str, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL, to a real process, at each thing that is changed outside. Nothing is done a second time."""
    office.dies_after(program, words)
    argv = [sys.executable, "-m", "waiaas.release", "withdraw", "--feed", str(office.feed), "1.9.0", "--yes"]
    argv += ["--keys", str(office.keys), "--reason", "it loses mail", *map(str, office.reach)]
    killed = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert killed.returncode == -9, killed.stderr
    assert office.outcomes()["feed"] == "done", "the feed was first"
    assert len(office.outcomes()) < 1 + len(story.STEPS), "and the record knows no more than was seen"
    assert office.withdraw() == 0
    assert set(office.outcomes().values()) == {"done", "not-needed"}
    [issue] = office.state("github")["issues"]
    assert len(issue["comments"]) == 1
    assert issue["body"].count("- [x] ") == 16, "eight results in two languages"
    resumed = told(office)
    assert office.withdraw() == 0
    assert told(office) == resumed


class PowerCut(BaseException):
    """The world stops."""


def withdraw(bench: Bench, files: Files, clock: Clock) -> int:
    """The command with a file system that can stop; nothing outside is at hand."""
    environ = {"PATH": "", "LOGNAME": "ada"}
    ask = commands.Passphrases(lambda: b"", lambda: b"")
    quiet: Callable[[str], None] = lambda line: None  # noqa: E731
    desk = commands.Bench(
        files, clock, Processes(os.environ), environ, ask, quiet, quiet, lambda question: "1.9.0"
    )
    words = ["withdraw", "--feed", str(bench.feed), "--keys", str(bench.keys), "1.9.0", "--reason", "bad"]
    arguments = parser().parse_args(words)
    return int(commands.COMMANDS["withdraw"](desk, arguments))


def test_the_power_goes_at_every_durable_operation__WDR_2(tmp_path: Path, plain_keys: Path) -> None:
    """A client finds a feed that verifies at every moment: with the mark, or without it."""
    template = tmp_path / "template"
    template.mkdir()
    Bench(template, plain_keys).publish("1.8.0", "1.9.0")

    def fresh(name: str) -> Bench:
        made = Bench.__new__(Bench)
        shutil.copytree(template, tmp_path / name)
        made.folder, made.feed, made.keys = (
            tmp_path / name,
            tmp_path / name / "feed",
            tmp_path / name / "keys",
        )
        return made

    def told(bench: Bench) -> dict[str, str]:
        place = bench.folder / "feed.records" / "1.9.0"
        return {path.name: path.read_text() for path in place.iterdir()}

    clock = FakeClock(time.time())
    points: list[str] = []
    whole = fresh("whole")
    assert withdraw(whole, Files(points.append), clock) == 0
    assert {point.partition(":")[0] for point in points} >= {
        "feed.metadata",
        "record.withdrawal",
        "record.issue",
    }
    for number, point in enumerate(points):
        bench = fresh(str(number))
        left = iter(range(number, -1, -1))

        def cut(at: str, left: Any = left) -> None:
            if next(left, -1) == 0:
                raise PowerCut(at)

        with pytest.raises(PowerCut):
            withdraw(bench, Files(cut), clock)
        marked = [r for r in verify(bench.feed, bench.first_root) if r.withdrawn]
        assert len(marked) <= 1
        assert withdraw(bench, Files(), clock) == 0, point
        assert told(bench) == told(whole), point
    assert len(points) > 30
