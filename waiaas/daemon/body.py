"""Request bodies and queries: strict JSON, judged by the schema that the OpenAPI document shows.

The few keywords of JSON Schema that our schemas use; every mistake is reported, not the first.
"""

import json
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl

from waiaas.daemon.problem import Problem
from waiaas.daemon.wire import Request

MAX_PARAMETERS = 20
TYPES = {"string": str, "boolean": bool, "integer": int, "object": dict, "array": list, "null": type(None)}


def json_object(request: Request, schema: Mapping[str, object]) -> dict[str, object]:
    """The body as an object that satisfies `schema`. Raises `Problem` 400 or 415."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Problem(415, "not-json", "the body must be JSON", "send Content-Type: application/json")
    try:
        value = json.loads(
            request.body.decode("utf-8"), object_pairs_hook=_no_duplicates, parse_constant=_refuse
        )
    except (ValueError, RecursionError) as problem:
        raise Problem(400, "bad-json", f"the body is not valid JSON: {_reason(problem)}") from problem
    found = violations(schema, value, "")
    if found:
        raise Problem(400, "bad-request-body", f"the body is wrong: {'; '.join(found)}", problems=found)
    return dict(value)


def query_values(request: Request, parameters: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    """The query, each value converted to the type of its parameter. Raises `Problem` 400."""
    try:
        pairs = parse_qsl(
            request.query, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS
        )
    except ValueError as problem:
        raise Problem(400, "bad-query", "the query of the URL is malformed") from problem
    found: list[str] = []
    values: dict[str, object] = {}
    for name, text in pairs:
        if name not in parameters or name in values:
            found.append(f"{name!r} is {'given twice' if name in values else 'no parameter of this route'}")
            continue
        values[name] = _converted(text, parameters[name])
        found += violations(parameters[name], values[name], name)
    if found:
        raise Problem(400, "bad-query", f"the query is wrong: {'; '.join(found)}", problems=found)
    return values


def violations(schema: Mapping[str, object], value: object, where: str) -> list[str]:
    """Everything in `value` that breaks the schema, one sentence each."""
    label = where or "the body"
    names = schema.get("type")
    kinds = [names] if isinstance(names, str) else list(_sequence(names))
    if kinds and not any(_is(value, str(kind)) for kind in kinds):
        return [f"{label} must be {' or '.join(map(str, kinds))}"]
    if "enum" in schema and value not in _sequence(schema["enum"]):
        return [f"{label} must be one of {', '.join(map(str, _sequence(schema['enum'])))}"]
    if isinstance(value, dict):
        return _object_violations(schema, value, where)
    if isinstance(value, str):
        return _range(label, len(value), schema.get("minLength"), schema.get("maxLength"), " characters")
    if isinstance(value, int) and not isinstance(value, bool):
        return _range(label, value, schema.get("minimum"), schema.get("maximum"), "")
    return []


def _object_violations(schema: Mapping[str, object], value: dict[str, object], where: str) -> list[str]:
    properties = schema.get("properties")
    known: Mapping[str, object] = properties if isinstance(properties, dict) else {}
    prefix = f"{where}." if where else ""
    found = [f"{prefix}{name} is missing" for name in _sequence(schema.get("required")) if name not in value]
    if schema.get("additionalProperties") is False:
        found += [f"{prefix}{name[:60]} is unknown" for name in value if name not in known]
    if isinstance(least := schema.get("minProperties"), int) and len(value) < least:
        found.append(f"{where or 'the body'} needs one of {', '.join(known)}")
    for name, inner in known.items():
        if name in value and isinstance(inner, dict):
            found += violations(inner, value[name], f"{prefix}{name}")
    return found


def _range(label: str, size: int, low: object, high: object, unit: str) -> list[str]:
    if isinstance(low, int) and size < low:
        return [f"{label} must be at least {low}{unit}"]
    if isinstance(high, int) and size > high:
        return [f"{label} must be at most {high}{unit}"]
    return []


def _is(value: object, kind: str) -> bool:
    return isinstance(value, TYPES[kind]) and not (kind == "integer" and isinstance(value, bool))


def _converted(text: str, schema: Mapping[str, object]) -> object:
    if schema.get("type") == "integer" and text.isascii() and text.isdigit() and len(text) < 16:
        return int(text)
    return text


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, (list, tuple)) else ()


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member occurs twice")
    return found


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")


def _reason(problem: Exception) -> str:
    if isinstance(problem, RecursionError):
        return "it is nested too deeply"
    if isinstance(problem, json.JSONDecodeError):
        return f"{problem.msg} at line {problem.lineno}, column {problem.colno}"
    return "it is not UTF-8" if isinstance(problem, UnicodeDecodeError) else str(problem)
