"""Two worlds only: the power is cut at named operations of upgrades and roll-backs, and of their
recovery (UPGR-06, 12, 13). `make chaos` cuts at every one."""

import os
from pathlib import Path

import pytest

from tests.journeys.chaos import SCENARIOS, Bench, Scenario, try_all
from tests.journeys.workshop import Workshop

STRIDE = int(os.environ.get("WAIAAS_CUT_STRIDE", "8"))  # 1: every operation
NESTED = int(os.environ.get("WAIAAS_NESTED_STRIDE", "6"))  # 1: every operation of the recovery too


@pytest.mark.timeout(600)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name.replace(" ", "-"))
def test_a_power_cut_ends_in_the_old_world_or_the_new_one__UPGR_06(
    workshop: Workshop, tmp_path: Path, scenario: Scenario
) -> None:
    bench = Bench(workshop, tmp_path, scenario)
    try:
        tally = try_all(bench, STRIDE, NESTED)
    finally:
        bench.close()
    assert tally.bad == []
    assert tally.operations > 30
    assert tally.old > 0
    assert tally.new > 0
