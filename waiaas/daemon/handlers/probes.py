"""Routes for monitors and browsers: health, liveness, readiness, metrics, status page."""

from waiaas.daemon import page, style
from waiaas.daemon.exposition import exposition
from waiaas.daemon.metrics import CONTENT_TYPE
from waiaas.daemon.parts import Call, Parts
from waiaas.daemon.problem import Problem
from waiaas.daemon.reply import Response, document
from waiaas.daemon.survey import survey

HTML = "text/html; charset=utf-8"
CHALLENGE = ("WWW-Authenticate", 'Basic realm="waiaas", charset="UTF-8"')


def health(parts: Parts, _call: Call) -> Response:
    report = parts.probe.report()
    status = 200 if report.serves else 503
    parts.metrics.health_is(status)
    return document(report.to_json(), status)


def livez(_parts: Parts, _call: Call) -> Response:
    """The process answers."""
    return document({"status": "ok"})


def readyz(parts: Parts, _call: Call) -> Response:
    """Database open, migrated, not draining."""
    report = parts.probe.report()
    return document({"status": report.status}, 200 if report.serves else 503)


def metrics(parts: Parts, _call: Call) -> Response:
    return Response(200, exposition(parts).encode(), CONTENT_TYPE)


def status_page(parts: Parts, call: Call) -> Response:
    """Without the token only what `/health` says."""
    if call.authorised:
        return _admin(parts)
    return _page(200, page.render(parts.probe.report(), parts))


def admin_page(parts: Parts, call: Call) -> Response:
    """The same for the holder of the token; anybody else is asked for it, in the way that browsers do
    themselves (RFC 7617): user name of any kind, the token as password. Only a page that a person opens
    is worth the question; what another site embeds gets none."""
    if call.authorised:
        return _admin(parts)
    if call.request.headers.get("sec-fetch-dest", "document") != "document":
        raise Problem(403, "not-a-page", "this page is for a browser's window, not to be embedded")
    return _page(401, page.refused(), CHALLENGE)


def _admin(parts: Parts) -> Response:
    seen = survey(parts)
    return _page(200, page.render(seen.report, parts, seen))


def _page(status: int, body: bytes, *headers: tuple[str, str]) -> Response:
    return Response(status, body, HTML, (*style.HEADERS, *headers))
