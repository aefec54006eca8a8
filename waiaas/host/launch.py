"""Starting a daemon that outlives us, and waiting until it says that it is ready."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from waiaas.core.errors import Exit, TimedOut, WaiaasError
from waiaas.core.words import PORT_TAKEN
from waiaas.host.host import Host
from waiaas.host.owner import Owner, acting_as
from waiaas.host.ready import Child, ReadySocket

TAIL = 4096  # bytes of the log that an error looks at
ERROR, HINT = "waiaas: error: ", "hint: "  # as `cli/output.py` writes them


def launch(
    host: Host,
    argv: Sequence[str],
    log: Path,
    seconds: float,
    owner: Owner | None = None,
    environ: Mapping[str, str] | None = None,
) -> int:
    """Start `argv` in a session of its own, as `owner`, and return its pid once it has said READY=1. It has
    `seconds` for that, or as many as it asks for: who migrates or recovers must not be killed for it.
    `environ` is added to our own environment.

    Raises `WaiaasError` "daemon-ended", or "port-in-use", with the daemon's own words and exit code, or
    `TimedOut`; then the process is gone.
    """
    with acting_as(owner):
        host.files.make_directory("log", log.parent)
        begun = log.stat().st_size if log.exists() else 0
    with ReadySocket() as ready:
        extra = {**(environ or {}), "NOTIFY_SOCKET": ready.name}
        pid = host.processes.spawn(argv, log, extra=extra, owner=owner)
        child = Child(pid)
        try:
            _await(host, ready, child, seconds, lambda: _lines(log, begun, owner))
        finally:
            child.close()
    return pid


def _await(
    host: Host, ready: ReadySocket, child: Child, seconds: float, said: Callable[[], list[str]]
) -> None:
    began = host.clock.monotonic()
    granted = seconds
    while True:
        heard = ready.wait(child, began + granted - host.clock.monotonic())
        if heard == "ready":
            return
        if heard == "ended":
            raise ended(child.exit_code(), said())
        if heard == "more":
            granted = max(seconds, host.clock.monotonic() - began + ready.asked)
        if heard == "timeout":
            host.processes.kill(child.pid)
            child.ended(5.0)
            child.exit_code()
            within = f"{round(granted, 1):g} s{_last(said())}"
            raise TimedOut("not-ready", f"the daemon was not ready within {within}")


def ended(code: int | None, lines: list[str]) -> WaiaasError:
    """What the daemon said on its stderr when it gave up: its sentence, its hint, its exit code (CLI-3)."""
    lines = ["".join(letter if letter.isprintable() else "?" for letter in line) for line in lines]
    said = [number for number, line in enumerate(lines) if line.startswith(ERROR)]
    if said:
        hints = [line.removeprefix(HINT) for line in lines[said[-1] :] if line.startswith(HINT)]
        why = lines[said[-1]].removeprefix(ERROR)
        code_of_it = "port-in-use" if why.startswith(PORT_TAKEN) else "daemon-ended"
        problem = WaiaasError(code_of_it, f"the daemon did not start: {why}", "".join(hints[:1]))
    else:
        how = describe_exit(code)
        problem = WaiaasError("daemon-ended", f"the daemon ended at once with {how}{_last(lines)}")
    problem.exit_code = Exit(code) if code in tuple(Exit)[1:] else Exit.FAILED
    return problem


def describe_exit(code: int | None) -> str:
    if code is None:
        return "no exit code"
    return f"exit code {code}" if code >= 0 else f"signal {-code}"


def _lines(log: Path, begun: int, owner: Owner | None) -> list[str]:
    """What the daemon logged since `begun`, as far as an error message needs it."""
    try:
        with acting_as(owner), log.open("rb") as stream:
            stream.seek(max(begun, log.stat().st_size - TAIL))
            return stream.read().decode("utf-8", "replace").strip().splitlines()
    except OSError:
        return []


def _last(lines: list[str]) -> str:
    return f": {lines[-1][:300]}" if lines else ""
