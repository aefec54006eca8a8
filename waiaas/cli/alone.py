"""Working on the database with nobody else around: no daemon, no upgrade, no interrupted run."""

from collections.abc import Iterator
from contextlib import contextmanager

from waiaas.cli.context import Context, Loaded
from waiaas.cli.legacy import refuse_legacy_daemon
from waiaas.cli.running import running
from waiaas.core.errors import Busy, RollbackFailed, WaiaasError
from waiaas.host.locks import Lock


@contextmanager
def alone(context: Context, loaded: Loaded) -> Iterator[None]:
    """Hold the locks of run and daemon, after finishing what a kill left open (UPGR-06).

    Raises `Busy`, RollbackFailed where another user has to recover, "recovered" where recovery made
    another version the installed one, which then has to do the work.
    """
    _refuse_daemon(context, loaded)
    refuse_legacy_daemon(context.host, loaded.layout, loaded.settings)
    _recover(context, loaded)
    with (
        Lock.acquire(loaded.layout.run_lock, "upgrade or restore of this data directory"),
        Lock.acquire(loaded.layout.daemon_lock, "daemon"),
    ):
        yield


def _refuse_daemon(context: Context, loaded: Loaded) -> None:
    pid = running(loaded.layout)
    if pid is not None:
        raise Busy(
            "daemon-running",
            f"the daemon is running (pid {pid}), so nothing was changed",
            f"{context.again('stop')}, then try again",
        )


def _recover(context: Context, loaded: Loaded) -> None:
    from waiaas.upgrade.book import open_run

    if context.program is None or open_run(context.program) is None:
        return
    from waiaas.cli.place import place
    from waiaas.upgrade import decision, neighbour, presence, story
    from waiaas.upgrade.place import locked
    from waiaas.upgrade.report import Silent

    where = place(context, loaded, Silent())
    try:
        with locked(where):
            story.recover(where, restart=False)
    except neighbour.OutOfReach:
        if decision.undecided(where) is not None:
            raise  # the version that would do the work here may yet be taken back
    except PermissionError as problem:
        raise RollbackFailed(
            "recovery-needs-owner",
            f"an interrupted upgrade has to be finished by the owner of {context.program.program}",
            f"sudo {context.program.program} --data-dir {loaded.layout.data_dir} upgrade --recover",
        ) from problem
    if presence.program_changed(where):
        raise WaiaasError(
            "recovered",
            "an interrupted upgrade was undone first, and another version is installed again",
            "run the command again",
        )
