"""Background workers: each a name, an interval and a handler in a thread of its own (DMN-3)."""

import os
import threading
from collections.abc import Callable

from waiaas.core.value import mutable
from waiaas.daemon.log import Log
from waiaas.host.clock import Clock

STOP_SECONDS = 5.0
JITTER = 0.1  # of the interval, to either side: a million daemons do not come at once (FEED-6)

Handler = Callable[[], None]


@mutable
class Worker:
    """`runs` and `failures` only ever grow; `interval` is in seconds, `ended` the Unix time of the last
    run's end, None before the first."""

    name: str
    interval: float
    handler: Handler
    run_immediately: bool = False
    runs: int = 0
    failures: int = 0
    running: bool = False
    ended: int | None = None
    thread: threading.Thread | None = None


class Workers:
    """The registry. A handler never overlaps itself: one thread runs it and then waits."""

    def __init__(self, log: Log, clock: Clock, chance: Callable[[], float] | None = None) -> None:
        """`chance` gives numbers in [0, 1) for the jitter."""
        self._log = log
        self._clock = clock
        self._chance = chance or _chance
        self._workers: dict[str, Worker] = {}
        self._stopping = threading.Event()
        self._started = False

    def register(self, name: str, interval: float, handler: Handler, run_immediately: bool = False) -> Worker:
        """Add a worker; once started, it runs from this moment on. Raises ValueError for a name taken."""
        if name in self._workers:
            raise ValueError(f"worker {name} is registered already")
        worker = Worker(name, interval, handler, run_immediately)
        self._workers[name] = worker
        if self._started:
            self._start(worker)
        return worker

    def start_all(self) -> None:
        self._started = True
        for worker in self._workers.values():
            self._start(worker)

    def stop_all(self, patience: float = STOP_SECONDS) -> list[str]:
        """Ask all to stop and wait for them; returns the names of those that still run after that."""
        self._stopping.set()
        end = self._clock.monotonic() + patience
        for worker in self._workers.values():
            if worker.thread is not None:
                worker.thread.join(max(0.0, end - self._clock.monotonic()))
        return [w.name for w in self._workers.values() if w.thread is not None and w.thread.is_alive()]

    def all(self) -> list[Worker]:
        return list(self._workers.values())

    def _start(self, worker: Worker) -> None:
        if worker.thread is None:
            worker.thread = threading.Thread(
                target=self._live, args=(worker,), name=f"worker-{worker.name}", daemon=True
            )
            worker.thread.start()

    def _live(self, worker: Worker) -> None:
        if worker.run_immediately and not self._stopping.is_set():
            self._run(worker)
        while not self._stopping.wait(self._pause(worker.interval)):
            self._run(worker)

    def _pause(self, interval: float) -> float:
        return interval * (1 + JITTER * (2 * self._chance() - 1))

    def _run(self, worker: Worker) -> None:
        worker.running = True
        try:
            worker.handler()
        except Exception as problem:  # noqa: BLE001 -- a failing handler is a line and a counter
            worker.failures += 1
            self._log.warning(f"worker {worker.name} failed: {problem}", kind=type(problem).__name__)
        finally:
            worker.runs += 1
            worker.ended = self._clock.seconds()
            worker.running = False


def _chance() -> float:
    return int.from_bytes(os.urandom(4)) / 2**32
