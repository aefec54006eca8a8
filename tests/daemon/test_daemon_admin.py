"""The application without sockets: administration and wallets, and what forbids changes (DMN-4, UPGR-07)."""

from typing import Any

import pytest

from tests.daemon.daemon_kit import ETHEREUM, SWITCH, Rig
from waiaas.daemon.body import violations
from waiaas.daemon.schemas import SCHEMAS
from waiaas.host.sqlite import connect_live

WALLET = {"name": "treasury", "chain": "ethereum", "environment": "testnet", "publicKey": ETHEREUM}


def registered(rig: Rig) -> dict[str, Any]:
    status, wallet = rig.json("POST", "/v1/wallets", WALLET)
    assert status == 201
    return dict(wallet)


# --- administration ---------------------------------------------------------------------------------


def test_the_kill_switch_goes_on_and_off_audited__DMN_4(rig: Rig) -> None:
    assert rig.json("POST", SWITCH, {"on": True}) == (200, {"on": True, "state": "SUSPENDED"})
    assert rig.json("POST", SWITCH, {"on": True})[1]["on"] is True
    assert rig.json("POST", SWITCH, {"on": False}) == (200, {"on": False, "state": "ACTIVE"})
    events = [entry["eventType"] for entry in rig.json("GET", "/v1/admin/audit-log")[1]["data"]]
    assert events == ["KILL_SWITCH_RECOVERED", "KILL_SWITCH_ACTIVATED"]


def test_in_probation_the_kill_switch_goes_on_but_not_off__UPGR_07(rig: Rig) -> None:
    rig.probation[0] = True
    assert rig.json("POST", SWITCH, {"on": True})[0] == 200
    response = rig.ask("POST", SWITCH, {"on": False})
    assert response.status == 503
    assert ("Retry-After", "5") in response.headers


def test_status_says_what_waiaas_status_shows__DMN_4(rig: Rig) -> None:
    registered(rig)
    status, document = rig.json("GET", "/v1/admin/status")
    assert status == 200
    assert (document["port"], document["schemaVersion"], document["wallets"]) == (3100, 16, 1)
    assert document["killSwitch"] == "ACTIVE"


def test_the_audit_log_is_paged_newest_first__DMN_4(rig: Rig) -> None:
    for on in (True, False, True):
        rig.ask("POST", SWITCH, {"on": on})
    _, first = rig.json("GET", "/v1/admin/audit-log?limit=2")
    _, second = rig.json("GET", f"/v1/admin/audit-log?limit=2&before={first['next']}")
    assert [entry["id"] for entry in first["data"] + second["data"]] == [3, 2, 1]
    assert second["next"] is None
    _, only = rig.json("GET", "/v1/admin/audit-log?eventType=KILL_SWITCH_RECOVERED")
    assert len(only["data"]) == 1


def test_backups_of_an_empty_folder_are_an_empty_page__DMN_4(rig: Rig) -> None:
    assert rig.json("GET", "/v1/admin/backups") == (200, {"data": [], "next": None})


def test_metrics_count_requests_by_route_not_by_path__DMN_4(rig: Rig) -> None:
    for path in ("/a", "/b", "/v1/wallets/x", "/v1/wallets/y"):
        rig.ask("GET", path)
    text = rig.ask("GET", "/metrics").body.decode()
    assert 'waiaas_http_requests_total{method="(unknown)",route="(unknown)",code="404"} 2' in text
    assert 'waiaas_http_requests_total{method="GET",route="/v1/wallets/{id}",code="404"} 2' in text
    assert "waiaas_schema_version 16" in text


# --- wallets ----------------------------------------------------------------------------------------


def test_a_wallet_is_registered_shown_and_audited__DMN_4(rig: Rig) -> None:
    wallet = registered(rig)
    assert violations(SCHEMAS["Wallet"], wallet, "") == []
    assert rig.json("GET", f"/v1/wallets/{wallet['id']}") == (200, wallet)
    assert rig.json("GET", "/v1/wallets") == (200, {"data": [wallet]})
    _, page = rig.json("GET", "/v1/admin/audit-log")
    assert (page["data"][0]["eventType"], page["data"][0]["walletId"]) == ("WALLET_CREATED", wallet["id"])


def test_renaming_suspending_resuming__DMN_4(rig: Rig) -> None:
    path = f"/v1/wallets/{registered(rig)['id']}"
    status, wallet = rig.json("PATCH", path, {"name": "new", "status": "SUSPENDED", "reason": "lost"})
    assert (status, wallet["name"], wallet["status"], wallet["suspensionReason"]) == (
        200,
        "new",
        "SUSPENDED",
        "lost",
    )
    assert rig.json("PATCH", path, {"status": "ACTIVE"})[1]["suspendedAt"] is None
    assert len(rig.json("GET", "/v1/admin/audit-log")[1]["data"]) == 4


def test_a_change_is_all_or_nothing__DMN_4(rig: Rig) -> None:
    path = f"/v1/wallets/{registered(rig)['id']}"
    status, document = rig.json("PATCH", path, {"name": "new", "status": "ACTIVE"})
    assert (status, document["code"]) == (409, "wallet-not-suspended")
    assert rig.json("GET", path)[1]["name"] == "treasury"
    assert len(rig.json("GET", "/v1/admin/audit-log")[1]["data"]) == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("PATCH", "/v1/wallets/none", {"name": "x"}, 404, "wallet-not-found"),
        ("GET", "/v1/wallets/none", None, 404, "wallet-not-found"),
        ("PATCH", "/v1/wallets/none", {}, 400, "bad-request-body"),
        ("PATCH", "/v1/wallets/none", {"reason": "x"}, 400, "bad-request-body"),
        ("POST", "/v1/wallets", {**WALLET, "publicKey": "0x12"}, 400, "bad-address"),
    ],
)
def test_wallet_mistakes_have_their_codes__DMN_7(
    rig: Rig, method: str, path: str, body: object, status: int, code: str
) -> None:
    found, document = rig.json(method, path, body)
    assert (found, document["code"]) == (status, code)


def test_the_same_address_twice_is_a_conflict__DMN_4(rig: Rig) -> None:
    registered(rig)
    status, document = rig.json("POST", "/v1/wallets", WALLET)
    assert (status, document["code"]) == (409, "wallet-exists")


def test_nothing_is_written_while_the_kill_switch_is_on__DMN_4(rig: Rig) -> None:
    path = f"/v1/wallets/{registered(rig)['id']}"
    rig.ask("POST", SWITCH, {"on": True})
    for method, target, body in (("POST", "/v1/wallets", {**WALLET}), ("PATCH", path, {"name": "x"})):
        status, document = rig.json(method, target, body)
        assert (status, document["code"]) == (409, "kill-switch-on")
    assert rig.json("GET", path)[1]["name"] == "treasury"


def test_nothing_is_written_in_probation__UPGR_07(rig: Rig) -> None:
    rig.probation[0] = True
    response = rig.ask("POST", "/v1/wallets", WALLET)
    assert (response.status, response.headers) == (503, (("Retry-After", "5"),))
    assert rig.json("GET", "/v1/wallets")[1] == {"data": []}


def test_a_database_locked_by_another_is_503__DMN_7(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    with rig.database.writing() as connection:
        connection.execute("PRAGMA user_version")
    rig.database._writer.execute("PRAGMA busy_timeout = 0")
    other = connect_live(rig.layout.database)
    other.execute("BEGIN IMMEDIATE")
    try:
        status, document = rig.json("POST", "/v1/wallets", WALLET)
    finally:
        other.close()
    assert (status, document["code"]) == (503, "database-unavailable")
