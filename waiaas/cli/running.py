"""The running daemon, recognised by the lock it holds, and what it wrote down (DIR-2)."""

from waiaas.core.layout import Layout
from waiaas.host.records import rightful_holder

TYPE_CHECKING = False  # importing `typing` is one of the things that every command saves (PRF-3)
if TYPE_CHECKING:
    from typing import Any


def running(layout: Layout) -> int | None:
    """The daemon's pid, or None."""
    return rightful_holder(layout.daemon_lock)


def known(layout: Layout) -> "dict[str, Any]":
    """What `daemon.json` says: a description, never a proof. Empty where there is none."""
    import json

    try:
        document = json.loads(layout.daemon_json.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}
