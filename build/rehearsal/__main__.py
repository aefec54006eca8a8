"""`make release-rehearsal`: a whole release on this machine, with everything real but GitHub.

From a scratch repository through both gates to a public feed, from which the previous version, as it was
installed, upgrades; the same once more, which changes nothing; the same again, dying after each step.
Then a bad version goes out, is withdrawn, and whoever installed it is told and goes back.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from source import missing
from story import Rehearsal

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make release-rehearsal", description=__doc__)
    parser.add_argument("--short", action="store_true", help="no images, no interruptions: what a test runs")
    arguments = parser.parse_args()
    if why := missing():
        sys.exit(f"SKIP: {why}")
    with tempfile.TemporaryDirectory(prefix="wr-") as name:
        rehearsal = Rehearsal(Path(name), short=arguments.short)
        try:
            rehearsal.run()
        finally:
            rehearsal.close()
    sys.exit(0)
