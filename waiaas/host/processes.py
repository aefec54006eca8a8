"""Other processes: the children we start, and the signals we hear."""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from waiaas.core.layout import FILE_MODE
from waiaas.core.value import frozen

if TYPE_CHECKING:
    import subprocess

    from waiaas.host.owner import Owner

STOPPING = (signal.SIGTERM, signal.SIGINT)
PRIVATE = {"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "LISTEN_FDS", "LISTEN_PID"}  # ours alone


@frozen
class Finished:
    """What a child left: exit code (negative: killed by that signal), and its two streams."""

    code: int
    stdout: str
    stderr: str


class Leash:
    """Ends a child of `Processes.run` from another thread, also one that is only about to be started."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self.cut_off = False

    def hold(self, child: "subprocess.Popen[bytes]") -> None:
        with self._lock:
            self._child = child
            if self.cut_off:
                child.kill()

    def cut(self) -> None:
        """SIGKILL the child that runs, and each one that comes."""
        with self._lock:
            self.cut_off = True
            if self._child is not None:
                self._child.kill()


class Begun:
    """A child of `Processes.begin`. Its stdin is its lifeline: it hangs up when we die, or say so."""

    def __init__(self, child: "subprocess.Popen[bytes]", lifeline: int) -> None:
        self.child = child
        self._lifeline = lifeline

    def go_on(self) -> None:
        """The word that a child waits for in `lifeline.await_word`; one that is gone needs none."""
        with suppress(BrokenPipeError):
            os.write(self._lifeline, b"\n")

    def end(self, timeout: float) -> Finished:
        """Wait for its end; at the deadline it is killed."""
        from subprocess import TimeoutExpired

        try:
            out, err = self.child.communicate(timeout=timeout)
        except TimeoutExpired:
            self.child.kill()
            out, err = self.child.communicate()
        return Finished(self.child.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))

    def close(self) -> None:
        """It is gone afterwards, whatever it was about. Idempotent."""
        if self._lifeline < 0:
            return
        self.child.kill()
        with self.child:
            os.close(self._lifeline)
            self._lifeline = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Processes:
    """Starts children without `PYTHON*` variables and signals only proven lock holders."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = {k: v for k, v in environ.items() if not k.startswith("PYTHON") and k not in PRIVATE}

    def run(
        self,
        argv: Sequence[str],
        timeout: float,
        pass_fds: Sequence[int] = (),
        owner: "Owner | None" = None,
        leash: Leash | None = None,
    ) -> Finished:
        """Run a child to its end, as `owner` if there is one; at the deadline it is killed and `code`
        is -SIGKILL; so it is when the `leash` is cut. Its stdin ends when we do: see `lifeline`."""
        with self.begin(argv, pass_fds, owner) as begun:
            if leash is not None:
                leash.hold(begun.child)
            return begun.end(timeout)

    def begin(self, argv: Sequence[str], pass_fds: Sequence[int] = (), owner: "Owner | None" = None) -> Begun:
        """Start a child whose stdin ends when we do, as `owner` if there is one. The caller closes it."""
        import subprocess

        theirs, ours = os.pipe()
        try:
            child = subprocess.Popen(
                list(argv),
                stdin=theirs,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self._environ,
                pass_fds=tuple(pass_fds),
                start_new_session=True,
                **_becoming(owner),
            )
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        return Begun(child, ours)

    def spawn(
        self,
        argv: Sequence[str],
        log: Path,
        extra: Mapping[str, str] | None = None,
        owner: "Owner | None" = None,
    ) -> int:
        """Start a process that outlives us, as `owner` if there is one, its output appended to `log`;
        returns its pid."""
        import subprocess

        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        from waiaas.host.owner import acting_as

        with acting_as(owner):
            opened = os.open(log, flags, FILE_MODE)
        with os.fdopen(opened, "ab") as stream:
            child = subprocess.Popen(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                env={**self._environ, **(extra or {})},
                start_new_session=True,
                **_becoming(owner),
            )
        child.returncode = 0  # its life is followed by its lock, never by wait(2)
        return child.pid

    def relay(self, argv: Sequence[str], pass_fds: Sequence[int] = ()) -> int:
        """Run a child on our own streams and return its exit code. It goes on if we are killed."""
        import subprocess

        child = subprocess.Popen(list(argv), env=self._environ, pass_fds=tuple(pass_fds))
        with child, _ignoring(signal.SIGINT):  # it hears Ctrl-C itself, and says what comes of it
            return child.wait()

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """While undoing, neither Ctrl-C, SIGTERM nor a closed terminal may interrupt."""
        with _ignoring(signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            yield

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """A terminal that closes does not stop a run half-way. Ctrl-C and SIGTERM do, as KeyboardInterrupt,
        and once: what follows is undoing, and nobody interrupts that."""

        def interrupt(*_: object) -> None:
            for number in STOPPING:
                signal.signal(number, signal.SIG_IGN)
            raise KeyboardInterrupt

        with _ignoring(signal.SIGHUP), _handling(interrupt, *STOPPING):
            yield

    def kill(self, pid: int) -> None:
        """SIGKILL a child of ours and everything in the session that `spawn` gave it."""
        for stop in (os.killpg, os.kill):
            with suppress(ProcessLookupError):
                stop(pid, signal.SIGKILL)

    def replace_self(self, argv: Sequence[str], environ: Mapping[str, str]) -> None:
        """exec(2): become another version of ourselves, with the environment we were given."""
        kept = {k: v for k, v in environ.items() if not k.startswith("PYTHON")}
        os.execve(argv[0], list(argv), kept)

    def on_stop(self, stop: Callable[[], None]) -> None:
        """SIGTERM and SIGINT ask to stop, a second one forces; a closed terminal does nothing (DMN-2).

        `stop` is called in a thread: Python runs handlers in the main thread only, where a signal that
        comes just before a blocking call would wait for ever.
        """
        heard, wake = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        os.set_blocking(heard, True)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        for number in STOPPING:
            signal.signal(number, lambda *_: None)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        threading.Thread(target=_listen, args=(heard, stop), name="signals", daemon=True).start()


def _listen(heard: int, stop: Callable[[], None]) -> None:
    """Each byte is the number of a signal that came."""
    asked = False
    while True:
        number = os.read(heard, 1)[0]
        if number in STOPPING and asked:
            os._exit(128 + number)
        if number in STOPPING:
            asked = True
            stop()


def _becoming(owner: "Owner | None") -> dict[str, Any]:
    if owner is None:
        return {}
    return {"user": owner.uid, "group": owner.gid, "extra_groups": list(owner.groups)}


def _ignoring(*numbers: signal.Signals) -> AbstractContextManager[None]:
    return _handling(signal.SIG_IGN, *numbers)


@contextmanager
def _handling(handler: Any, *numbers: signal.Signals) -> Iterator[None]:
    """What is ignored already stays so: whoever started us wanted that."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
    before = [(number, signal.signal(number, handler)) for number in heard]
    try:
        yield
    finally:
        for number, restored in before:
            signal.signal(number, restored)
