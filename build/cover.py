"""`make coverage`: every test, and what they reach of `waiaas`: at least 85 %, better 90 (RLSE-03).

Every Python of our virtual environment is measured, children included. Some journeys run the built
artefact on another Python, and every process of it writes what it ran (tests/journeys/measured.py). What
is killed writes nothing, and the other journeys look at files and system calls that measuring adds to,
so they run without: the figure is a lower bound.

The report by line is in .cache/coverage/html, for machines in .cache/coverage/coverage.json.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import coverage

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".cache/coverage"
REQUIRED = 85  # percent, of lines and branches
MEASURED = ("upgrade", "check", "withdrawn", "daemon", "doctor", "doctor_faults", "bundle", "legacy")
PACKAGES = ("cli", "core", "daemon", "host", "store", "upgrade")
INSIDE = re.compile(rf"/(waiaas/(?:{'|'.join(PACKAGES)})/.+\.py)$")
RULES = """\
[run]
branch = true
parallel = true
data_file = {data}
{what}
patch = _exit, execv
"""


def main() -> int:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    inside = ", ".join(f"*/waiaas/{package}/*" for package in PACKAGES)
    rules("artefact", f"include = {inside}")
    rules("here", f"source = {ROOT / 'waiaas'}")
    measured = ["tests/release", *(f"tests/journeys/test_journey_{name}.py" for name in MEASURED)]
    passed = [
        pytest("-m", "not journey and not fuzz", measured=True),
        pytest("-m", "journey", *measured, measured=True),
        pytest("-m", "journey or fuzz", *(f"--ignore={path}" for path in measured), measured=False),
    ]
    figure = report(added_up())
    if not all(passed):
        print("a test failed: see above", file=sys.stderr)
    if figure < REQUIRED:
        print(f"{figure:.1f} % is below {REQUIRED} %", file=sys.stderr)
    return 0 if all(passed) and figure >= REQUIRED else 1


def rules(name: str, what: str) -> None:
    """The configuration of coverage.py for one kind of process."""
    (FOLDER / f"{name}.rc").write_text(RULES.format(data=FOLDER / name, what=what))


def pytest(*words: str, measured: bool) -> bool:
    """Run tests; whether they passed."""
    spread = ("-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder")
    argv = [sys.executable, "-m", "pytest", *spread, "-rs", *words]
    rules = {"COVERAGE_PROCESS_START": str(FOLDER / "here.rc"), "WAIAAS_COVERAGE": str(FOLDER)}
    environ = {**os.environ, **(rules if measured else {})}
    return subprocess.run(argv, cwd=ROOT, env=environ, check=False).returncode == 0


def added_up() -> Path:
    """All of it as one file of data, by the paths of this tree."""
    total = FOLDER / "total"
    sums = coverage.CoverageData(str(total))
    for part in sorted({*FOLDER.glob("here.*"), *FOLDER.glob("artefact.*")} - {*FOLDER.glob("*.rc")}):
        data = coverage.CoverageData(str(part))
        data.read()
        sums.update(data, map_path=in_the_tree)
    sums.write()
    return total


def in_the_tree(path: str) -> str:
    """`…/bin/waiaas/waiaas/cli/main.py`, as it is called inside an artefact, is a file of this tree."""
    inside = INSIDE.search(path)
    return str(ROOT / inside[1]) if inside and not Path(path).is_file() else path


def report(data: Path) -> float:
    """Print what is not whole, and the total; returns the total in percent."""
    measured = coverage.Coverage(data_file=str(data), config_file=False, include=[f"{ROOT}/waiaas/*"])
    measured.load()
    measured.html_report(directory=str(FOLDER / "html"))
    measured.json_report(outfile=str(FOLDER / "coverage.json"))
    return measured.report(skip_covered=True, sort="cover")


if __name__ == "__main__":
    sys.exit(main())
