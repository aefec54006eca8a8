"""The status page: one self-contained HTML document, no script, nothing from elsewhere."""

import base64
import hashlib
from html import escape

from waiaas.core.health import FIELDS, HealthReport
from waiaas.daemon.parts import Parts
from waiaas.store import killswitch, wallets

CONTENT_TYPE = "text/html; charset=utf-8"
STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #8884;vertical-align:top}"
    "th{font-weight:500;width:14rem}"
)
POLICY = (
    "default-src 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = (
    ("Content-Security-Policy", POLICY),
    ("Referrer-Policy", "no-referrer"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)

Row = tuple[str, object]


def render(report: HealthReport, more: list[Row]) -> bytes:
    """Every field of the health report, then `more`."""
    values = report.to_json()
    rows: list[Row] = [(field.name, values[field.name]) for field in FIELDS]
    body = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(_text(value))}</td></tr>" for name, value in rows + more
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>WAIaaS {escape(report.version)}: {escape(report.status)}</title><style>{STYLE}</style>"
        f"</head><body><h1>WAIaaS {escape(report.version)}</h1><table>{body}</table></body></html>\n"
    ).encode()


def administration(parts: Parts) -> list[Row]:
    """What only the holder of the token sees."""
    with parts.database.reading() as connection:
        return [
            ("dataDir", parts.layout.data_dir),
            ("killSwitch", killswitch.state(connection)),
            ("wallets", len(wallets.listing(connection))),
        ]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_text(inner)}" for name, inner in value.items())
    return "–" if value is None else str(value)
