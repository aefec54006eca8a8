"""The service from its database on: start, wait, stop, each step a line in the log (DMN-1, DMN-2).

The caller holds `daemon.lock`, has brought the database up to date, installs the signal handlers,
writes `daemon.json` once `start` has returned, and releases the lock after `stop`.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

import waiaas
from waiaas.core.causes import advice, said
from waiaas.core.check import CheckOutcome
from waiaas.core.errors import NotReady, WaiaasError
from waiaas.core.layout import Layout
from waiaas.core.settings import Settings
from waiaas.daemon import jobs
from waiaas.daemon.app import App
from waiaas.daemon.database import Database
from waiaas.daemon.guard import HostGuard, TokenGuard
from waiaas.daemon.log import Log
from waiaas.daemon.metrics import Metrics
from waiaas.daemon.notify import STOPPING, notify, patience, saying
from waiaas.daemon.parts import Parts
from waiaas.daemon.probe import Probe
from waiaas.daemon.server import Server
from waiaas.daemon.workers import Workers
from waiaas.host.host import Host
from waiaas.host.locks import Gate
from waiaas.host.sqlite import SqlError
from waiaas.store import keyvalue, killswitch

CLOSING = 15.0  # seconds for workers and database, once the requests are answered
T = TypeVar("T")


class Service:
    """One daemon. `probation()`: an upgrade to this version has not committed; `check`: None is off."""

    def __init__(
        self,
        host: Host,
        layout: Layout,
        settings: Settings,
        log: Log,
        probation: Callable[[], bool],
        check: Callable[[], CheckOutcome] | None,
        open_run: Callable[[], Mapping[str, Any] | None] = lambda: None,
        how_to_upgrade: str = "Run: waiaas upgrade",
    ) -> None:
        """`open_run`: the upgrade run at work or interrupted, for page and metrics."""
        self._host = host
        self._layout = layout
        self._settings = settings
        self._log = log
        self._probation = probation
        self._check = check
        self._open_run = open_run
        self._how_to_upgrade = how_to_upgrade
        self._held = ExitStack()
        self._database: Database | None = None
        self._probe: Probe | None = None
        self._server: Server | None = None
        self._workers = Workers(log, host.clock)
        self._asked_end, self._asker = os.pipe2(os.O_CLOEXEC)
        self._forced = False

    @property
    def port(self) -> int:
        """The bound port."""
        return self._server.port if self._server else 0

    @property
    def socket_path(self) -> Path | None:
        """The private Unix socket; None where it could not be made."""
        return self._server.socket_path if self._server else None

    def start(self) -> None:
        """Database, HTTP, workers. Raises WaiaasError naming the step; nothing is left open then."""
        try:
            database = self._step("database", self._open_database)
            app = self._step("application", lambda: self._build(database))
            self._step("http", lambda: self._listen(app))
            self._step("workers", lambda: self._start_workers(database))
        except BaseException:
            self.stop()
            raise

    def wait(self) -> None:
        """Return once a stop was requested."""
        while not os.read(self._asked_end, 1):
            continue

    def request_stop(self, force: bool = False) -> None:
        """Safe in a signal handler. `force`: do not wait for requests in flight."""
        self._forced = self._forced or force
        os.write(self._asker, b"\0")

    def stop(self) -> None:
        """Drain, stop the workers, checkpoint, close, in this order. Safe to call twice."""
        if self._probe is not None:
            self._probe.drain()
        grace = self._settings.daemon.shutdown_timeout
        state = saying("answering what is in flight", STOPPING, patience(grace + CLOSING))
        notify(self._host.environ, state)
        if self._server is not None:
            clean = self._server.stop(self._settings.daemon.shutdown_timeout, lambda: self._forced)
            self._log.info("stop: http closed" if clean else "stop: http closed, requests were cut off")
            self._server = None
        if late := self._workers.stop_all(0.0 if self._forced else 5.0):
            self._log.warning(f"stop: workers still running: {', '.join(late)}")
        if self._database is not None:
            self._database.close(0.0 if self._forced else 5.0)
            self._database = None
            self._log.info("stop: database closed")
        self._held.close()

    def _step(self, name: str, action: Callable[[], T]) -> T:
        try:
            return action()
        except (OSError, SqlError) as problem:
            self._log.error(f"start: {name} failed: {problem}")
            raise WaiaasError(
                f"start-{name}", f"the daemon could not start, step {name}: {said(problem)}", advice(problem)
            ) from problem
        except WaiaasError as problem:
            self._log.error(f"start: {name} failed: {problem.message}", code=problem.code)
            raise

    def _open_database(self) -> Database:
        self._held.enter_context(Gate(self._layout.gate, self._host.clock).shared())
        path = self._layout.database
        if path.exists() and not os.access(path, os.W_OK):  # SQLite opens it all the same, to read
            raise WaiaasError(
                "database-read-only",
                f"{path} cannot be written",
                "see `ls -l`, `lsattr` and `findmnt -T` of it",
            )
        database = Database(path)
        self._database = database
        with database.writing() as connection:
            if keyvalue.get(connection, killswitch.STATE) is None:  # a first start, as ever (not a migration)
                keyvalue.put(connection, killswitch.STATE, "ACTIVE", self._host.clock.seconds())
        self._probe = Probe(database, self._host.clock, self._probation)
        self._log.info("start: database open", schema=self._probe.report().schema_version)
        return database

    def _build(self, database: Database) -> App:
        token = self._token()
        self._log.hide(token)
        assert self._probe is not None  # noqa: S101 -- made with the database
        parts = Parts(
            self._host.clock,
            self._layout,
            self._log,
            database,
            self._probe,
            self._workers,
            Metrics(),
            self._probation,
            lambda: self.port,
            self._open_run,
            lambda: self._server.connections if self._server else {},
            self._how_to_upgrade,
        )
        daemon = self._settings.daemon
        return App(parts, HostGuard((daemon.hostname, *daemon.allowed_hosts)), TokenGuard(token))

    def _token(self) -> str:
        """The administration token. Raises NotReady "no-token"."""
        try:
            token = self._layout.admin_token.read_text("ascii").strip()
        except (FileNotFoundError, UnicodeDecodeError):
            token = ""
        if not token:
            raise NotReady(
                "no-token",
                f"there is no administration token in {self._layout.admin_token}",
                "run: waiaas init",
            )
        return token

    def _listen(self, app: App) -> None:
        host, daemon = self._host, self._settings.daemon
        server = Server(app, daemon, host.clock, self._log, self._layout.socket, host.environ)
        server.start()
        self._server = server
        self._log.info(f"start: http on {self._settings.daemon.hostname}:{server.port}")

    def _start_workers(self, database: Database) -> None:
        assert self._probe is not None  # noqa: S101 -- made with the database
        probe, clock, log, how = self._probe, self._host.clock, self._log, self._how_to_upgrade
        self._workers.register(
            "wal-checkpoint", jobs.CHECKPOINT_INTERVAL, lambda: jobs.wal_checkpoint(database)
        )
        if (check := self._check) is not None and self._settings.daemon.update_check:
            self._workers.register(
                "version-check",
                self._settings.daemon.update_check_interval,
                lambda: jobs.version_check(check, database, probe, clock, log, how),
                run_immediately=True,
            )
        self._workers.start_all()
        names = ", ".join(worker.name for worker in self._workers.all())
        log.info(f"start: workers {names}", version=waiaas.__version__)
