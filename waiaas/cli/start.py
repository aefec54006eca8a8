"""`waiaas start`: settings → lock → open run → database → HTTP → workers → ready (DMN-1)."""

import argparse
import gc
import json
import os
import sys
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from waiaas import __version__
from waiaas.cli.announce import announce
from waiaas.cli.context import Context, Loaded
from waiaas.cli.legacy import refuse_legacy_daemon
from waiaas.cli.output import Result
from waiaas.cli.status_text import how_to_upgrade
from waiaas.cli.underway import open_run
from waiaas.cli.unit import standing
from waiaas.core.check import CheckAbandoned, CheckOutcome
from waiaas.core.errors import Busy, Exit, WaiaasError
from waiaas.core.layout import Layout
from waiaas.daemon.log import Log, stream_log
from waiaas.daemon.logfile import file_log
from waiaas.daemon.notify import READY, notify, patience, saying
from waiaas.daemon.serve import Service
from waiaas.host.locks import Lock, holder
from waiaas.host.processes import Leash
from waiaas.store.inspect import inspect
from waiaas.store.settle import forget_staging
from waiaas.store.unfinished import forget_unfinished
from waiaas.upgrade import book, cache

if TYPE_CHECKING:
    from waiaas.upgrade.place import Place

CHECK_DEADLINE = 5.0  # seconds for one version check, process included (VCHK-03)


def run(args: argparse.Namespace, context: Context) -> Result:
    if args.detach and not args.init:
        from waiaas.cli import service

        if through := service.start(context):
            return through
    if os.geteuid() == 0:
        _hand_over(context)
    return detached(args, context) if args.detach else foreground(args, context)


def _hand_over(context: Context) -> None:
    """Root finishes an interrupted upgrade, which the daemon's user may not, and becomes that user."""
    from waiaas.cli import rights

    program = context.program
    if program is not None and book.open_run(program) is not None:
        from waiaas.upgrade.standing import supervised

        if not supervised(program):
            from waiaas.upgrade import presence

            presence.recover_before_start(_place(context, rights.load(context)), 0.0)
    rights.become_owner(context)


def detached(args: argparse.Namespace, context: Context) -> Result:
    """Start the daemon in a session of its own and return once it says it is ready."""
    from waiaas.host.launch import launch

    loaded = _load(args, context)
    refuse_legacy_daemon(context.host, loaded.layout, loaded.settings)
    _take(context, loaded).release()
    argv, _ = _again(context, loaded, installed=True)
    with context.out.activity("starting", plain=False):
        launch(context.host, argv, loaded.layout.log, loaded.settings.upgrade.health_timeout)
    return told(json.loads(loaded.layout.daemon_json.read_text()))


def told(known: dict[str, Any]) -> Result:
    """Of a daemon that has just become ready, as it has written down."""
    text = f"waiaas {known['version']} is running (pid {known['pid']}) on {known['hostname']}:{known['port']}"
    return Result({name: known[name] for name in ("pid", "version", "port")}, text)


def _take(context: Context, loaded: Loaded) -> Lock:
    """The daemon's lock. Raises `Busy` "locked" with what to do about the one that has it."""
    try:
        return Lock.acquire(loaded.layout.daemon_lock, "daemon")
    except Busy as problem:
        hint = f"{context.again('status')} shows it; {context.again('restart')} makes it start again"
        raise Busy(problem.code, problem.message, hint) from problem


def foreground(args: argparse.Namespace, context: Context) -> Result:
    """Serve until told to stop. Each step logs one line; a failure says which step it was."""
    loaded = _load(args, context)
    layout = loaded.layout
    refuse_legacy_daemon(context.host, layout, loaded.settings)
    log = _log(context, loaded, args.background)
    log.info("step 1: settings read", dataDir=str(layout.data_dir), version=__version__)
    try:
        with _take(context, loaded) as lock:
            log.info("step 2: lock taken", pid=os.getpid())
            return _serve(context, loaded, lock, log, args.background)
    except WaiaasError as problem:
        log.error(f"the daemon stops: {problem.message}", code=problem.code, hint=problem.hint)  # noqa: TRY400
        raise


def _serve(context: Context, loaded: Loaded, lock: Lock, log: Log, background: bool) -> Result:
    probation = Event()
    _settle(context, loaded, lock, log, probation)
    if context.program is not None and context.host.program.replaced_at(context.program.program):
        log.info("the installed program is another version: becoming that one")
        lock.release()
        _become_installed(context, loaded, background)
    log.info("step 3: no interrupted upgrade" if not probation.is_set() else "step 3: serving in probation")
    _database(context, loaded, log)
    leash = Leash()
    check = _checker(context, loaded, leash)
    host, layout, settings = context.host, loaded.layout, loaded.settings
    how = how_to_upgrade(context, loaded)
    service = Service(host, layout, settings, log, probation.is_set, check, lambda: open_run(context), how)
    stopping, orphan = Event(), Event()

    def stop() -> None:
        stopping.set()
        service.request_stop()

    context.host.processes.on_stop(stop)
    gc.set_threshold(20000, 20, 50)  # from here on, for good, there is something to collect
    service.start()
    try:
        announce(context, loaded, service, background)
        told = standing(settings.daemon.hostname, service.port, probation.is_set())
        notify(context.host.environ, saying(told, READY))
        log.info("ready", port=service.port)
        if probation.is_set() or _overseen(context):  # only now: what it reads would be silence (PRF-10)
            from waiaas.cli.watch import Watch

            where, name = _place(context, loaded), settings.daemon.hostname
            watch = Watch(where, name, service, probation, stopping, orphan, log)
            Thread(target=watch.run, name="run", daemon=True).start()
        service.wait()
    finally:
        stopping.set()
        leash.cut()
        service.stop()
        cache.sweep(context.host.files, loaded.layout.feed)
        context.host.files.remove("daemon.json", loaded.layout.daemon_json)
    log.info("stopped")
    return Result({"stopped": True}, "", Exit.ROLLBACK_FAILED if orphan.is_set() else Exit.OK)


def _load(args: argparse.Namespace, context: Context) -> Loaded:
    loaded = context.load(uninitialised_ok=args.init)
    if args.init and not loaded.initialised and not loaded.legacy:
        from waiaas.cli.init import initialise

        initialise(context, loaded)
        loaded = context.load()
    return loaded


def _log(context: Context, loaded: Loaded, background: bool) -> Log:
    """In the background into the rotated file; else to stderr, for a terminal or a service manager."""
    host, daemon = context.host, loaded.settings.daemon
    if background:
        level, form = daemon.log_level, daemon.log_format
        return file_log(host.clock, host.files, loaded.layout.log, level, form, detached=True)
    return stream_log(host.clock, sys.stderr, host.environ, daemon.log_level, daemon.log_format)


def _settle(context: Context, loaded: Loaded, lock: Lock, log: Log, probation: Event) -> None:
    """No upgrade run stands in our way afterwards. Where there never was one, or the one at work waits for
    us, little of `upgrade` is read (PRF-5, PRF-10)."""
    program = context.program
    if program is None or (book.open_run(program) is None and not book.history(program)):
        return
    from waiaas.upgrade.standing import awaits

    if awaits(program, str(loaded.layout.data_dir)):
        probation.set()
        return
    from waiaas.cli.watch import announce_recovery, await_decision
    from waiaas.upgrade import presence

    where = _place(context, loaded)
    announce_recovery(where)
    if presence.settle_before_start(where, lock):
        probation.set()
    await_decision(where, lock, context.gate(loaded.layout), log)


def _overseen(context: Context) -> bool:
    """Somebody is at work on the program, and may have started us."""
    return context.program is not None and holder(context.program.lock) is not None


def _place(context: Context, loaded: Loaded) -> "Place":
    """Where upgrade runs happen."""
    from waiaas.cli import place as places
    from waiaas.upgrade.report import Silent

    return places.place(context, loaded, Silent())


def _again(context: Context, loaded: Loaded, *, installed: bool) -> tuple[list[str], tuple[int, ...]]:
    """argv to start this daemon again, as the installed file or as exactly this version."""
    layout = loaded.layout
    offline = ("--offline",) if context.flags.offline else ()
    words = ("--data-dir", str(layout.data_dir), "--config", str(layout.config), *offline)
    words = (*words, "start", "--background")
    program = context.host.program
    if installed and context.program is not None:
        return program.version_at(context.program.program, *words), ()
    return program.same_version(*words)


def _become_installed(context: Context, loaded: Loaded, background: bool) -> None:
    """Recovery put another version at the program's path: that one has to serve these data."""
    argv, _ = _again(context, loaded, installed=True)
    if not background:
        argv.remove("--background")
    context.host.processes.replace_self(argv, context.host.environ)


def _database(context: Context, loaded: Loaded, log: Log) -> None:
    host, layout = context.host, loaded.layout
    if not loaded.adopted:
        inspect(layout.database, context.gate(layout)).require()  # what is refused is not adopted either
        from waiaas.cli.adopt import adopt

        adopt(host, loaded)
        log.info("adopted the data directory of the previous implementation")
    forget_unfinished(layout)
    forget_staging(host.files, layout)
    cache.sweep(host.files, layout.feed)
    found = inspect(layout.database, context.gate(layout))
    found.require()
    if found.action != "ok":
        _migrate(context, loaded, log)
    if context.program is not None and book.history(context.program):
        from waiaas.upgrade import child
        from waiaas.upgrade.place import make_run

        child.record(make_run(_place(context, loaded), _record_plan(layout)))
    log.info("step 4: database ready", path=str(layout.database))


def _migrate(context: Context, loaded: Loaded, log: Log) -> None:
    """A service manager must not take a long migration for a daemon that hangs."""
    from waiaas.store.migrate import bring_up_to_date
    from waiaas.upgrade import child

    host = context.host
    notify(host.environ, saying("migrating the database", patience(child.PATIENCE)))
    made = bring_up_to_date(host.files, host.clock, loaded.layout, loaded.settings.upgrade.keep_backups)
    if made is not None:
        log.info("migrated the database; the old one is kept", backup=str(made.path))


def _record_plan(layout: Layout) -> dict[str, Any]:
    return {"dataDir": str(layout.data_dir), "database": str(layout.database), "config": str(layout.config)}


def _checker(context: Context, loaded: Loaded, leash: Leash) -> Any:
    """The version check, in a child that is killed at its deadline (FEED-10) and at our own end; None:
    switched off."""
    if not loaded.settings.daemon.update_check or context.offline:
        return None

    def check() -> CheckOutcome:
        words = ("--data-dir", str(loaded.layout.data_dir), "--config", str(loaded.layout.config))
        argv, descriptors = context.host.program.same_version(*words, "--json", "step", "check")
        finished = context.host.processes.run(argv, CHECK_DEADLINE, descriptors, leash=leash)
        if leash.cut_off:
            raise CheckAbandoned
        try:
            return CheckOutcome.from_json(json.loads(finished.stdout))
        except (ValueError, KeyError, TypeError, WaiaasError):
            why = "ran out of time" if finished.code == -9 else "gave no answer"
            return CheckOutcome(latest=None, withdrawn=None, error=f"the version check {why}")

    return check
