"""The status page: one self-contained HTML document that works without a script.

Without the token it says what `/health` says. With it, it adds what `survey` saw. How it looks is in
`style`; everything that comes from the database or a feed is escaped in `markup`.
"""

from collections.abc import Mapping, Sequence

from waiaas.core.compat import LATEST_SCHEMA_VERSION
from waiaas.core.health import FIELDS, HealthReport
from waiaas.core.words import duration, size
from waiaas.daemon.markup import (
    Html,
    Row,
    alert,
    cells,
    command,
    definitions,
    document,
    minute,
    moment,
    section,
    text,
)
from waiaas.daemon.parts import Parts
from waiaas.daemon.survey import Recorded, Survey
from waiaas.daemon.workers import Worker
from waiaas.store.audit import RUNS, Entry
from waiaas.store.manifest import Backup

LABELS = {
    "status": "Status",
    "version": "Version",
    "latestVersion": "Newest version",
    "updateAvailable": "Update available",
    "schemaVersion": "Database schema",
    "uptime": "Running for",
    "timestamp": "As of",
    "implementation": "Implementation",
    "withdrawn": "Withdrawn",
    "probation": "On probation",
}
UNWELL = {"degraded": ("bad", "Cannot serve"), "stopping": ("warn", "Stopping")}
OUTCOMES = {event: outcome for outcome, event in RUNS.items()}


def render(report: HealthReport, parts: Parts, seen: Survey | None = None) -> bytes:
    """The page for anybody, or with `seen` for whoever holds the token."""
    kind, word = _badge(report, seen)
    alerts = _alerts(report, parts.how_to_upgrade)
    sections = [*alerts, _health(report)]
    if seen is not None:
        pair = f'<div class="pair">{_health(report)}{_state(seen, parts)}</div>\n'
        sections = [*alerts, *_inner_alerts(seen), pair, *_tables(seen, parts)]
    return document(
        title=f"{word}: WAIaaS {report.version}",
        heading=f"WAIaaS <small>{text(report.version)}</small>",
        badge=(kind, word),
        sections=sections,
        footer=_footer(seen is not None),
    )


def refused() -> bytes:
    """What a browser shows when the dialogue for the token was cancelled."""
    words = (
        "This page needs the administration token: as the password, with any user name. "
        "It is in the file <code>admin.token</code> of the data directory, which "
        f"{command('waiaas status')} names."
    )
    return document(
        title="Token needed: WAIaaS",
        heading="WAIaaS",
        badge=("warn", "Token needed"),
        sections=[section("Sign in", f"<p>{words}</p>")],
        footer='<p><a href="/admin">Try again</a>, or see <a href="/">what needs no token</a>.</p>',
    )


def _badge(report: HealthReport, seen: Survey | None) -> tuple[str, str]:
    """One word for the whole; well is only what nothing below speaks against."""
    if report.status in UNWELL:
        return UNWELL[report.status]
    if report.withdrawn is not None:
        return "warn", "Serves, but was withdrawn"
    if seen and seen.recorded and seen.recorded.kill_switch != "ACTIVE":
        return "warn", "Serves, kill switch on"
    return ("note", "On probation") if report.probation else ("good", "Healthy")


def _alerts(report: HealthReport, how: str) -> list[Html]:
    found = []
    if report.status == "degraded":
        found.append(alert("bad", "The daemon cannot serve", _ailment(report), "Run: waiaas doctor"))
    if report.withdrawn is not None:
        to = report.withdrawn.get("to")
        said = f"Reason: {report.withdrawn.get('reason')}." + (f" Version {to} replaces it." if to else "")
        found.append(alert("bad", f"Version {report.version} was withdrawn", said, how))
    elif report.update_available:
        said = "The upgrade makes a backup first, and undoes itself if it fails."
        found.append(alert("note", f"Version {report.latest_version} is available", said, how))
    if report.probation:
        said = "Nothing is written until the new version has proved itself; that takes seconds."
        found.append(alert("warn", "An upgrade is on probation", said))
    return found


def _ailment(report: HealthReport) -> str:
    if report.schema_version == LATEST_SCHEMA_VERSION:
        return "Its database cannot be read."
    return f"Its database has schema {report.schema_version}; this version serves {LATEST_SCHEMA_VERSION}."


def _inner_alerts(seen: Survey) -> list[Html]:
    found = []
    recorded, run = seen.recorded, seen.open_run
    if recorded and recorded.kill_switch != "ACTIVE":
        said = f"Nothing acts on wallets: {_thrown(recorded)}."
        found.append(alert("bad", "The kill switch is on", said, "Run: waiaas kill-switch off"))
    if run and not seen.report.probation:
        said = str(run.get("error") or f"{run.get('from')} → {run.get('to')}, step {run.get('step')}.")
        found.append(
            alert(
                "warn",
                "An upgrade run is open",
                f"{said} If none is at work:",
                "Run: waiaas upgrade --recover",
            )
        )
    if recorded and recorded.check.error:
        found.append(
            alert("warn", "The last version check failed", f"{recorded.check.error}.", "Run: waiaas doctor")
        )
    return found


def _health(report: HealthReport) -> Html:
    """Every field of the report, from the one table of them (HLTH-03)."""
    values = report.to_json()
    return section("Health", definitions((LABELS[f.name], _value(f.name, values[f.name])) for f in FIELDS))


def _value(name: str, value: object) -> Html:
    if name == "uptime" and isinstance(value, int):
        return text(duration(value))
    if name == "timestamp" and isinstance(value, int):
        return moment(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        to = f"; go to {value['to']}" if value.get("to") else ""
        return text(f"{value.get('severity')}: {value.get('reason')}{to}")
    if value is None:
        return {"withdrawn": "no", "latestVersion": "not known yet"}.get(name, "–")
    return text(value)


def _tables(seen: Survey, parts: Parts) -> list[Html]:
    runs = seen.recorded.runs if seen.recorded else ()
    return [_backups(seen.backups), _runs(runs), _workers(parts.workers.all())]


def _state(seen: Survey, parts: Parts) -> Html:
    return section("State", definitions((*_stored(seen.recorded), *_sizes(seen, parts))))


def _stored(recorded: Recorded | None) -> list[Row]:
    if recorded is None:
        return [("Database", '<span class="failed">cannot be read</span>')]
    checked = recorded.check.checked_at
    on = recorded.kill_switch != "ACTIVE"
    return [
        ("Kill switch", '<span class="failed">on</span>' if on else "off"),
        ("Wallets", str(recorded.wallets)),
        ("Version check", moment(checked) if checked is not None else "none has succeeded yet"),
    ]


def _thrown(recorded: Recorded) -> str:
    at, by = recorded.thrown
    since = f", since {minute(at)}" if at is not None else ""
    return recorded.kill_switch + since + (f", by {by}" if by else "")


def _sizes(seen: Survey, parts: Parts) -> list[Row]:
    log = f", log {size(seen.wal_bytes)}" if seen.wal_bytes else ""
    return [
        ("Data directory", text(parts.layout.data_dir)),
        ("Database size", text(size(seen.database_bytes) + log)),
        ("Connections", f"{sum(seen.connections.values())} open"),
    ]


def _backups(backups: Sequence[Backup]) -> Html:
    if not backups:
        return section("Backups", f"<p>None yet. Make one: {command('waiaas backup create')}</p>")
    rows = [
        (moment(b.created_at), text(b.kind), text(b.version), str(b.schema_version), text(size(b.bytes)))
        for b in backups
    ]
    title = f"Backups ({len(backups)}, {size(sum(b.bytes for b in backups))})"
    return section(title, cells(("Made", "Kind", "Version", "Schema", "Size"), rows))


def _runs(runs: Sequence[Entry]) -> Html:
    if not runs:
        return section("Upgrades", "<p>No upgrade has run yet.</p>")
    return section("Upgrades", cells(("Ended", "What", "From", "To", "Outcome"), [_run(run) for run in runs]))


def _run(run: Entry) -> tuple[Html, ...]:
    details = run.details if isinstance(run.details, Mapping) else {}
    told = (str(details.get(name) or "–") for name in ("kind", "from", "to"))
    outcome = OUTCOMES.get(run.event_type, run.event_type)
    marked = (
        text(outcome)
        if outcome in ("committed", "undone")
        else f'<span class="failed">{text(outcome)}</span>'
    )
    return (moment(run.timestamp), *map(text, told), marked)


def _workers(workers: Sequence[Worker]) -> Html:
    rows = [
        (text(w.name), text(duration(w.interval)), str(w.runs), str(w.failures), _ended(w.ended))
        for w in workers
    ]
    return section("Workers", cells(("Name", "Every", "Runs", "Failures", "Last ended"), rows))


def _ended(at: int | None) -> Html:
    return "not yet" if at is None else moment(at)


def _footer(signed_in: bool) -> Html:
    if signed_in:
        return '<p class="screen">Reload for a fresh look. To sign out, close the browser.</p>'
    return '<p class="screen"><a href="/admin">More, with the administration token</a></p>'
