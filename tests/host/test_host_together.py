"""Doing several things at the same time."""

import threading

import pytest

from waiaas.host.together import together


def test_they_run_side_by_side_and_answer_in_order__PRF_11() -> None:
    meeting = threading.Barrier(3, timeout=10)

    def meet() -> int:
        return 1 + meeting.wait() * 0

    assert together(meet, meet, lambda: meet() + 1) == [1, 1, 2]


@pytest.mark.parametrize("number", range(3))
def test_an_error_comes_out_once_all_have_ended__UPGR_07(number: int) -> None:
    ended: list[int] = []

    def act(mine: int) -> None:
        ended.append(mine)
        if mine == number:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        together(*(lambda mine=mine: act(mine) for mine in range(3)))  # type: ignore[misc]
    assert sorted(ended) == [0, 1, 2]
