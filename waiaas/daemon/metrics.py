"""Counters, and the Prometheus text exposition format (version 0.0.4)."""

import threading
from collections.abc import Iterable, Mapping

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Sample = tuple[Mapping[str, str], float]


class Metrics:
    """`quick`, health polls answered from memory, is counted by the server's one thread alone, and only
    ever grows; everything else is counted under a lock."""

    def __init__(self) -> None:
        self.quick = 0
        self._told = 0  # of them, entered under the status that health had before
        self._health = 200  # the status that they are answered with now
        self._lock = threading.Lock()
        self._requests: dict[tuple[str, str, int], int] = {}

    def count(self, method: str, route: str, status: int) -> None:
        """`route` is a pattern from the table, never what a client sent: the labels stay few."""
        with self._lock:
            key = (method, route, status)
            self._requests[key] = self._requests.get(key, 0) + 1

    def health_is(self, status: int) -> None:
        """From now on polls are answered from memory with this status."""
        with self._lock:
            if status != self._health:
                key, polls = ("GET", "/health", self._health), self.quick
                self._requests[key] = self._requests.get(key, 0) + polls - self._told
                self._told, self._health = polls, status

    def requests(self) -> list[Sample]:
        with self._lock:
            found = dict(self._requests)
            key = ("GET", "/health", self._health)
            found[key] = found.get(key, 0) + self.quick - self._told
        return [
            ({"method": method, "route": route, "code": str(status)}, value)
            for (method, route, status), value in sorted(found.items())
        ]


def family(name: str, kind: str, sentence: str, samples: Iterable[Sample]) -> str:
    """One metric with all of its samples."""
    lines = [f"# HELP {name} {sentence}", f"# TYPE {name} {kind}"]
    for labels, value in samples:
        inner = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        lines.append(f"{name}{{{inner}}} {_number(value)}" if inner else f"{name} {_number(value)}")
    return "\n".join(lines) + "\n"


def gauge(name: str, sentence: str, value: float | None) -> str:
    """One number that goes up and down; None, which is unknown, is left out."""
    return "" if value is None else family(name, "gauge", sentence, [({}, value)])


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
