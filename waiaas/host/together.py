"""Doing at the same time what waits for the disk, hashes, or is at work inside SQLite."""

import threading
from collections.abc import Callable
from typing import Any


def together(*actions: Callable[[], Any]) -> list[Any]:
    """What they returned, in their order, once all have ended; or the first one's error. The last one runs
    here, each other in a thread."""
    outcomes: list[Any] = [None] * len(actions)
    problems: list[BaseException | None] = [None] * len(actions)

    def run(number: int) -> None:
        try:
            outcomes[number] = actions[number]()
        except BaseException as problem:  # noqa: BLE001 - raised again by whoever waits
            problems[number] = problem

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(actions) - 1)]
    for thread in threads:
        thread.start()
    run(len(actions) - 1)
    for thread in threads:
        thread.join()
    for problem in problems:
        if problem is not None:
            raise problem
    return outcomes
