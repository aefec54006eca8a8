"""The one type that describes health, both ways through JSON."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waiaas.core.errors import WaiaasError
from waiaas.core.health import FIELDS, Observed, evaluate, from_json, json_schema, parse
from waiaas.core.value import replace

SEEN = Observed(version="1.8.0", schema=16, expected_schema=16, uptime=12.9, now=1739750400.7)
SEVEN = ["status", "version", "latestVersion", "updateAvailable", "schemaVersion", "uptime", "timestamp"]


def test_first_seven_fields_come_in_the_contracts_order__HLTH_01() -> None:
    assert list(evaluate(SEEN).to_json())[:7] == SEVEN


def test_latest_is_null_until_a_check_has_succeeded__HLTH_01() -> None:
    document = evaluate(SEEN).to_json()
    assert document["latestVersion"] is None
    assert document["updateAvailable"] is False


@pytest.mark.parametrize(
    ("latest", "available"),
    [
        ("1.9.0", True),
        ("1.10.0", True),
        ("1.8.0", False),
        ("1.7.9", False),
        ("1.8.0-rc.9", False),
        ("?", False),
    ],
)
def test_an_update_is_available_only_if_it_is_newer__HLTH_01(latest: str, available: bool) -> None:
    report = evaluate(replace(SEEN, latest=latest))
    assert report.update_available is available
    assert report.serves


def test_a_stored_version_nobody_can_read_counts_as_none__HLTH_01() -> None:
    assert evaluate(replace(SEEN, latest="next")).latest_version is None


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, "ok"),
        ({"latest": "2.0.0"}, "ok"),
        ({"probation": True}, "ok"),
        ({"schema": 15}, "degraded"),
        ({"schema": 17}, "degraded"),
        ({"readable": False}, "degraded"),
        ({"stopping": True}, "stopping"),
        ({"stopping": True, "readable": False}, "stopping"),
    ],
)
def test_status_says_whether_the_process_can_serve__HLTH_02(change: dict[str, object], status: str) -> None:
    report = evaluate(replace(SEEN, **change))  # type: ignore[arg-type]
    assert (report.status, report.serves) == (status, status == "ok")


def test_schema_version_is_what_was_read_even_when_it_is_not_ours__HLTH_02() -> None:
    assert evaluate(replace(SEEN, schema=62)).to_json()["schemaVersion"] == 62


def test_withdrawal_is_told_but_not_to_the_version_it_pointed_to__FEED_5() -> None:
    notice = {"reason": "loses keys", "to": "1.8.1", "severity": "high"}
    assert evaluate(replace(SEEN, withdrawn=notice)).to_json()["withdrawn"] == notice
    assert evaluate(replace(SEEN, withdrawn=notice, version="1.8.1")).withdrawn is None


@given(
    latest=st.none() | st.from_regex(r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}", fullmatch=True),
    schema=st.integers(0, 99),
    uptime=st.floats(0, 1e9),
    stopping=st.booleans(),
    probation=st.booleans(),
)
def test_what_was_written_is_read_back__HLTH_03(
    latest: str | None, schema: int, uptime: float, stopping: bool, probation: bool
) -> None:
    report = evaluate(
        replace(SEEN, latest=latest, schema=schema, uptime=uptime, stopping=stopping, probation=probation)
    )
    assert from_json(report.to_json()) == report


def test_the_schema_names_exactly_the_fields_that_are_written__HLTH_03() -> None:
    schema = json_schema()
    assert list(schema["properties"]) == list(evaluate(SEEN).to_json())  # type: ignore[call-overload]
    assert schema["required"] == SEVEN
    assert {field.attribute for field in FIELDS} == set(vars(evaluate(SEEN)))


def test_the_previous_implementations_answer_is_understood__DIR_4() -> None:
    document = {name: value for name, value in evaluate(SEEN).to_json().items() if name in SEVEN}
    report = from_json({**document, "newField": 1})
    assert (report.version, report.implementation, report.probation) == ("1.8.0", "", False)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"<html>", b"\xff", b'{"status": "ok"}', b"null"])
def test_another_programs_answer_is_refused__HLTH_03(body: bytes) -> None:
    with pytest.raises(WaiaasError) as refused:
        parse(body)
    assert refused.value.code == "bad-health"


@pytest.mark.parametrize(
    ("name", "value"),
    [("status", "fine"), ("uptime", "1"), ("uptime", True), ("updateAvailable", 1), ("latestVersion", 2)],
)
def test_a_member_of_another_type_is_refused__HLTH_03(name: str, value: object) -> None:
    with pytest.raises(WaiaasError):
        from_json({**evaluate(SEEN).to_json(), name: value})
