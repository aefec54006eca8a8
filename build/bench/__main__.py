"""`make bench`: every row of SPEC §14 on the built artefact, each beside its yardstick in the same run.

Writes docs/performance.md. WAIAAS_BENCH_ROWS="PRF-1 PRF-9" measures only those and writes nothing;
WAIAAS_BENCH_MB (1024) is the size of the large database. A budget is a ratio, so that another machine
says the same; a row that cannot be measured here says why.
"""

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
sys.path.insert(0, str(REPOSITORY))

import checking
import serving
import startup
import storage
import upgrading
from table import Row, Shop, Unmeasured

PAGE = REPOSITORY / "docs" / "performance.md"
CHOSEN = os.environ.get("WAIAAS_BENCH_ROWS", "").split()
ROWS: dict[str, Callable[[Shop], Iterator[Row]]] = {
    "PRF-1": startup.version,
    "PRF-2": startup.health,
    "PRF-3": startup.other_commands,
    "PRF-4": startup.artefact,
    "PRF-5": startup.first_answer,
    "PRF-6": serving.memory,
    "PRF-7": serving.keep_alive,
    "PRF-8": serving.one_each,
    "PRF-9": storage.backup,
    "PRF-10": upgrading.downtime,
    "PRF-11": upgrading.downtime_migrating,
    "PRF-11b": storage.migrations,
    "PRF-12": checking.steady_state,
    "PRF-13": checking.large_download,
    "PRF-14": serving.crowd,
}
WHY = """\
## Where the time goes

Bytecode may not be shipped (SHP-1) nor cached (SHP-2), so every start compiles what it imports: half of
what a command takes. The rest is Python's own start, `pathlib`, `json` and `sqlite3`. What the common
commands must not import is held by tests/cli/test_cli_light.py. Leaving out annotations and docstrings
would save a twentieth and make the program unreadable where it runs. As long as nobody changed a setting,
there is nothing to parse; from then on `tomllib` and our own rules are read too, which is what `status`
is over by in those rows. Rows near their budget differ from run to run: on one day
`-c pass` took between 10 and 22 ms here and `cp` of the same file between 1.4 and 3.2 s.

The daily check compiles tuf, securesystemslib and our look at the feed, and verifies nine Ed25519
signatures (of the test feed, two of three keys) in pure Python; what signs by a cloud, a device or GnuPG
is left out already.

An upgrade is down for a restart and for what lies between: a backup that is verified, the swap, and a new
process that verifies program and data before the daemon is started; that one has read its modules before
the old daemon stops. Each of these waits for the disk a few times, in an order that a power cut cannot
break (tests/journeys/order.py). Where it migrates, the whole file is read for the backup's digest and
check, copied, and read for the copy's check, what can be side by side.
"""
HEAD = "| id | what | measured | yardstick | ratio | budget | n | |\n|---|---|---|---|---|---|---|---|"


def main() -> int:
    commit = _git("rev-parse", "--short", "HEAD")
    began, lines = time.time(), []
    print(HEAD, flush=True)
    with tempfile.TemporaryDirectory(prefix="waiaas-bench-") as name:
        shop = Shop(Path(name))
        for number, measure in ROWS.items():
            if CHOSEN and number not in CHOSEN:
                continue
            for line in _lines(number, measure, shop):
                lines.append(line)
                print(line, flush=True)
    if not CHOSEN:
        PAGE.write_text(_page(lines, commit, time.time() - began), encoding="utf-8")
    return int(any("over" in line.rsplit("|", 2)[1] for line in lines))


def _lines(number: str, measure: Callable[[Shop], Iterator[Row]], shop: Shop) -> Iterator[str]:
    try:
        for row in measure(shop):
            yield row.line(number)
    except Unmeasured as problem:
        yield f"| {number} | not measured: {problem} | | | | | | |"


def _page(lines: list[str], commit: str, seconds: float) -> str:
    day = time.strftime("%Y-%m-%d", time.gmtime())
    system, python = f"{platform.system()} {platform.release()}", f"Python {platform.python_version()}"
    run = f"{day}, commit {commit}, {seconds / 60:.0f} minutes"
    return "\n".join(
        [
            "# Performance",
            "",
            "Written by `make bench`; every number comes from one run on the built artefact. Medians; the",
            "yardstick of a row was measured in the same run, taking turns with it where both are short.",
            "What counts is the ratio: the times are those of one machine on one day.",
            "",
            f"{run}; {os.cpu_count()} cores, {system}, {python}.",
            "",
            HEAD,
            *lines,
            "",
            WHY.rstrip(),
            "",
        ]
    )


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=REPOSITORY, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
