"""The daemon looks at itself: once a second at the database, else from memory (HLTH-02)."""

import threading
from collections.abc import Callable

import waiaas
from waiaas.core.compat import LATEST_SCHEMA_VERSION
from waiaas.core.errors import WaiaasError
from waiaas.core.health import HealthReport, Observed, evaluate
from waiaas.daemon.database import Database
from waiaas.daemon.reply import CLOSE, document, encode
from waiaas.host.clock import Clock
from waiaas.host.sqlite import Connection, SqlError
from waiaas.store.keyvalue import StoredCheck, stored_check

NOTHING_STORED = StoredCheck(None, None, None, None, None)


class Probe:
    """`report()` may read the database; `answer()` never does and never waits."""

    def __init__(self, database: Database, clock: Clock, probation: Callable[[], bool]) -> None:
        self._database = database
        self._clock = clock
        self._probation = probation
        self._started = clock.monotonic()
        self._lock = threading.Lock()
        self._second = -1  # the Unix second that the cached report and answers belong to
        self._report: HealthReport | None = None
        self._answers: tuple[bytes, bytes] = (b"", b"")
        self._schema = 0  # the last one read
        self._draining = False

    @property
    def draining(self) -> bool:
        """True once the daemon is stopping; `/health` says "stopping", `/readyz` 503."""
        return self._draining

    def drain(self) -> None:
        self._draining = True
        self.forget()

    @property
    def uptime(self) -> float:
        """Seconds."""
        return self._clock.monotonic() - self._started

    def forget(self) -> None:
        """Something changed: the next report is a fresh one."""
        self._second = -1

    def report(self) -> HealthReport:
        """At most a second old."""
        with self._lock:
            second = self._clock.seconds()
            if self._report is None or self._second != second:
                self._report = self._look(second)
                self._answers = self._encode(self._report)
                self._second = -1 if self._draining else second
            return self._report

    def answer(self, *, keep_alive: bool) -> bytes | None:
        """The whole HTTP/1.1 response if this second's is at hand; None: ask `report` in the pool."""
        if self._second != self._clock.seconds():
            return None
        return self._answers[0 if keep_alive else 1]

    def _look(self, second: int) -> HealthReport:
        schema, stored = self._read()
        self._schema = self._schema if schema is None else schema
        return evaluate(
            Observed(
                version=waiaas.__version__,
                schema=self._schema,
                expected_schema=LATEST_SCHEMA_VERSION,
                uptime=self.uptime,
                now=second,
                readable=schema is not None,
                latest=stored.latest,
                withdrawn=stored.withdrawn,
                stopping=self._draining,
                probation=self._probation(),
            ),
        )

    def _read(self) -> tuple[int | None, StoredCheck]:
        try:
            with self._database.reading() as connection:
                return schema_version(connection), stored_check(connection)
        except (SqlError, WaiaasError):
            return None, NOTHING_STORED

    def _encode(self, report: HealthReport) -> tuple[bytes, bytes]:
        response = document(report.to_json(), 200 if report.serves else 503)
        now = report.timestamp
        return encode(response, now), encode(response, now, connection=CLOSE)


def schema_version(connection: Connection) -> int:
    """The highest recorded version; 0 for none. Raises `SqlError`."""
    row = connection.execute("SELECT max(version) AS version FROM schema_version").fetchone()
    return int(row["version"] or 0)
