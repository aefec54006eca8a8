"""`python -m tests.containers.table FOLDER SECONDS`: what ran and how long, out of the rows of each part."""

import sys
from collections import Counter
from pathlib import Path


def row(part: str, what: str, seconds: float, outcome: str) -> str:
    """One line of a `.rows` file."""
    return f"{part}\t{what}\t{seconds:.1f}\t{outcome}\n"


def show(folder: Path, all_in_all: str) -> None:
    """The table, all in all, and below it what the tests said (`.said` files)."""
    rows = [line.split("\t") for path in sorted(folder.glob("*.rows")) for line in path.open()]
    rows.sort(key=lambda found: (found[0] != "prepare", found[0]))
    width = max(len(what) for _, what, _, _ in rows)
    for part, what, seconds, outcome in rows:
        print(f"{part:8} {what:{width}} {seconds:>6} s  {outcome.strip()}")
    outcomes = Counter(outcome.strip() for *_, outcome in rows)
    print(f"all      {all_in_all} s, {', '.join(f'{many} {what}' for what, many in outcomes.items())}")
    for said in sorted(folder.glob("*.said")):
        print(said.read_text(), end="")


if __name__ == "__main__":
    show(Path(sys.argv[1]), sys.argv[2])
