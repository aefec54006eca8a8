"""Routes of administration: status, audit log, backups, kill switch."""

import os

import waiaas
from waiaas.daemon.parts import ACTOR, Call, Parts
from waiaas.daemon.problem import Problem
from waiaas.daemon.reply import Response, document
from waiaas.store import audit, keyvalue, killswitch, switching, wallets
from waiaas.store.manifest import listing

PAGE = 50  # rows, unless `limit` says otherwise
RETRY_AFTER = 5  # seconds


def status(parts: Parts, _call: Call) -> Response:
    """Everything `waiaas status` shows."""
    report = parts.probe.report()
    with parts.database.reading() as connection:
        stored = keyvalue.stored_check(connection)
        switch = killswitch.state(connection)
        count = wallets.count(connection)
    kept = listing(parts.layout)
    return document(
        {
            "running": True,
            "pid": os.getpid(),
            "version": waiaas.__version__,
            "port": parts.port(),
            "dataDir": str(parts.layout.data_dir),
            "schemaVersion": report.schema_version,
            "uptime": report.uptime,
            "openRun": parts.open_run(),
            "health": report.to_json(),
            "killSwitch": switch,
            "wallets": count,
            "backups": {"count": len(kept), "newest": int(kept[0].created_at) if kept else None},
            "versionCheck": {
                "latest": stored.latest,
                "checkedAt": stored.checked_at,
                "notifiedAt": stored.notified_at,
                "error": stored.error,
            },
            "workers": [
                {
                    "name": worker.name,
                    "interval": worker.interval,
                    "runs": worker.runs,
                    "failures": worker.failures,
                    "running": worker.running,
                    "endedAt": worker.ended,
                }
                for worker in parts.workers.all()
            ],
        }
    )


def audit_log(parts: Parts, call: Call) -> Response:
    """The newest entries first."""
    limit = _limit(call)
    before, event = call.query.get("before"), call.query.get("eventType")
    with parts.database.reading() as connection:
        entries = audit.page(
            connection,
            before if isinstance(before, int) else None,
            limit,
            event if isinstance(event, str) else None,
        )
    data = [
        {
            "id": entry.id,
            "timestamp": entry.timestamp,
            "eventType": entry.event_type,
            "actor": entry.actor,
            "walletId": entry.wallet_id,
            "sessionId": entry.session_id,
            "txId": entry.tx_id,
            "details": entry.details,
            "severity": entry.severity,
        }
        for entry in entries
    ]
    return document({"data": data, "next": str(entries[-1].id) if len(entries) == limit else None})


def backups(parts: Parts, call: Call) -> Response:
    """The newest first."""
    limit, before = _limit(call), call.query.get("before")
    found = listing(parts.layout)
    if isinstance(before, str):
        names = [item.id for item in found]
        found = found[names.index(before) + 1 :] if before in names else []
    data = [
        {
            "id": item.id,
            "kind": item.kind,
            "version": item.version,
            "schemaVersion": item.schema_version,
            "createdAt": int(item.created_at),
            "bytes": item.bytes,
            "path": str(item.path),
        }
        for item in found[:limit]
    ]
    return document({"data": data, "next": found[limit - 1].id if len(found) > limit else None})


def kill_switch(parts: Parts, call: Call) -> Response:
    """Switching it on is always accepted; off is not, while an upgrade may still be rolled back."""
    on = call.body["on"] is True
    if not on:
        refuse_in_probation(parts)
    with parts.database.writing() as connection:
        state = switching.switch(connection, on, ACTOR, parts.clock.seconds())
    parts.log.warning(f"kill switch {'on' if on else 'off'}", state=state)
    return document({"on": state != "ACTIVE", "state": state})


def refuse_in_probation(parts: Parts) -> None:
    """What is written now could be lost by a roll-back (UPGR-07). Raises `Problem` 503."""
    if parts.probation():
        raise Problem(
            503,
            "in-probation",
            "an upgrade has not committed yet, and nothing is written until it has",
            "try again in a few seconds",
            headers=[("Retry-After", str(RETRY_AFTER))],
        )


def _limit(call: Call) -> int:
    limit = call.query.get("limit", PAGE)
    return limit if isinstance(limit, int) else PAGE
