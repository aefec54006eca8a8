"""The application without sockets: health, guards, errors, and the documents it publishes."""

import json
from typing import Any

import pytest

from tests.daemon.daemon_kit import SWITCH, TOKEN, Rig
from waiaas.core.check import CheckOutcome
from waiaas.core.health import json_schema
from waiaas.daemon.body import violations
from waiaas.daemon.routes import ROUTES
from waiaas.daemon.schemas import SCHEMAS
from waiaas.store.keyvalue import store_check

# --- health -----------------------------------------------------------------------------------------


def test_health_needs_no_token_and_follows_the_schema__HLTH_01(rig: Rig) -> None:
    response = rig.ask("GET", "/health", token=None, host="anything.example")
    assert (response.status, response.content_type) == (200, "application/json")
    document = json.loads(response.body)
    assert violations(json_schema(), document, "") == []
    assert list(document)[:7] == list(json_schema()["required"])  # type: ignore[call-overload]


def test_schema_version_is_read_from_the_database__HLTH_02(rig: Rig) -> None:
    assert rig.json("GET", "/health")[1]["schemaVersion"] == 16
    with rig.database.writing() as connection:
        connection.execute("INSERT INTO schema_version VALUES (17, 0, 'a newer one')")
    rig.clock.sleep(1)
    status, document = rig.json("GET", "/health")
    assert (status, document["schemaVersion"], document["status"]) == (503, 17, "degraded")


def test_health_reads_the_database_at_most_once_a_second__HLTH_02(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[int] = []
    real = rig.database.reading
    monkeypatch.setattr(rig.database, "reading", lambda: reads.append(1) or real())
    for _ in range(50):
        rig.ask("GET", "/health")
    assert len(reads) == 1
    rig.clock.sleep(1)
    rig.ask("GET", "/health")
    assert len(reads) == 2


def test_an_unreadable_database_makes_health_503_and_keeps_the_last_schema__HLTH_02(rig: Rig) -> None:
    rig.ask("GET", "/health")
    rig.database.close()
    rig.clock.sleep(1)
    status, document = rig.json("GET", "/health")
    assert (status, document["status"], document["schemaVersion"]) == (503, "degraded", 16)


def test_a_stopping_daemon_says_so__HLTH_02(rig: Rig) -> None:
    rig.probe.drain()
    assert rig.json("GET", "/health")[1]["status"] == "stopping"
    assert rig.json("GET", "/readyz")[0] == 503
    assert rig.json("GET", "/livez")[0] == 200


def test_health_carries_update_withdrawal_and_probation__HLTH_01(rig: Rig) -> None:
    notice = {"reason": "bad", "to": "99.0.0", "severity": "high"}
    with rig.database.writing() as connection:
        store_check(connection, CheckOutcome("99.0.0", notice, None), 1)
    rig.probation[0] = True
    status, document = rig.json("GET", "/health")
    assert status == 200
    assert (document["latestVersion"], document["updateAvailable"]) == ("99.0.0", True)
    assert (document["withdrawn"], document["probation"]) == (notice, True)


# --- who may ask ------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", [r for r in ROUTES if r.auth], ids=lambda r: f"{r.method} {r.path}")
@pytest.mark.parametrize("header", [None, "Bearer ", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer é"])
def test_every_guarded_route_refuses_without_the_token__DMN_6(
    rig: Rig, route: Any, header: str | None
) -> None:
    given = {} if header is None else {"authorization": header}
    status, document = rig.json(route.method, route.path, {} if route.request else None, token=None, **given)
    assert (status, document["code"]) == (401, "not-authorised")


def test_the_scheme_is_case_insensitive__DMN_6(rig: Rig) -> None:
    assert rig.ask("GET", "/v1/wallets", token=None, authorization=f"bearer  {TOKEN}").status == 200


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:99",
        "127.0.0.1:3100",
        "[::1]",
        "[::1]:3100",
        "wallet.example",
        "wallet.example.:80",
    ],
)
def test_the_names_it_serves_are_accepted__DMN_6(rig: Rig, host: str) -> None:
    assert rig.ask("GET", "/v1/wallets", host=host).status == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "", "localhost.evil.example", "localhost:80:80", "[::2]", "127.0.0.1@evil", "a b"],
)
def test_dns_rebinding_is_refused_but_for_probes__DMN_6(rig: Rig, host: str) -> None:
    status, document = rig.json("GET", "/v1/wallets", host=host)
    assert (status, document["code"]) == (421, "unknown-host")
    assert rig.ask("GET", "/", host=host).status == 421
    for path in ("/health", "/livez", "/readyz"):
        assert rig.ask("GET", path, host=host).status == 200


def test_cross_origin_requests_get_no_permission__DMN_6(rig: Rig) -> None:
    preflight = rig.ask("OPTIONS", "/v1/wallets", origin="https://evil.example")
    assert preflight.status == 405
    answer = rig.ask("GET", "/v1/wallets", origin="https://evil.example")
    names = [name.lower() for name, _ in (*preflight.headers, *answer.headers)]
    assert not any(name.startswith("access-control") for name in names)


def test_a_form_cannot_post__DMN_6(rig: Rig) -> None:
    status, document = rig.json("POST", SWITCH, {"on": True}, content_type="text/plain")
    assert (status, document["code"]) == (415, "not-json")


def test_the_token_is_in_no_log_error_or_metric__DMN_6(rig: Rig) -> None:
    for route in ROUTES:
        response = rig.ask(route.method, route.path.replace("{id}", TOKEN), {"token": TOKEN})
        if route.path != "/v1/wallets":
            assert TOKEN.encode() not in response.body
    assert rig.sink.lines
    assert not any(TOKEN in line for line in rig.sink.lines)


# --- errors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/nope", "/v1/health", "/health/", "//health", "/v1/wallets/", "/v1/wallets/a/b", "*"]
)
def test_an_unknown_route_is_a_404_problem__DMN_7(rig: Rig, path: str) -> None:
    response = rig.ask("GET", path)
    document = json.loads(response.body)
    assert (response.status, response.content_type) == (404, "application/problem+json")
    assert (document["code"], document["status"], document["title"]) == ("not-found", 404, "Not Found")
    assert violations(SCHEMAS["Problem"], document, "") == []


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/health", "GET, HEAD"),
        ("DELETE", "/v1/wallets", "GET, HEAD, POST"),
        ("PUT", "/v1/wallets/x", "GET, HEAD, PATCH"),
        ("GET", SWITCH, "POST"),
        ("HEAD", SWITCH, "POST"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones__DMN_7(rig: Rig, method: str, path: str, allow: str) -> None:
    response = rig.ask(method, path)
    assert response.status == 405
    assert ("Allow", allow) in response.headers


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"on": NaN}',
        b'{"on": true, "on": false}',
        b"\xff",
        b"[" * 100000,
        b"[true]",
        b'{"on": 1}',
    ],
)
def test_bad_json_is_a_400__DMN_7(rig: Rig, body: bytes) -> None:
    status, document = rig.json("POST", SWITCH, body)
    assert status == 400
    assert document["code"] in ("bad-json", "bad-request-body")


def test_every_mistake_in_a_body_is_listed__DMN_7(rig: Rig) -> None:
    status, document = rig.json("POST", "/v1/wallets", {"name": "", "chain": "doge", "publicKey": 1, "x": 1})
    assert (status, document["code"], len(document["problems"])) == (400, "bad-request-body", 5)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "limit=x", "before=-1", "nope=1", "limit=1&limit=2", "a=%ff"]
)
def test_a_bad_query_is_a_400__DMN_7(rig: Rig, query: str) -> None:
    status, document = rig.json("GET", f"/v1/admin/audit-log?{query}")
    assert (status, document["code"]) == (400, "bad-query")


def test_a_bug_is_a_500_and_a_line_in_the_log__DMN_7(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rig.probe, "report", lambda: 1 / 0)
    status, document = rig.json("GET", "/health")
    assert (status, document["code"]) == (500, "internal-error")
    assert any("ZeroDivisionError" in line for line in rig.sink.lines)


# --- documents --------------------------------------------------------------------------------------


def test_the_openapi_document_has_every_route_and_every_reference__DMN_4(rig: Rig) -> None:
    _, document = rig.json("GET", "/openapi.json")
    found = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert found == {(route.method, route.path) for route in ROUTES}
    assert document["openapi"].startswith("3.1")
    names = document["components"]["schemas"]
    assert names["HealthResponse"] == json_schema()
    for piece in json.dumps(document).split('"#/components/schemas/')[1:]:
        assert piece.partition('"')[0] in names
    operations = [item[method]["operationId"] for item in document["paths"].values() for method in item]
    assert len(set(operations)) == len(operations)


@pytest.mark.parametrize(
    "route", [r for r in ROUTES if r.response and r.method == "GET" and "{" not in r.path]
)
def test_answers_follow_their_published_schema__HLTH_03(rig: Rig, route: Any) -> None:
    _, document = rig.json("GET", route.path)
    assert violations(SCHEMAS[route.response], document, "") == []


def test_the_page_is_self_contained_and_locked_down__DMN_6(rig: Rig) -> None:
    response = rig.ask("GET", "/", token=None)
    text, headers = response.body.decode(), dict(response.headers)
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "<script" not in text
    assert "src=" not in text
    assert str(rig.layout.data_dir) not in text
    assert str(rig.layout.data_dir) in rig.ask("GET", "/").body.decode()


def test_the_page_escapes_what_the_feed_said__DMN_6(rig: Rig) -> None:
    notice = {"reason": "<script>alert(1)</script>", "to": None, "severity": "high"}
    with rig.database.writing() as connection:
        store_check(connection, CheckOutcome("1.9.0", notice, None), 1)
    assert b"<script" not in rig.ask("GET", "/", token=None).body
