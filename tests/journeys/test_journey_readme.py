"""The README's commands, copied and run in a bare directory, do what it says (rule 15)."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.journeys.workshop import PYTHON, REPOSITORY, Feed, Workshop

pytestmark = pytest.mark.journey

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
PROMPT = re.compile(r"^\$ (waiaas .*)$", re.MULTILINE)


def block(section: str) -> list[str]:
    """The command lines of the first shell block of a section."""
    text = README.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    lines = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)[0].splitlines()
    assert lines, section
    return [line.partition("#")[0].strip() for line in lines]


class Stranger:
    """Somebody with one file on the PATH, a home of their own, and nothing else."""

    def __init__(self, folder: Path, artefact: Path, feed: Feed) -> None:
        self.folder = folder
        tools = folder / "bin"
        tools.mkdir()
        (tools / "waiaas").write_bytes(artefact.read_bytes())
        (tools / "waiaas").chmod(0o755)
        (tools / "python3").symlink_to(PYTHON)
        self.environ = {
            "PATH": f"{tools}:/usr/bin:/bin",
            "HOME": str(folder / "home"),
            "WAIAAS_DAEMON_PORT": "0",
            "WAIAAS_UPGRADE_FEED_URL": feed.url,
            "WAIAAS_UPGRADE_PROBATION": "1",
            "WAIAAS_UPGRADE_MODE": "self",  # these tests may themselves run in a container
        }
        (folder / "home").mkdir()

    def types(self, line: str) -> str:
        done = subprocess.run(
            ["/bin/sh", "-ec", line],
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"$ {line}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def version(self) -> str:
        return self.types("waiaas --version").strip()


def test_what_the_readme_says_to_type_does_what_it_says__CLI_2(workshop: Workshop, tmp_path: Path) -> None:
    feed = workshop.feed(tmp_path / "feed", workshop.current, workshop.patch)
    stranger = Stranger(tmp_path, workshop.current, feed)
    try:
        use = {line: stranger.types(line) for line in block("Use")}
        assert "Upgrade available: 1.8.0 → 1.8.1" in use["waiaas upgrade --check"]
        assert "Upgraded: 1.8.0 → 1.8.1" in use["waiaas upgrade"]
        feed.publish(workshop.build("1.8.2"))
        carried = {line: stranger.types(line) for line in block("Air gap")}
        assert "Upgraded: 1.8.1 → 1.8.2" in carried["waiaas upgrade --from waiaas.tgz"]
        back = block("Roll back")
        assert "Rolled back: 1.8.2 → 1.8.1" in stranger.types(back[0])
        assert "Rolled back: 1.8.1 → 1.8.0" in stranger.types(back[1])
        assert "pre-upgrade-1.8.0-" in stranger.types(back[2])
        assert stranger.version() == "1.8.0"
    finally:
        stranger.types("waiaas stop || true")
        feed.close()


def test_the_transcript_is_what_the_demo_shows__SHP_5(tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    demo = [sys.executable, str(REPOSITORY / "build" / "demo.py")]
    shown = subprocess.run(demo, cwd=tmp_path, env=environ, capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
    told = shown.stdout + shown.stderr
    transcript = README.partition("<!-- transcript: begin -->")[2].partition("<!-- transcript: end -->")[0]
    commands = PROMPT.findall(transcript)
    assert [line for line in commands if f"$ {line}" not in told] == []
    for step in re.findall(r"^\[\d/7\] .*$", transcript, re.MULTILINE):
        assert step in told
    for line in ("Upgraded: 1.8.0 → 1.8.1", "Rolled back: 1.8.1 → 1.8.0"):
        assert line in transcript
        assert line in told
