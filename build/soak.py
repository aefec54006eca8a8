"""`make soak`: cycles of upgrade and roll-back under writes and random kills; see tests/journeys/soak.py.

WAIAAS_SOAK_CYCLES (200), WAIAAS_SOAK_SEED (random; printed, so that a run can be repeated).
"""

import os
import random
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.journeys.soak import Report, Soak
from tests.journeys.workshop import Workshop

CYCLES = int(os.environ.get("WAIAAS_SOAK_CYCLES", "200"))
SEED = int(os.environ.get("WAIAAS_SOAK_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)


def soak(cycles: int = CYCLES, seed: int = SEED) -> Report:
    """The run, in a folder that goes away."""
    with tempfile.TemporaryDirectory(prefix="waiaas-soak-") as name:
        folder = Path(name)
        (folder / "workshop").mkdir()
        running = Soak(Workshop(folder / "workshop"), folder, seed)
        try:
            return running.run(cycles)
        finally:
            running.close()


if __name__ == "__main__":
    print(f"soak: {CYCLES} cycles, seed {SEED}", flush=True)
    report = soak()
    print(report)
    for sentence in report.bad:
        print(f"BAD: {sentence}")
    sys.exit(bool(report.bad or report.lost))
