"""What the daemon is for: wallets, kill switch, audit, behind a token (DMN-4, DMN-6)."""

from pathlib import Path
from typing import Any

from tests.journeys.api import contents, request
from tests.journeys.observe import kill_9, raw_get
from tests.journeys.workshop import Site

ETHEREUM = {
    "name": "treasury",
    "chain": "ethereum",
    "environment": "mainnet",
    "publicKey": "0x52908400098527886E0F7030069857D2E4169EE7",
}
SOLANA = {
    "name": "till",
    "chain": "solana",
    "environment": "testnet",
    "publicKey": "4Nd1mBQtrMJVYVfKf2PJy9NZUZdTAsp7D4xWLs4gDB4T",
}
PROTECTED = [
    ("GET", "/metrics"),
    ("GET", "/v1/admin/status"),
    ("GET", "/v1/admin/audit-log"),
    ("GET", "/v1/admin/backups"),
    ("POST", "/v1/admin/kill-switch"),
    ("GET", "/v1/wallets"),
    ("POST", "/v1/wallets"),
    ("GET", "/v1/wallets/x"),
    ("PATCH", "/v1/wallets/x"),
]


def events(installed: Site) -> list[str]:
    """The audit log, oldest first, as the API tells it."""
    status, page = request(installed, "GET", "/v1/admin/audit-log")
    assert status == 200
    return [entry["eventType"] for entry in reversed(page["data"])]


def refused(answer: tuple[int, Any], status: int, code: str) -> None:
    """A problem document with our stable code (RFC 9457)."""
    assert answer[0] == status, answer
    assert (answer[1]["status"], answer[1]["code"]) == (status, code), answer
    assert answer[1]["detail"]


def test_a_wallet_is_registered_renamed_suspended_and_resumed__DMN_4(installed: Site) -> None:
    """Each change is audited and seen by the command line at once; nonsense changes nothing."""
    installed.ok("start", "--detach")
    status, wallet = request(installed, "POST", "/v1/wallets", ETHEREUM)
    assert status == 201
    assert {name: wallet[name] for name in ETHEREUM} == ETHEREUM
    assert wallet["status"] == "ACTIVE"
    assert request(installed, "POST", "/v1/wallets", SOLANA)[0] == 201
    path = f"/v1/wallets/{wallet['id']}"
    assert request(installed, "GET", path) == (200, wallet)
    renamed = request(installed, "PATCH", path, {"name": "safe"})
    assert (renamed[0], renamed[1]["name"]) == (200, "safe")
    suspended = request(installed, "PATCH", path, {"status": "SUSPENDED", "reason": "key ceremony"})
    assert (suspended[1]["status"], suspended[1]["suspensionReason"]) == ("SUSPENDED", "key ceremony")
    [shown] = [w for w in installed.json("wallets", "list") if w["id"] == wallet["id"]]
    assert (shown["name"], shown["status"]) == ("safe", "SUSPENDED")
    assert "key ceremony" in installed.ok("wallets", "show", wallet["id"]).out
    resumed = request(installed, "PATCH", path, {"status": "ACTIVE"})
    assert (resumed[1]["status"], resumed[1]["suspensionReason"]) == ("ACTIVE", None)
    before, audited = contents(installed.database), events(installed)
    assert audited == [
        "WALLET_CREATED",
        "WALLET_CREATED",
        "WALLET_RENAMED",
        "WALLET_SUSPENDED",
        "WALLET_RESUMED",
    ]
    assert request(installed, "POST", "/v1/wallets", ETHEREUM)[0] == 409
    for body in ({**ETHEREUM, "publicKey": "0x12"}, {**SOLANA, "chain": "dogecoin"}, {}, [], "x"):
        assert request(installed, "POST", "/v1/wallets", body)[0] == 400, body
    assert request(installed, "PATCH", path, {"status": "TERMINATED"})[0] == 400
    refused(request(installed, "GET", "/v1/wallets/nobody"), 404, "wallet-not-found")
    refused(request(installed, "PATCH", "/v1/wallets/nobody", {"name": "x"}), 404, "wallet-not-found")
    assert request(installed, "DELETE", path)[0] == 405
    assert (contents(installed.database), events(installed)) == (before, audited)
    assert [entry["eventType"] for entry in reversed(installed.json("audit"))] == audited


def test_the_kill_switch_holds_from_either_side_and_over_a_kill__DMN_4(installed: Site) -> None:
    """Thrown in the API or on the command line, daemon up or down: nothing is written until it is off."""
    installed.ok("start", "--detach")

    def on() -> bool:
        said = [installed.json("kill-switch", "status")["on"]]
        said.append(request(installed, "GET", "/v1/admin/status")[1]["killSwitch"] != "ACTIVE")
        assert len(set(said)) == 1
        return bool(said[0])

    def registers() -> int:
        body = {**ETHEREUM, "publicKey": f"0x{len(events(installed)):040x}"}
        return request(installed, "POST", "/v1/wallets", body)[0]

    assert not on()
    assert request(installed, "POST", "/v1/admin/kill-switch", {"on": True})[1]["state"] == "SUSPENDED"
    assert on()
    refused(request(installed, "POST", "/v1/wallets", ETHEREUM), 409, "kill-switch-on")
    assert raw_get(installed, "/health")[0].status == 200
    kill_9(installed)
    assert installed.json("kill-switch", "status")["on"] is True
    installed.ok("start", "--detach")
    assert on()
    assert "off" in installed.ok("kill-switch", "off").out
    assert not on()
    assert registers() == 201
    installed.ok("stop")
    assert installed.json("kill-switch", "on")["state"] == "SUSPENDED"
    installed.ok("start", "--detach")
    assert on()
    assert registers() == 409
    assert request(installed, "POST", "/v1/admin/kill-switch", {"on": False})[0] == 200
    assert request(installed, "POST", "/v1/admin/kill-switch", {"on": "yes"})[0] == 400
    assert registers() == 201
    thrown, recovered = "KILL_SWITCH_ACTIVATED", "KILL_SWITCH_RECOVERED"
    assert events(installed) == [thrown, recovered, "WALLET_CREATED"] * 2


def test_nothing_is_open_without_the_token_and_it_is_written_nowhere__DMN_6(installed: Site) -> None:
    installed.ok("start", "--detach")
    token = installed.token
    for method, path in PROTECTED:
        refused(
            request(installed, method, path, {} if method != "GET" else None, token=False),
            401,
            "not-authorised",
        )
    (installed.data / "admin.token").write_text(token[:-1] + ("A" if token[-1] != "A" else "B"))
    for method, path in PROTECTED:
        refused(request(installed, method, path, {} if method != "GET" else None), 401, "not-authorised")
    (installed.data / "admin.token").write_text(token + "\n")
    assert request(installed, "GET", "/v1/wallets")[0] == 200
    for path in ("/health", "/livez", "/readyz", "/", "/openapi.json"):
        assert raw_get(installed, path)[0].status == 200, path
    assert token.encode() not in raw_get(installed, "/")[1]
    assert events(installed) == []
    installed.ok("backup", "create")
    said = [
        installed.ok(*words) for words in (["status"], ["doctor"], ["config", "show"], ["--json", "audit"])
    ]
    assert [done for done in said if token in done.out + done.err] == []
    installed.ok("stop")
    assert [path for path in files_with(installed.data, token) if path.name != "admin.token"] == []


def files_with(folder: Path, text: str) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]
