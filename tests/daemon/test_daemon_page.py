"""The status page: who sees what, nothing from elsewhere, readable by everybody (DMN-4, DMN-6, HLTH-03)."""

import base64
import hashlib
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.daemon.daemon_kit import TOKEN, Rig, layout_in, rig_in
from waiaas.core.check import CheckOutcome
from waiaas.core.health import FIELDS, HealthReport
from waiaas.daemon import page, style
from waiaas.daemon.parts import Parts
from waiaas.daemon.routes import ROUTES
from waiaas.host.files import Files
from waiaas.store import audit, backup, switching
from waiaas.store.keyvalue import store_check

HOSTILE = '<script>alert(1)</script><img src=x onerror="x">'
VOID = {"meta", "link", "img", "br"}


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with rig_in(tmp_path) as made:
        yield made


def basic(password: str, user: str = "admin") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


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


def backed_up(rig: Rig, twin: Path, count: int) -> None:
    """Backups an hour apart, of a twin: no process may open a database twice (its locks would go)."""
    layout = layout_in(twin)
    for _ in range(count):
        backup.create(Files(), rig.clock, layout, "manual", "1.8.0", None, label="manual")
        rig.clock.sleep(3600)
    layout.backups.rename(rig.layout.backups)


# --- who sees what ----------------------------------------------------------------------------------


def test_without_the_token_only_health_is_told__DMN_4(rig: Rig) -> None:
    with rig.database.writing() as connection:
        switching.switch(connection, True, "cli", 1)
    words = read(rig, token=None).words
    assert "Healthy" in words
    for secret in (str(rig.layout.data_dir), "kill switch", "Kill switch", "Backups", "Wallets", "Workers"):
        assert secret not in words
    assert "The kill switch is on" in read(rig).words


@pytest.mark.parametrize("target", ["/", "/admin"])
@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", basic(TOKEN), basic(TOKEN, ""), basic(TOKEN, "x")])
def test_the_token_opens_the_whole_page_as_bearer_and_as_password__DMN_4(
    rig: Rig, target: str, header: str
) -> None:
    response = rig.ask("GET", target, token=None, authorization=header)
    assert response.status == 200
    assert str(rig.layout.data_dir) in response.body.decode()


@pytest.mark.parametrize(
    "header",
    [
        None, basic("x"), basic(""), basic(TOKEN + "x"), basic(TOKEN[:-1]), "Basic", "Basic !", "Basic é",
        "Basic " + base64.b64encode(TOKEN.encode()).decode(), f"Basic {TOKEN}", f"Bearer {TOKEN}x",
    ],
)  # fmt: skip
def test_anybody_else_is_asked_for_the_password__DMN_6(rig: Rig, header: str | None) -> None:
    given = {} if header is None else {"authorization": header}
    response = rig.ask("GET", "/admin", token=None, **given)
    assert response.status == 401
    assert ("WWW-Authenticate", 'Basic realm="waiaas", charset="UTF-8"') in response.headers
    assert "admin.token" in Reader(response.body).words
    public = rig.ask("GET", "/", token=None, **given)
    assert (public.status, str(rig.layout.data_dir) in public.body.decode()) == (200, False)
    assert not any(name == "WWW-Authenticate" for name, _ in public.headers)


@pytest.mark.parametrize("route", [r for r in ROUTES if r.auth], ids=lambda r: f"{r.method} {r.path}")
def test_a_password_that_a_browser_repeats_by_itself_changes_nothing__DMN_6(rig: Rig, route: Any) -> None:
    """Another site can make a browser send a form with the password it knows; never a bearer token."""
    body = {} if route.request else None
    response = rig.ask(route.method, route.path, body, token=None, authorization=basic(TOKEN))
    assert response.status == 401
    assert ("WWW-Authenticate", 'Bearer realm="waiaas"') in response.headers


@pytest.mark.parametrize("place", ["image", "iframe", "script", "empty", "style"])
def test_what_another_site_embeds_is_never_asked_for_a_password__DMN_6(rig: Rig, place: str) -> None:
    response = rig.ask("GET", "/admin", token=None, sec_fetch_dest=place)
    assert response.status == 403
    assert not any(name == "WWW-Authenticate" for name, _ in response.headers)
    assert rig.ask("GET", "/admin", token=None, sec_fetch_dest="document").status == 401


# --- nothing from elsewhere -------------------------------------------------------------------------


@pytest.mark.parametrize("token", [TOKEN, None])
@pytest.mark.parametrize("target", ["/", "/admin"])
def test_the_page_is_self_contained_and_its_policy_says_so__DMN_6(
    rig: Rig, target: str, token: str | None
) -> None:
    response = rig.ask("GET", target, token=token)
    policy = dict(response.headers)["Content-Security-Policy"]
    text = response.body.decode()
    (sheet,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert "unsafe" not in policy
    assert not re.search(r"url\(|@import|http", sheet)
    found = Reader(response.body)
    assert not {"script", "img", "link", "iframe", "object", "form", "input"} & set(found.tags)
    assert {value for _, name, value in found.attributes if name in ("href", "src")} <= {"/", "/admin"}
    assert not any(name.startswith("on") or name == "style" for _, name, _ in found.attributes)


def test_what_the_feed_or_the_database_says_is_text_and_nothing_else__DMN_6(rig: Rig) -> None:
    plain = read(rig)
    withdraw(rig, HOSTILE, HOSTILE)
    with rig.database.writing() as connection:
        audit.write(connection, "UPGRADE_FAILED", "system", {"kind": HOSTILE, "from": HOSTILE, "to": 1}, 5)
        audit.write(connection, "UPGRADE_COMMITTED", "system", {}, 1 << 62)
    seen = read(rig)
    assert set(seen.tags) <= {*plain.tags, "table", "thead", "tbody", "tr", "th", "td", "span", "time", "p"}
    assert seen.words.count(HOSTILE) == 6  # reason and version in the alert and in health, two of the run


@given(st.text(), st.text())
def test_any_text_keeps_the_page_well_formed__DMN_6(reason: str, to: str) -> None:
    report = HealthReport("ok", "1.8.0", None, False, 16, 1, 1, withdrawn={"reason": reason, "to": to})
    with_any_parts = cast(Parts, SimpleNamespace(how_to_upgrade="Run: waiaas upgrade"))
    found = Reader(page.render(report, with_any_parts))
    assert found.tags.count("section") == 2
    assert {name for _, name, _ in found.attributes} <= {
        "lang", "charset", "name", "content", "class", "role", "href", "datetime",
    }  # fmt: skip


# --- what it says -----------------------------------------------------------------------------------


def test_every_field_of_the_health_report_has_its_line__HLTH_03(rig: Rig) -> None:
    assert set(page.LABELS) == {field.name for field in FIELDS}
    words = read(rig, token=None).words
    assert [words.index(f"{page.LABELS[field.name]} ") for field in FIELDS]


def test_each_state_is_named_with_the_command_that_deals_with_it__DMN_4(rig: Rig) -> None:
    with rig.database.writing() as connection:
        store_check(connection, CheckOutcome("1.9.0", None, None), 1)
    available = read(rig, token=None).words
    assert "Version 1.9.0 is available" in available
    assert "waiaas upgrade" in available
    withdraw(rig)
    withdrawn = read(rig, token=None).words
    assert "Serves, but was withdrawn" in withdrawn
    assert "Reason: it loses mail. Version 1.8.1 replaces it." in withdrawn
    rig.probation[0] = True
    assert "An upgrade is on probation" in read(rig, token=None).words
    with rig.database.writing() as connection:
        switching.switch(connection, True, "admin", 1_795_132_800)
        store_check(connection, CheckOutcome(None, None, "the feed is away"), 2)
    inner = read(rig).words
    assert "SUSPENDED, since 2026-11-20 00:00 UTC, by admin" in inner
    assert "waiaas kill-switch off" in inner
    assert "the feed is away" in inner


def test_a_program_of_an_image_or_a_manager_is_not_told_to_upgrade_itself__UPGR_09(rig: Rig) -> None:
    with rig.database.writing() as connection:
        store_check(connection, CheckOutcome("1.9.0", None, None), 1)
    for how in (
        "Run: docker compose pull && docker compose up -d",
        "Upgrade it with the manager it came from",
    ):
        object.__setattr__(rig.parts, "how_to_upgrade", how)
        words = " ".join(read(rig, token=None).words.split())
        assert how in words
        assert "waiaas upgrade" not in words


def test_an_open_run_is_told_with_the_way_out__DMN_4(rig: Rig) -> None:
    found = {"run": "r1", "from": "1.8.0", "to": "1.9.0", "step": "swap"}
    object.__setattr__(rig.parts, "open_run", lambda: found)
    words = read(rig).words
    assert "1.8.0 → 1.9.0, step swap" in words
    assert "waiaas upgrade --recover" in words


def test_backups_and_runs_are_listed_newest_first__DMN_4(rig: Rig, tmp_path: Path) -> None:
    backed_up(rig, tmp_path / "twin", 2)
    with rig.database.writing() as connection:
        for number, event in enumerate(("UPGRADE_COMMITTED", "UPGRADE_ROLLED_BACK")):
            details = {"run": str(number), "kind": "upgrade", "from": "1.8.0", "to": f"1.8.{number + 1}"}
            audit.write(connection, event, "system", details, 1_795_132_800 + number * 60)
    words = read(rig).words
    assert "Backups (2, " in words
    assert words.index("2026-11-20 01:00 UTC") < words.index("2026-11-20 00:00 UTC")
    assert words.index("rolled-back") < words.index("committed")


def test_a_database_that_cannot_be_read_is_told_and_the_page_still_comes__DMN_4(rig: Rig) -> None:
    rig.ask("GET", "/health")
    rig.database.close()
    words = read(rig).words
    assert "Cannot serve" in words
    assert "Its database cannot be read." in words
    assert "waiaas doctor" in words


def test_a_schema_of_another_version_is_told_with_both_numbers__HLTH_02(rig: Rig) -> None:
    with rig.database.writing() as connection:
        connection.execute("INSERT INTO schema_version VALUES (17, 0, 'a newer one')")
    assert "schema 17; this version serves 16" in read(rig, token=None).words


# --- readable by everybody --------------------------------------------------------------------------


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb` (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colours", [style.LIGHT, style.DARK], ids=["light", "dark"])
@pytest.mark.parametrize("pair", style.PAIRS, ids=lambda pair: " on ".join(pair))
def test_every_text_stands_out_from_its_ground__WCAG_1_4_3(
    colours: dict[str, str], pair: tuple[str, str]
) -> None:
    high, low = sorted((luminance(colours[name]) for name in pair), reverse=True)
    assert (high + 0.05) / (low + 0.05) >= 4.5


def test_light_and_dark_have_the_same_colours_and_the_rules_use_them_all() -> None:
    assert set(style.LIGHT) == set(style.DARK) == set(re.findall(r"var\(--([a-z-]+)\)", style.RULES))
    assert set(style.LIGHT) == {name for pair in style.PAIRS for name in pair} | {"line"}


@pytest.mark.parametrize("token", [TOKEN, None])
def test_the_page_has_its_landmarks_language_and_headed_tables(
    rig: Rig, tmp_path: Path, token: str | None
) -> None:
    backed_up(rig, tmp_path / "twin", 1)
    found = read(rig, token=token)
    assert ("html", "lang", "en") in found.attributes
    for tag in ("header", "main", "footer", "h1", "title"):
        assert found.tags.count(tag) == 1, tag
    assert all(("th", "scope", "col") in found.attributes for tag in found.tags if tag == "th")
    assert found.tags.count("section") == found.tags.count("h2")
    labels = {value for tag, name, value in found.attributes if (tag, name) == ("td", "data-label")}
    assert not token or {"Made", "Size"} <= labels
