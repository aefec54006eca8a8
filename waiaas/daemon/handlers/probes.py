"""Routes for monitors and browsers: health, liveness, readiness, metrics, status page.

What only a browser or a scraper needs is imported when the first of them comes (PRF-5, PRF-6).
"""

from waiaas.daemon.metrics import CONTENT_TYPE
from waiaas.daemon.parts import Call, Parts
from waiaas.daemon.problem import Problem
from waiaas.daemon.reply import Response, document

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
    from waiaas.daemon.exposition import exposition

    return Response(200, exposition(parts).encode(), CONTENT_TYPE)


def status_page(parts: Parts, call: Call) -> Response:
    """Without the token only what `/health` says."""
    from waiaas.daemon import page

    if call.authorised:
        return _admin(parts)
    return _page(200, page.render(parts.probe.report(), parts))


def admin_page(parts: Parts, call: Call) -> Response:
    """The same for the holder of the token; anybody else is asked for it, in the way that browsers do
    themselves (RFC 7617): user name of any kind, the token as password. Only a page that a person opens
    is worth the question; what another site embeds gets none."""
    from waiaas.daemon import page

    if call.authorised:
        return _admin(parts)
    if call.request.headers.get("sec-fetch-dest", "document") != "document":
        raise Problem(403, "not-a-page", "this page is for a browser's window, not to be embedded")
    return _page(401, page.refused(), CHALLENGE)


def _admin(parts: Parts) -> Response:
    from waiaas.daemon import page
    from waiaas.daemon.survey import survey

    seen = survey(parts)
    return _page(200, page.render(seen.report, parts, seen))


def _page(status: int, body: bytes, *headers: tuple[str, str]) -> Response:
    from waiaas.daemon.style import HEADERS

    return Response(status, body, HTML, (*HEADERS, *headers))
