"""The status page in a real browser: what it shows, asks and loads, and how it fits (DMN-4, DMN-6)."""

import os
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.api import eventually, health, request
from tests.journeys.browser import Browser, browser
from tests.journeys.test_journey_withdrawn import withdraw
from tests.journeys.workshop import Feed, Site, Workshop, site
from waiaas.daemon import style

DESKTOP, PHONE, SMALLEST = 1100, 390, 320  # CSS pixels; WCAG 2.2, 1.4.10 asks for the last
WIDTHS = (DESKTOP, PHONE, SMALLEST)
FOLDER = os.environ.get("WAIAAS_SCREENSHOTS", "")  # where pictures go, if anybody wants to see them


@pytest.fixture(scope="module")
def tab() -> Iterator[Browser]:
    with browser() as made:
        yield made


@pytest.fixture(scope="module")
def running(workshop: Workshop) -> Iterator[Site]:
    """A daemon for all who only look: 1.8.0 with one backup, and 1.8.1 in its feed."""
    with tempfile.TemporaryDirectory(prefix="wj-", ignore_cleanup_errors=True) as name:
        feed = workshop.feed(Path(name) / "feed", workshop.current, workshop.patch)
        with site(Path(name) / "site", workshop.current, feed.url) as made:
            made.ok("init")
            made.ok("backup", "create")
            made.ok("start", "--detach")
            eventually(lambda: health(made)["latestVersion"])
            yield made
        feed.close()


def address(installed: Site, path: str = "/") -> str:
    return f"http://127.0.0.1:{installed.daemon['port']}{path}"


def fits(tab: Browser, name: str) -> None:
    """On every width nothing sticks out to the side; keeps a picture where one is wanted."""
    for width in WIDTHS:
        for scheme in ("light", "dark"):
            tab.screen(width, scheme=scheme)
            assert tab.value("document.documentElement.scrollWidth") <= width, (name, width)
            if FOLDER:
                (Path(FOLDER) / f"{name}-{width}-{scheme}.png").write_bytes(tab.picture())


def corner(picture: bytes) -> str:
    """The colour of the upper left pixel; no filter of PNG changes the first one."""
    data, at = b"", 8
    while at < len(picture):
        length, kind = int.from_bytes(picture[at : at + 4]), picture[at + 4 : at + 8]
        data += picture[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += length + 12
    return "#" + zlib.decompress(data)[1:4].hex()


def test_anybody_sees_health_and_only_what_the_page_itself_holds_is_loaded__DMN_4(
    tab: Browser, running: Site
) -> None:
    tab.requests.clear()
    tab.complaints.clear()
    tab.open(address(running))
    words = tab.text()
    assert tab.value("document.title") == "Healthy: WAIaaS 1.8.0"
    assert "Version 1.8.1 is available" in words
    assert "waiaas upgrade" in words
    assert str(running.data) not in words
    assert tab.requests == [address(running)]
    assert tab.complaints == []
    fits(tab, "update-public")


def test_the_browser_asks_for_the_token_and_a_wrong_one_opens_nothing__DMN_6(
    tab: Browser, running: Site
) -> None:
    tab.asked.clear()
    tab.open(address(running, "/admin"))
    assert tab.asked == ["basic"]
    assert "This page needs the administration token" in tab.text()
    tab.open(address(running, "/admin"), "wrong")
    assert tab.asked == ["basic"] * 3  # asked, answered wrongly, asked again, given up
    assert str(running.data) not in tab.text()


def test_the_token_typed_into_the_browsers_dialogue_shows_all__DMN_4(tab: Browser, running: Site) -> None:
    tab.complaints.clear()
    tab.open(address(running, "/admin"), running.token)
    words = tab.text()
    for told in (
        str(running.data),
        "Kill switch",
        "Backups (1, ",
        "No upgrade has run yet.",
        "version-check",
    ):
        assert told in words
    fits(tab, "update")
    tab.open(address(running))
    assert str(running.data) in tab.text()  # the browser repeats the password for / by itself
    assert tab.asked.count("basic") == len(tab.asked)
    status, _ = request(running, "GET", "/v1/wallets", token=False)
    assert status == 401


def test_it_needs_no_script__DMN_4(tab: Browser, running: Site) -> None:
    tab.scripts(False)
    try:
        tab.open(address(running, "/admin"), running.token)
        names = [name for _, name in tab.tree()]
    finally:
        tab.scripts(True)
    assert "State" in names
    assert str(running.data) in names


def test_its_own_policy_lets_its_style_through_and_nothing_else__DMN_6(tab: Browser, running: Site) -> None:
    tab.open(address(running))
    for scheme, colours in (("light", style.LIGHT), ("dark", style.DARK)):
        tab.screen(DESKTOP, scheme=scheme)
        assert corner(tab.picture()) == colours["page"]
    tab.screen(DESKTOP, scheme="dark", media="print")
    assert corner(tab.picture()) == "#ffffff"
    assert tab.value("getComputedStyle(document.querySelector('.screen')).display") == "none"
    tab.screen(DESKTOP)
    tab.complaints.clear()
    tab.value("var s=document.createElement('script'); s.text='document.title=1'; document.body.append(s)")
    tab.value("var i=new Image(); i.src='http://127.0.0.1:1/x'")
    assert tab.value("document.title") != "1"
    blocked = [line for line in tab.complaints if "Content Security Policy" in line]
    assert len(blocked) == 2


@pytest.mark.parametrize("width", WIDTHS)
def test_a_screen_reader_finds_landmarks_headings_and_tables__WCAG_1_3_1(
    tab: Browser, running: Site, width: int
) -> None:
    """Also on a phone, where each row of a table is drawn as a card."""
    tab.screen(width)
    tab.open(address(running, "/admin"), running.token)
    tree = tab.tree()
    roles = [role for role, _ in tree]
    for landmark in ("banner", "main", "contentinfo"):
        assert roles.count(landmark) == 1, landmark
    headings = [name for role, name in tree if role == "heading"]
    assert headings[0].startswith("WAIaaS")
    assert {"Health", "State", "Upgrades", "Workers"} <= set(headings)
    assert roles.count("table") == 2
    assert {"row", "columnheader", "cell"} <= set(roles)
    assert ("columnheader", "Made") in tree
    assert tab.value("document.documentElement.lang") == "en"


def test_each_state_that_needs_somebody_is_told_and_fits__DMN_4(
    tab: Browser, workshop: Workshop, feed: Feed, installed: Site, tmp_path: Path
) -> None:
    installed.ok("kill-switch", "on")
    installed.ok("upgrade")
    tab.open(address(installed, "/admin"), installed.token)
    words = tab.text()
    assert "The kill switch is on" in words
    assert "committed" in words
    fits(tab, "kill-switch")
    installed.ok("kill-switch", "off")
    withdraw(feed, "1.8.1", "1.8.0")
    installed.ok("restart")
    eventually(lambda: health(installed)["withdrawn"] is not None)
    tab.open(address(installed, "/admin"), installed.token)
    assert "Reason: it loses mail. Version 1.8.0 replaces it." in tab.text()
    fits(tab, "withdrawn")
    with site(tmp_path / "fresh", workshop.patch, feed.url) as fresh:
        fresh.ok("init")
        fresh.ok("start", "--detach", "--offline")
        tab.open(address(fresh, "/admin"), fresh.token)
        assert "None yet. Make one: waiaas backup create" in tab.text()
        fits(tab, "fresh")
