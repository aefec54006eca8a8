"""Stopping the daemon, and waiting until it is gone (DIR-2)."""

import signal

from waiaas.cli.context import Context, Loaded
from waiaas.cli.running import running
from waiaas.core.errors import NotReady, TimedOut
from waiaas.core.layout import Layout
from waiaas.host.holder import Holder, lock_holder

GRACE = 5.0  # seconds on top of the daemon's own shutdown_timeout
LOOK = 0.1  # seconds between two looks at the lock


def not_running(context: Context) -> NotReady:
    return NotReady(
        "not-running", "the daemon is not running", f"{context.again('start --detach')} starts it"
    )


def stop(context: Context, loaded: Loaded) -> int:
    """Ask the daemon to stop and wait until its lock is free; its pid. Raises NotReady, TimedOut."""
    found = lock_holder(loaded.layout.daemon_lock)
    if found is None:
        raise not_running(context)
    patience = loaded.settings.daemon.shutdown_timeout + GRACE
    try:
        context.out.say(f"stopping the daemon (pid {found.pid})")
        found.signal(signal.SIGTERM)
        with context.out.activity("waiting", plain=False):
            gone = _gone(context, loaded.layout, found, patience)
        if not gone:
            raise TimedOut(
                "daemon-does-not-stop",
                f"the daemon (pid {found.pid}) did not stop within {patience:g} s",
                f"its log is {loaded.layout.log}; a second {context.again('stop')} makes it end at once",
            )
    finally:
        found.close()
    return found.pid


def _gone(context: Context, layout: Layout, found: Holder, patience: float) -> bool:
    """The process has ended, and whatever it was, nobody of that pid holds the lock any more."""
    clock = context.host.clock
    end = clock.monotonic() + patience
    found.wait(patience)
    return clock.until(lambda: running(layout) != found.pid, end - clock.monotonic(), LOOK)
