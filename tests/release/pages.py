"""A page of the documentation, run: its commands are typed as they stand there, its output compared.

In a block marked `console`, a line `NAME$ command` is typed on the machine NAME (a folder of its own,
which shares only `stick/` with the others); `# exit N` behind it says how it ends. What follows is the
output, in words that may differ from run to run only where they must: `…` stands for anything, a line
of `…` alone for any lines; key ids, digests, dates and numbers of days are not compared.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

PROMPT = re.compile(r"^([a-z]+)\$ (.*?)(?:\s+# exit (\d+))?$")
HEADING = re.compile(r"^#{2,3} (.+)$")
TOOL = ["python", "-m", "waiaas.release"]
PASSPHRASE = "WAIAAS_RELEASE_PASSPHRASE="
VARYING = (
    (re.compile(r"\b[0-9a-f]{64}\b"), "<digest>"),
    (re.compile(r"\b[0-9a-f]{8}\b"), "<key>"),
    (re.compile(r"\b20[0-9]{2}-[0-9]{2}-[0-9]{2}\b"), "<date>"),
    (re.compile(r"-?\b[0-9]+ days left"), "<days> left"),
    (re.compile(r" {2,}"), "  "),
)


@dataclass
class Step:
    """One command of a page. `expected`: the lines that it says."""

    who: str
    command: str
    code: int
    line: int
    expected: list[str] = field(default_factory=list)

    @property
    def words(self) -> list[str]:
        return shlex.split(self.command)


@dataclass(frozen=True)
class Said:
    """How a command ended, and all that it said."""

    code: int
    lines: list[str]


def steps(page: Path) -> dict[str, list[Step]]:
    """Heading -> the commands below it, in order."""
    found: dict[str, list[Step]] = {}
    heading, inside, open_step = "", False, None
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("```"):
            inside, open_step = line == "```console", None
        elif inside and (match := PROMPT.match(line)):
            open_step = Step(match[1], match[2], int(match[3] or 0), number)
            found.setdefault(heading, []).append(open_step)
        elif inside and open_step is not None and open_step.command.endswith("\\"):
            open_step.command = open_step.command[:-1] + line.strip()
        elif inside and open_step is not None:
            open_step.expected.append(line)
        elif not inside and (match := HEADING.match(line)):
            heading = match[1]
    return found


def files(page: Path) -> dict[str, str]:
    """The programs of a page: blocks marked `python` whose first line is `# NAME`."""
    blocks = re.findall(r"^```python\n# (\S+)\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
    return dict(blocks)


def differences(expected: list[str], said: list[str]) -> Iterator[str]:
    """What of the page is not so; nothing if it is."""
    rest = [_plain(line) for line in said]
    skipping = False
    for line in expected:
        if line.strip() == "…":
            skipping = True
            continue
        pattern = re.compile(re.escape(_plain(line)).replace("…", ".*"))
        while skipping and rest and not pattern.fullmatch(rest[0]):
            rest.pop(0)
        if not rest or not pattern.fullmatch(rest[0]):
            yield f"expected {line!r}, it says {rest[0] if rest else 'nothing'!r}"
            return
        rest.pop(0)
        skipping = False
    if rest and not skipping:
        yield f"it says more: {rest!r}"


def _plain(line: str) -> str:
    for pattern, word in VARYING:
        line = pattern.sub(word, line)
    return line.rstrip()


class World:
    """Machines as folders. `tool` runs the maker's tool in a folder, with a passphrase."""

    def __init__(self, folder: Path, tool: Callable[[list[str], Path, str], Said]) -> None:
        self.folder = folder
        self.tool = tool
        self.variables: dict[str, str] = {}  # of the shell
        (folder / "stick").mkdir(parents=True, exist_ok=True)

    def machine(self, who: str) -> Path:
        home = self.folder / who
        if not home.exists():
            home.mkdir()
            (home / "stick").symlink_to("../stick")
        return home

    def copy(self, folder: Path) -> "World":
        """The same machines somewhere else, to do other things to."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return World(folder, self.tool)

    def run(self, step: Step) -> Said:
        home = self.machine(step.who)
        words, passphrase = step.words, f"passphrase of {step.who}"
        if words[0].startswith(PASSPHRASE):
            words, passphrase = words[1:], words[0].removeprefix(PASSPHRASE)
        if words[:3] == TOOL:
            return self.tool(words[3:], home, passphrase)
        python = Path(sys.executable).parent
        environment = {"PATH": f"{python}:{os.environ['PATH']}", "LANG": "C.UTF-8", **self.variables}
        done = subprocess.run(
            ["bash", "-euc", step.command],
            cwd=home,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return Said(done.returncode, done.stdout.splitlines())

    def follow(self, page: Path, steps: list[Step]) -> None:
        """Type every command, and compare."""
        for step in steps:
            said = self.run(step)
            where = f"{page.name}:{step.line}: {step.who}$ {step.command}"
            output = "\n".join(said.lines)
            assert said.code == step.code, f"{where}\nexit {said.code}\n{output}"
            for difference in differences(step.expected, said.lines):
                raise AssertionError(f"{where}\n{difference}\n\n{output}")
