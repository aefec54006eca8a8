"""A fixed number of threads for whatever may wait for the disk."""

import threading
from collections.abc import Callable
from queue import SimpleQueue

BACKLOG = 16  # waiting jobs a thread; more are refused at once

Job = Callable[[], None]


class Pool:
    """Threads are started as they are needed, at most `threads`; they live until `stop`."""

    def __init__(self, name: str, threads: int, backlog: int = BACKLOG) -> None:
        self._name = name
        self._limit = threads
        self._most = threads * (1 + backlog)
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._pending = 0  # jobs submitted and not finished

    def submit(self, job: Job) -> bool:
        """Run `job` in some thread; False when too many wait already. `job` must not raise."""
        with self._lock:
            if self._pending >= self._most:
                return False
            self._pending += 1
            if self._pending > len(self._threads) and len(self._threads) < self._limit:
                self._add()
        self._jobs.put(job)
        return True

    def stop(self, patience: float) -> None:
        """Let every thread finish its job and end; none is waited for longer than `patience` in all."""
        for _ in self._threads:
            self._jobs.put(None)
        share = patience / max(1, len(self._threads))
        for thread in self._threads:
            thread.join(share)

    def _add(self) -> None:
        name = f"{self._name}-{len(self._threads) + 1}"
        thread = threading.Thread(target=self._live, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _live(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            finally:
                with self._lock:
                    self._pending -= 1
