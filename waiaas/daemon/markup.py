"""HTML in pieces. `Html` is text that is safe in a page already; everything else goes through `text`."""

from collections.abc import Iterable, Sequence
from html import escape

from waiaas.daemon.style import STYLE
from waiaas.host.clock import shown

Html = str
Row = tuple[str, Html]


def text(value: object) -> Html:
    """Anything at all, harmless between tags and inside of quotes."""
    return escape(str(value))


def command(line: str) -> Html:
    return f"<code>{text(line)}</code>"


def moment(seconds: float) -> Html:
    """A time for people, with the exact one for machines."""
    return f'<time datetime="{text(shown(seconds))}">{text(minute(seconds))}</time>'


def minute(seconds: float) -> str:
    """`2026-11-20 22:41 UTC`; what no calendar holds as it is."""
    exact = shown(seconds)
    return f"{exact[:10]} {exact[11:16]} UTC" if exact.endswith("Z") else exact


def section(title: str, body: Html) -> Html:
    return f"<section><h2>{text(title)}</h2>{body}</section>\n"


def alert(kind: str, title: str, said: str, how: str = "") -> Html:
    """Something to know, and what deals with it: a sentence, or a command after `Run: `."""
    before, run, line = how.partition("Run: ")
    advice = f"<p>{text(before)}{run}{command(line) if run else ''}</p>" if how else ""
    return f'<section class="{kind}"><h2>{text(title)}</h2><p>{text(said)}</p>{advice}</section>\n'


def definitions(rows: Iterable[Row]) -> Html:
    return "<dl>" + "".join(f"<dt>{text(name)}</dt><dd>{value}</dd>" for name, value in rows) + "</dl>"


def cells(header: Sequence[str], rows: Iterable[Sequence[Html]]) -> Html:
    """A table; on a narrow screen each row stands as a card, so the roles are said, not implied."""
    head = "".join(f'<th scope="col" role="columnheader">{text(name)}</th>' for name in header)
    lines = (
        "".join(
            f'<td role="cell" data-label="{text(name)}">{cell}</td>'
            for name, cell in zip(header, row, strict=True)
        )
        for row in rows
    )
    body = "".join(f'<tr role="row">{line}</tr>' for line in lines)
    return (
        f'<table role="table"><thead role="rowgroup"><tr role="row">{head}</tr></thead>'
        f'<tbody role="rowgroup">{body}</tbody></table>'
    )


def document(
    *, title: str, heading: Html, badge: tuple[str, str], sections: Iterable[Html], footer: Html
) -> bytes:
    """The whole page. `badge`: its kind and its word, which says it without the colour too."""
    kind, word = badge
    return (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(title)}</title>\n<style>{STYLE}</style></head>\n<body>\n"
        f'<header><h1>{heading}</h1><p class="badge {kind}" role="status">{text(word)}</p></header>\n'
        f"<main>\n{''.join(sections)}</main>\n<footer>{footer}</footer>\n</body>\n</html>\n"
    ).encode()
