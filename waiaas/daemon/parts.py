"""What a handler is given: the parts of the daemon, and the call it answers."""

from collections.abc import Callable, Mapping
from typing import Any

from waiaas.core.layout import Layout
from waiaas.core.value import field, frozen
from waiaas.daemon.database import Database
from waiaas.daemon.log import Log
from waiaas.daemon.metrics import Metrics
from waiaas.daemon.probe import Probe
from waiaas.daemon.wire import Request
from waiaas.daemon.workers import Workers
from waiaas.host.clock import Clock

ACTOR = "admin"  # who the audit log says it was: whoever holds the token


@frozen
class Parts:
    """`probation()` is true while an upgrade to this version has not committed; `port()` is bound;
    `open_run()` is the upgrade run at work or interrupted, as `waiaas status` tells it; `connections()`
    counts those open now, by the door they came through; `how_to_upgrade` tells a person what to do."""

    clock: Clock
    layout: Layout
    log: Log
    database: Database
    probe: Probe
    workers: Workers
    metrics: Metrics
    probation: Callable[[], bool]
    port: Callable[[], int]
    open_run: Callable[[], Mapping[str, Any] | None] = lambda: None
    connections: Callable[[], Mapping[str, int]] = dict
    how_to_upgrade: str = "Run: waiaas upgrade"


@frozen
class Call:
    """One request to one route: `path` holds the values of `{…}`, `query` and `body` were checked."""

    request: Request
    path: dict[str, str] = field(default_factory=dict)
    query: dict[str, object] = field(default_factory=dict)
    body: dict[str, object] = field(default_factory=dict)
    authorised: bool = False
