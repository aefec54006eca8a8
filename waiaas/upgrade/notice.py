"""The box that tells of a newer version: looking whether there is one to show (VCHK-05..07).

It comes from the database, without network and without waiting for anybody, and every error is
swallowed: a notice is never worth a failure. It is shown only once it is on record that it was.
"""

from collections.abc import Callable

from waiaas import __version__
from waiaas.core.layout import Layout
from waiaas.core.settings import Settings
from waiaas.host.gate import Gate
from waiaas.host.host import Host
from waiaas.host.sqlite import Connection, reading
from waiaas.store.pairs import LATEST, WITHDRAWN, get, put

TOLD = "version_check_notified_about"  # a withdrawal is told once at once, then daily
MUTED_BY = "WAIAAS_NO_UPDATE_NOTIFY"
Spoken = Callable[[str], str]


def notice(
    host: Host, layout: Layout, settings: Settings, *, asked: bool = False, spoken: Spoken = str
) -> str | None:
    """The box, if one is due now; it counts as shown from here on. Never raises. `asked`: somebody chose
    `[upgrade] mode` on purpose; `spoken` names the data directory in a command to type (CLI-2)."""
    if host.environ.get(MUTED_BY) == "1" or not settings.daemon.update_check or host.offline:
        return None
    try:
        return _shown(host, layout, settings.upgrade.mode, asked, spoken)
    except Exception:  # noqa: BLE001 - VCHK-05: any error is swallowed
        return None


def _shown(host: Host, layout: Layout, mode: str, asked: bool, spoken: Spoken) -> str | None:
    """Look, and record before showing, both without waiting. A database that is not ours to serve, or
    that a run is about to move away, is not written to (MIG-06, UPGR-12)."""
    gate, now = Gate(layout.gate, host.clock), host.clock.seconds()
    with reading(layout.database, gate, patience=0) as connection:
        if not _anything(connection):
            return None
        from waiaas.store.inspect import look
        from waiaas.store.keyvalue import mark_notified, stored_check
        from waiaas.upgrade.box import box, judge
        from waiaas.upgrade.elsewhere import advice

        what = spoken(advice(host.program.path, mode, asked=asked))
        due = judge(stored_check(connection), get(connection, TOLD), __version__, now, what)
        if due is None or look(connection).action != "ok":
            return None
    from waiaas.host.records import holder
    from waiaas.host.sqlite import transaction, writing

    with writing(layout.database, gate, patience=0) as connection:
        connection.execute("PRAGMA busy_timeout = 0")
        if holder(layout.run_lock) is not None:
            return None
        with transaction(connection):
            mark_notified(connection, now)
            put(connection, TOLD, due.about, now)
    return box(due.lines)


def _anything(connection: Connection) -> bool:
    """Something is stored that could be worth telling; mostly there is not."""
    return get(connection, LATEST) not in (None, __version__) or get(connection, WITHDRAWN) is not None
