"""Counters, and the Prometheus text exposition format (version 0.0.4)."""

import threading
from collections.abc import Iterable, Mapping

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Sample = tuple[Mapping[str, str], float]


class Metrics:
    """`quick` is counted by the server's one thread alone; everything else under a lock."""

    def __init__(self) -> None:
        self.quick = 0
        self._lock = threading.Lock()
        self._requests: dict[tuple[str, str, int], int] = {}

    def count(self, method: str, route: str, status: int) -> None:
        """`route` is a pattern from the table, never what a client sent: the labels stay few."""
        with self._lock:
            key = (method, route, status)
            self._requests[key] = self._requests.get(key, 0) + 1

    def requests(self) -> list[Sample]:
        with self._lock:
            found = dict(self._requests)
        key = ("GET", "/health", 200)
        found[key] = found.get(key, 0) + self.quick
        return [
            ({"method": method, "route": route, "status": str(status)}, value)
            for (method, route, status), value in sorted(found.items())
        ]


def family(name: str, kind: str, sentence: str, samples: Iterable[Sample]) -> str:
    """One metric with all of its samples."""
    lines = [f"# HELP {name} {sentence}", f"# TYPE {name} {kind}"]
    for labels, value in samples:
        inner = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        lines.append(f"{name}{{{inner}}} {_number(value)}" if inner else f"{name} {_number(value)}")
    return "\n".join(lines) + "\n"


def gauge(name: str, sentence: str, value: float) -> str:
    return family(name, "gauge", sentence, [({}, value)])


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
