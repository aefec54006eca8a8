"""The child's end of what `Processes.begin` holds: a pipe as our stdin, which hangs up when our parent dies
(UPGR-06). By itself, because the daily check needs nothing else of `processes` (PRF-12)."""

import os
import select
import stat
import threading

ORPHANED = 1  # exit code that nobody is left to read


def orphaned() -> bool:
    """Whoever started us so is dead. False for a process started by anybody else."""
    return _hung_up(0)


def die_with_parent() -> None:
    """From here on, end as soon as `orphaned`: nobody undoes a run while its child still acts."""
    if not _is_pipe():
        return
    if orphaned():
        os._exit(ORPHANED)
    threading.Thread(target=lambda: _hung_up(None) and os._exit(ORPHANED), daemon=True).start()


def await_word() -> None:
    """Return once whoever began us says `go_on`; without him there is nothing to wait for."""
    if not os.read(0, 1):
        os._exit(ORPHANED)


def _is_pipe() -> bool:
    try:
        return stat.S_ISFIFO(os.fstat(0).st_mode)
    except OSError:
        return False


def _hung_up(milliseconds: int | None) -> bool:
    """The other end of our stdin, a pipe, is closed; None waits for it."""
    if not _is_pipe():
        return False
    poll = select.poll()
    poll.register(0, 0)  # POLLHUP is reported unasked
    return any(event & select.POLLHUP for _, event in poll.poll(milliseconds))
