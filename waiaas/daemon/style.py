"""How the status page looks, and the headers that keep it to itself.

One style sheet inside the page, named by its digest in the Content-Security-Policy; no script, no
image, no font, nothing from elsewhere. Each pair of colours below has a contrast of 4.5 at least, in
light and in dark (WCAG 2.2, 1.4.3); tests/daemon/test_daemon_page.py computes it.
"""

import base64
import hashlib

LIGHT = {
    "page": "#f4f5f7", "card": "#ffffff", "text": "#1b1f24", "soft": "#59636e", "line": "#d8dee4",
    "good": "#116329", "good-back": "#dafbe1", "bad": "#a40e26", "bad-back": "#ffe2e0",
    "warn": "#6f4400", "warn-back": "#fff3c4", "note": "#0a4ea3", "note-back": "#ddeeff",
    "code-back": "#eaeef2",
}  # fmt: skip
DARK = {
    "page": "#0d1117", "card": "#161b22", "text": "#e6edf3", "soft": "#9198a1", "line": "#30363d",
    "good": "#6fdd8b", "good-back": "#12311b", "bad": "#ffb3ad", "bad-back": "#4b1418",
    "warn": "#f2cc60", "warn-back": "#3b2d05", "note": "#9cccff", "note-back": "#0f2d50",
    "code-back": "#262c36",
}  # fmt: skip
PAIRS = (  # what is written on what
    ("text", "page"), ("text", "card"), ("text", "code-back"), ("soft", "page"), ("soft", "card"),
    ("good", "good-back"), ("bad", "bad-back"), ("warn", "warn-back"), ("note", "note-back"),
    ("note", "page"), ("bad", "card"),
)  # fmt: skip
RULES = """\
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:16px/1.5 system-ui,sans-serif;\
overflow-wrap:anywhere}
header,main,footer{max-width:56rem;margin:0 auto;padding:0 1rem}
header{display:flex;flex-wrap:wrap;align-items:center;gap:.25rem 1rem;padding-top:2rem}
h1{margin:0;font-size:1.6rem}
h1 small{font-size:1rem;font-weight:400;color:var(--soft)}
h2{margin:0 0 .5rem;font-size:1.05rem}
section{background:var(--card);border:1px solid var(--line);border-radius:.5rem;\
padding:1rem 1.25rem;margin:1rem 0}
.badge{margin:0;padding:.1rem .75rem;border-radius:1rem;font-weight:600}
.good{color:var(--good);background:var(--good-back)}
.bad{color:var(--bad);background:var(--bad-back)}
.warn{color:var(--warn);background:var(--warn-back)}
.note{color:var(--note);background:var(--note-back)}
section.bad,section.warn,section.note{border-color:currentColor}
section p{margin:.25rem 0}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(22rem,1fr));gap:1rem;margin:1rem 0}
.pair section{margin:0}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.35rem 1.5rem;margin:0}
dt{color:var(--soft)}
dd{margin:0}
code{font:.95em ui-monospace,monospace;color:var(--text);background:var(--code-back);\
padding:.1rem .4rem;border-radius:.25rem}
table{width:100%;border-collapse:collapse}
th,td{padding:.35rem .75rem .35rem 0;border-top:1px solid var(--line);text-align:left;vertical-align:top}
thead th{border-top:0;color:var(--soft);font-weight:400}
.failed{color:var(--bad);font-weight:600}
a{color:var(--note)}
footer{padding-bottom:2rem;color:var(--soft);font-size:.9rem}
@media(max-width:38rem){\
header{padding-top:1rem}\
header,main,footer{padding-left:.75rem;padding-right:.75rem}\
section{padding:.75rem}.pair{grid-template-columns:1fr}dl{column-gap:.75rem}\
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}\
tr{display:block;padding:.5rem 0;border-top:1px solid var(--line)}\
th,td{display:flex;gap:.5rem;padding:.1rem 0;border:0;font-weight:400}\
th::before,td::before{content:attr(data-label);flex:0 0 6.5rem;color:var(--soft)}}
@media print{body{background:#fff}section{break-inside:avoid}.screen{display:none}}
"""


def _variables(colours: dict[str, str]) -> str:
    return ":root{" + "".join(f"--{name}:{value};" for name, value in colours.items()) + "}\n"


STYLE = (
    ":root{color-scheme:light dark}\n"
    + _variables(LIGHT)
    + f"@media screen and (prefers-color-scheme:dark){{{_variables(DARK)}}}\n"
    + RULES
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
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
