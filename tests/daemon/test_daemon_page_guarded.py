"""The status page: who sees what, and nothing from elsewhere (DMN-4, DMN-6)."""

import base64
import hashlib
import re
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.daemon.daemon_kit import TOKEN, Rig
from tests.daemon.page_kit import Reader, read, withdraw
from waiaas.core.health import HealthReport
from waiaas.daemon import page
from waiaas.daemon.parts import Parts
from waiaas.daemon.routes import ROUTES
from waiaas.store import audit, switching

HOSTILE = '<script>alert(1)</script><img src=x onerror="x">'


def basic(password: str, user: str = "admin") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


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
