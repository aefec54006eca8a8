"""Routes for monitors and browsers: health, liveness, readiness, metrics, status page."""

import waiaas
from waiaas.daemon import page
from waiaas.daemon.metrics import CONTENT_TYPE, family, gauge
from waiaas.daemon.parts import Call, Parts
from waiaas.daemon.reply import Response, document


def health(parts: Parts, _call: Call) -> Response:
    report = parts.probe.report()
    return document(report.to_json(), 200 if report.serves else 503)


def livez(_parts: Parts, _call: Call) -> Response:
    """The process answers."""
    return document({"status": "ok"})


def readyz(parts: Parts, _call: Call) -> Response:
    """Database open, migrated, not draining."""
    report = parts.probe.report()
    return document({"status": report.status}, 200 if report.serves else 503)


def metrics(parts: Parts, _call: Call) -> Response:
    report = parts.probe.report()
    workers = parts.workers.all()
    labels = {"version": waiaas.__version__, "implementation": report.implementation}
    text = (
        family("waiaas_build_info", "gauge", "The program that runs.", [(labels, 1)])
        + gauge("waiaas_up", "1 while the daemon can serve.", report.serves)
        + gauge("waiaas_uptime_seconds", "Seconds since the start.", report.uptime)
        + gauge("waiaas_schema_version", "Schema version of the database.", report.schema_version)
        + gauge("waiaas_update_available", "1 when a newer version is known.", report.update_available)
        + gauge("waiaas_withdrawn", "1 when the running version was withdrawn.", bool(report.withdrawn))
        + gauge("waiaas_probation", "1 until an upgrade has committed.", report.probation)
        + family("waiaas_http_requests_total", "counter", "Requests answered.", parts.metrics.requests())
        + family(
            "waiaas_worker_runs_total",
            "counter",
            "Runs of a background worker.",
            [({"worker": worker.name}, worker.runs) for worker in workers],
        )
        + family(
            "waiaas_worker_failures_total",
            "counter",
            "Runs of a background worker that failed.",
            [({"worker": worker.name}, worker.failures) for worker in workers],
        )
    )
    return Response(200, text.encode(), CONTENT_TYPE)


def status_page(parts: Parts, call: Call) -> Response:
    """Without the token only what `/health` says."""
    more = page.administration(parts) if call.authorised else []
    return Response(200, page.render(parts.probe.report(), more), page.CONTENT_TYPE, page.HEADERS)
