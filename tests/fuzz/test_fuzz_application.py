"""Any request at all to the application: never an error of ours, never a change without the token."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.daemon.daemon_kit import TOKEN, Rig, rig_in
from tests.fuzz.fuzz_kit import anything, as_bytes, damaged, fuzz
from waiaas.daemon.wire import Request

WALLET = {"name": "a", "chain": "ethereum", "environment": "mainnet", "publicKey": "0x" + "1" * 40}
PATHS = [
    "/", "/health", "/livez", "/readyz", "/metrics", "/openapi.json", "/v1/wallets", "/v1/wallets/x",
    "/v1/admin/status", "/v1/admin/audit-log", "/v1/admin/backups", "/v1/admin/kill-switch", "*", "/%00",
    "//",
]  # fmt: skip
methods = st.sampled_from(["GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS", "BREW"])
paths = st.sampled_from(PATHS) | st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20)
queries = st.sampled_from(
    ["", "limit=5", "limit=-1", "before=x", "limit=1&limit=2", "a", "%ff=%ff", "limit=٣"]
)
values = st.text(st.characters(max_codepoint=255), max_size=20)
tokens = (
    st.sampled_from([f"Bearer {TOKEN}", f"bearer {TOKEN}", "Bearer ", TOKEN, f"Bearer {TOKEN}x"]) | values
)
bodies = st.binary(max_size=60) | st.one_of(damaged(WALLET), damaged({"on": True}), anything).map(as_bytes)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig_in(tmp_path_factory.mktemp("fuzz"), level="error") as made:
        yield made


@fuzz(300)
@given(methods, paths, queries, tokens, values, bodies)
def test_no_request_is_an_error_of_ours__DMN_7(
    rig: Rig, method: str, path: str, query: str, token: str, host: str, body: bytes
) -> None:
    headers = {"host": "localhost", "x": host, "authorization": token, "content-type": "application/json"}
    for name in ("localhost", host):
        headers["host"] = name
        response = rig.app.handle(Request(method, path, query, headers, body))
        assert response.status < 500, (response.status, response.body)
    assert rig.sink.lines == []


@fuzz(150)
@given(st.one_of(damaged(WALLET), anything), st.sampled_from(["/v1/wallets", "/v1/admin/kill-switch"]))
def test_nothing_is_written_without_the_token__DMN_4(rig: Rig, document: Any, path: str) -> None:
    before = rig.json("GET", "/v1/admin/status")[1].get("killSwitch"), rig.json("GET", "/v1/wallets")[1]
    for token in (None, "", TOKEN[:-1], TOKEN.upper()):
        assert rig.ask("POST", path, as_bytes(document), token=token).status == 401
    after = rig.json("GET", "/v1/admin/status")[1].get("killSwitch"), rig.json("GET", "/v1/wallets")[1]
    assert after == before
