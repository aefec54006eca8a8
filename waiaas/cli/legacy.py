"""The previous implementation's daemon: recognised where it still runs, and then left alone (DIR-4)."""

import json

from waiaas.core.errors import Busy
from waiaas.core.layout import Layout
from waiaas.core.settings import Settings
from waiaas.host.host import Host
from waiaas.host.problems import NetworkProblem

FRESH = 15.0  # seconds; it touches its lock every 5, and calls it stale after 10
PATIENCE = 1.0  # seconds for its port to answer


def refuse_legacy_daemon(host: Host, layout: Layout, settings: Settings) -> None:
    """Raise `Busy` (exit 75) while the old daemon runs on this directory. A lock that a kill left
    behind goes stale by itself and is no obstacle."""
    if legacy_daemon_running(host, layout, settings):
        raise Busy(
            "legacy-daemon-running",
            f"the previous implementation of WAIaaS still runs on {layout.data_dir}: stop it first",
            "stop it with its own `waiaas stop` or its service manager, then try again",
        )


def legacy_daemon_running(host: Host, layout: Layout, settings: Settings) -> bool:
    return lock_is_fresh(host, layout) or (_was_legacy(layout) and _port_answers_as_legacy(settings))


def lock_is_fresh(host: Host, layout: Layout) -> bool:
    try:
        return abs(host.clock.now() - layout.legacy_lock.stat().st_mtime) < FRESH
    except OSError:
        return False


def _was_legacy(layout: Layout) -> bool:
    """Only such a directory can have an old daemon; another one's port is none of our business."""
    try:
        marked = json.loads(layout.installation.read_text())
    except (OSError, ValueError):
        return layout.database.exists() or layout.config.exists()
    return isinstance(marked, dict) and marked.get("adoptedFrom") is not None


def _port_answers_as_legacy(settings: Settings) -> bool:
    if not settings.daemon.port:
        return False
    from waiaas.host.http import local_health

    try:
        _, body = local_health(settings.daemon.hostname, settings.daemon.port, PATIENCE)
        answer = json.loads(body)
    except (NetworkProblem, ValueError, OSError):
        return False
    return isinstance(answer, dict) and "version" in answer and "implementation" not in answer
