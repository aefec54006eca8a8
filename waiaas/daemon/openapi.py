"""The OpenAPI 3.1 document, generated from the route table and the schemas."""

import re
from collections.abc import Sequence

import waiaas
from waiaas.daemon.route import Route
from waiaas.daemon.schemas import SCHEMAS, Schema, reference

PROBLEM: Schema = {
    "description": "What went wrong, with a stable code.",
    "content": {"application/problem+json": {"schema": reference("Problem")}},
}
ASKS_FOR_PASSWORD = ("/admin",)  # HTTP Basic, for browsers
MAY_BE_UNWELL = ("/health", "/readyz")  # answer the same document with 503


def build(routes: Sequence[Route]) -> dict[str, object]:
    paths: dict[str, dict[str, object]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "WAIaaS daemon", "version": waiaas.__version__, "license": {"name": "MIT"}},
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route) -> dict[str, object]:
    schema: Schema = {"schema": reference(route.response)} if route.response else {}
    content = {route.content_type: schema}
    responses: dict[str, object] = {str(route.status): {"description": route.summary, "content": content}}
    if route.path in MAY_BE_UNWELL:
        responses["503"] = {"description": "The daemon cannot serve.", "content": content}
    if route.path in ASKS_FOR_PASSWORD:
        responses["401"] = {"description": "The token is needed, as a password.", "content": content}
    found: dict[str, object] = {
        "operationId": route.name,
        "summary": route.summary,
        "responses": {**responses, "default": PROBLEM},
        "security": [{"token": []}] if route.auth else [],
    }
    if parameters := _parameters(route):
        found["parameters"] = parameters
    if route.request:
        body = {"application/json": {"schema": reference(route.request)}}
        found["requestBody"] = {"required": True, "content": body}
    return found


def _parameters(route: Route) -> list[dict[str, object]]:
    in_path: list[dict[str, object]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)\}", route.path)
    ]
    return in_path + [{"name": name, "in": "query", "schema": schema} for name, schema in route.query.items()]
