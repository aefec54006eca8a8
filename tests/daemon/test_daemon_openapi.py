"""`/openapi.json` is an OpenAPI 3.1 document, and every answer is what it says (DMN-4, HLTH-03)."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.daemon.daemon_kit import ETHEREUM, Rig
from waiaas.daemon.openapi import build
from waiaas.daemon.routes import ROUTES

KINDS = {"string", "number", "integer", "boolean", "object", "array", "null"}
KEYWORDS = {
    "$ref", "type", "properties", "required", "additionalProperties", "minProperties", "items", "enum",
    "minimum", "maximum", "minLength", "maxLength", "description",
}  # fmt: skip
PYTHON = {"string": str, "integer": int, "boolean": bool, "object": dict, "array": list, "null": type(None)}
WALLET = {"name": "a", "chain": "ethereum", "environment": "mainnet", "publicKey": ETHEREUM}


@pytest.fixture(scope="module")
def document() -> Any:
    """As it is after the wire: plain JSON."""
    return json.loads(json.dumps(build(ROUTES), allow_nan=False))


def operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def schemas(value: Any) -> Iterator[Any]:
    """Every schema below `value`, whether it stands under a name or in place."""
    if isinstance(value, list):
        for inner in value:
            yield from schemas(inner)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name == "schema":
                yield from subschemas(inner)
            else:
                yield from schemas(inner)


def subschemas(schema: Any) -> Iterator[Any]:
    yield schema
    for inner in (*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])):
        yield from subschemas(inner)


def test_the_root_has_what_every_reader_expects__DMN_4(document: Any) -> None:
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
    assert set(document) <= {"openapi", "info", "paths", "components", "servers", "security", "tags"}
    assert {"title", "version"} <= set(document["info"])
    assert all(path.startswith("/") for path in document["paths"])
    assert set(document["components"]) <= {"schemas", "securitySchemes"}
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in document["components"]["schemas"])


def test_every_operation_is_complete_and_its_parameters_are_those_of_its_path__DMN_4(document: Any) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names)) == len(ROUTES)
    for path, method, operation in operations(document):
        assert method in {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
        parameters = operation.get("parameters", [])
        keys = [(p["name"], p["in"]) for p in parameters]
        assert len(keys) == len(set(keys))
        assert {n for n, where in keys if where == "path"} == set(re.findall(r"\{(\w+)\}", path))
        assert all(p.get("required") is True for p in parameters if p["in"] == "path")
        assert all("schema" in p and p["in"] in ("path", "query") for p in parameters)
        assert all(re.fullmatch(r"[1-5]\d\d|default", status) for status in operation["responses"])
        assert any(status.startswith("2") for status in operation["responses"])
        for response in operation["responses"].values():
            assert response["description"]
            assert all("/" in kind for kind in response["content"])
        assert ("requestBody" in operation) == (method in ("post", "patch", "put"))
        for requirement in operation["security"]:
            assert set(requirement) <= set(document["components"]["securitySchemes"])


def test_every_schema_is_a_json_schema_whose_references_lead_somewhere__DMN_4(document: Any) -> None:
    named = document["components"]["schemas"]
    every = list(schemas(document["paths"])) + [s for schema in named.values() for s in subschemas(schema)]
    assert len(every) > 50
    used = set()
    for schema in every:
        assert set(schema) <= KEYWORDS, schema
        kinds = schema.get("type", [])
        assert {kinds} <= KINDS if isinstance(kinds, str) else set(kinds) <= KINDS
        assert set(schema.get("required", [])) <= set(schema.get("properties", {}))
        assert schema.get("enum", [None])
        assert schema.get("minimum", 0) <= schema.get("maximum", 1 << 60)
        assert schema.get("minLength", 0) <= schema.get("maxLength", 1 << 60)
        if "$ref" in schema:
            prefix, _, name = schema["$ref"].rpartition("/")
            assert prefix == "#/components/schemas"
            used.add(name)
    assert used == set(named)


def breaks(document: Any, schema: Any, value: Any) -> list[str]:
    """What in `value` the schema does not allow; of JSON Schema only what ours use."""
    if "$ref" in schema:
        return breaks(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], value)
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(type(value) is PYTHON[kind] for kind in kinds):
        return [f"{value!r} is no {kinds}"]
    found = [f"{value!r} is not in {schema['enum']}"] if value not in schema.get("enum", [value]) else []
    if isinstance(value, dict):
        known = schema.get("properties", {})
        found += [f"{name} is missing" for name in schema.get("required", []) if name not in value]
        found += [
            f"{n} is unknown"
            for n in value
            if n not in known and not schema.get("additionalProperties", True)
        ]
        return found + [
            b for n, inner in known.items() if n in value for b in breaks(document, inner, value[n])
        ]
    if isinstance(value, list):
        return found + [b for item in value for b in breaks(document, schema.get("items", {}), item)]
    return found


def test_every_answer_is_what_the_document_says__HLTH_03(rig: Rig, document: Any) -> None:
    made = rig.json("POST", "/v1/wallets", WALLET)[1]
    bodies = {
        "/v1/wallets": {**WALLET, "name": "b", "publicKey": "0x" + "2" * 40},
        "/v1/admin/kill-switch": {"on": False},
    }
    for path, method, operation in operations(document):
        target = path.replace("{id}", made["id"])
        body = None if method == "get" else bodies.get(path, {"name": "c"})
        for token in (None, "wrong", ...):
            given = {} if token is ... else {"token": token}
            response = rig.ask(method.upper(), target, body, **given)
            status = str(response.status)
            described = operation["responses"].get(status, operation["responses"]["default"])
            assert token is ... or not operation["security"] or status == "401"
            kind = response.content_type.partition(";")[0]
            assert kind in described["content"], (method, path, kind)
            schema = described["content"][kind].get("schema")
            if schema:
                assert breaks(document, schema, json.loads(response.body)) == [], (method, path, token)
        assert status in operation["responses"], (method, path, status)
