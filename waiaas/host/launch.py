"""Starting a daemon that outlives us, and waiting until it says that it is ready."""

from collections.abc import Sequence
from pathlib import Path

from waiaas.core.errors import TimedOut, WaiaasError
from waiaas.host.host import Host
from waiaas.host.ready import Child, ReadySocket

TAIL = 4096  # bytes of the log that an error looks at


def launch(host: Host, argv: Sequence[str], log: Path, seconds: float) -> int:
    """Start `argv` in a session of its own and return its pid once it has said READY=1.

    Raises `WaiaasError` "daemon-ended" with the last line it logged, or `TimedOut`; then the
    process is gone.
    """
    host.files.make_directory("log", log.parent)
    begun = log.stat().st_size if log.exists() else 0
    with ReadySocket() as ready:
        pid = host.processes.spawn(argv, log, extra={"NOTIFY_SOCKET": ready.name})
        child = Child(pid)
        try:
            _await(host, ready, child, seconds, log, begun)
        finally:
            child.close()
    return pid


def _await(host: Host, ready: ReadySocket, child: Child, seconds: float, log: Path, begun: int) -> None:
    end = host.clock.monotonic() + seconds
    while True:
        heard = ready.wait(child, end - host.clock.monotonic())
        if heard == "ready":
            return
        if heard == "ended":
            how = describe_exit(child.exit_code())
            raise WaiaasError("daemon-ended", f"the daemon ended at once with {how}{_last_words(log, begun)}")
        if heard == "timeout":
            host.processes.kill(child.pid)
            child.ended(5.0)
            child.exit_code()
            raise TimedOut(
                "not-ready", f"the daemon was not ready within {seconds:g} s{_last_words(log, begun)}"
            )


def describe_exit(code: int | None) -> str:
    if code is None:
        return "no exit code"
    return f"exit code {code}" if code >= 0 else f"signal {-code}"


def _last_words(log: Path, begun: int) -> str:
    """The last line the daemon logged since `begun`, for the error message."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(begun, log.stat().st_size - TAIL))
            lines = stream.read().decode("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    return f": {lines[-1][:300]}" if lines else ""
