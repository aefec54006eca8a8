"""Reading the status page as a browser does, and what there may be to read."""

from html.parser import HTMLParser
from typing import Any

from tests.daemon.daemon_kit import Rig
from waiaas.core.check import CheckOutcome
from waiaas.store.keyvalue import store_check

VOID = {"meta", "link", "img", "br"}


class Reader(HTMLParser):
    """Tags, attributes and the text that people read; raises on a tag that is closed twice or never."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words = ""
        self._open: list[str] = []
        self.feed(body.decode())
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.words += data + " "


def read(rig: Rig, target: str = "/", **more: Any) -> Reader:
    rig.clock.sleep(1)
    return Reader(rig.ask("GET", target, **more).body)


def withdraw(rig: Rig, reason: str = "it loses mail", to: str | None = "1.8.1") -> None:
    with rig.database.writing() as connection:
        store_check(
            connection, CheckOutcome("1.8.1", {"reason": reason, "to": to, "severity": "high"}, None), 1
        )
