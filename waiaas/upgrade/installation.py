"""Which installation this is, for a release that reaches one after the other (FEED-7)."""

import json

from waiaas.core.layout import Layout


def installation_id(layout: Layout) -> str:
    """The random id that decides the roll-out share; never sent anywhere."""
    try:
        return str(json.loads(layout.installation.read_text())["id"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
