"""Cycles of upgrade and roll-back under writes and random kills; `make soak` runs 200 of them."""

import os
from pathlib import Path

import pytest

from tests.journeys.soak import Soak
from tests.journeys.workshop import Workshop

CYCLES = int(os.environ.get("WAIAAS_SOAK_CYCLES", "1000"))
SECONDS = float(os.environ.get("WAIAAS_SOAK_SECONDS", "18"))


@pytest.mark.timeout(300)
def test_no_acknowledged_write_is_lost__UPGR_06_UPGR_07(workshop: Workshop, tmp_path: Path) -> None:
    soak = Soak(workshop, tmp_path, seed=int(os.environ.get("WAIAAS_SOAK_SEED", str(os.getpid()))))
    try:
        report = soak.run(CYCLES, SECONDS)
    finally:
        soak.close()
    print(report)
    assert report.bad == [], str(report)
    assert report.lost == 0
    assert report.acknowledged > 0
    assert report.committed > 0
