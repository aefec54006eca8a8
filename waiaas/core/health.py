"""What a daemon says about its health: one type for both ends of the wire (HLTH-03).

The daemon evaluates and encodes it; `waiaas health`, probation, SDK and MCP decode it; the OpenAPI
schema `HealthResponse` and the status page are generated from `FIELDS`. A field exists in that table
or nowhere.
"""

import json
from collections.abc import Mapping

from waiaas.core.errors import UsageError, WaiaasError
from waiaas.core.value import frozen
from waiaas.core.version import Version

IMPLEMENTATION = "python"  # nobody mistakes us for the previous 1.8.0 (SHP-4)


@frozen
class Field:
    """One member of the document: its name on the wire, our attribute, its JSON Schema."""

    name: str
    attribute: str
    schema: dict[str, object]
    required: bool = True


FIELDS: tuple[Field, ...] = (
    Field("status", "status", {"type": "string", "enum": ["ok", "degraded", "stopping"]}),
    Field("version", "version", {"type": "string", "description": "Version that answers."}),
    Field(
        "latestVersion",
        "latest_version",
        {"type": ["string", "null"], "description": "Newest eligible version; null before the first check."},
    ),
    Field("updateAvailable", "update_available", {"type": "boolean"}),
    Field(
        "schemaVersion",
        "schema_version",
        {"type": "integer", "description": "Schema version read from the database."},
    ),
    Field("uptime", "uptime", {"type": "integer", "description": "Seconds since the start."}),
    Field("timestamp", "timestamp", {"type": "integer", "description": "Unix seconds."}),
    Field("implementation", "implementation", {"type": "string"}, required=False),
    Field(
        "withdrawn",
        "withdrawn",
        {
            "type": ["object", "null"],
            "description": "Why the running version was withdrawn, and where to go.",
        },
        required=False,
    ),
    Field(
        "probation",
        "probation",
        {"type": "boolean", "description": "An upgrade to this version has not committed yet."},
        required=False,
    ),
)


@frozen
class HealthReport:
    """The answer of `GET /health`. `uptime` is in seconds, `timestamp` in Unix seconds."""

    status: str
    version: str
    latest_version: str | None
    update_available: bool
    schema_version: int
    uptime: int
    timestamp: int
    implementation: str = IMPLEMENTATION
    withdrawn: Mapping[str, object] | None = None
    probation: bool = False

    @property
    def serves(self) -> bool:
        """HTTP 200 if so, else 503 (HLTH-02). An available update is never ill health."""
        return self.status == "ok"

    def to_json(self) -> dict[str, object]:
        """The document, its members in the order of HLTH-01."""
        return {field.name: getattr(self, field.attribute) for field in FIELDS}


@frozen
class Observed:
    """What the daemon sees of itself. `schema` is the last one read; `readable`: it was read just now."""

    version: str
    schema: int
    expected_schema: int
    uptime: float
    now: float
    readable: bool = True
    latest: str | None = None
    withdrawn: Mapping[str, object] | None = None
    stopping: bool = False
    probation: bool = False


def evaluate(seen: Observed) -> HealthReport:
    """Judge: pure, from values and a time."""
    latest = _version(seen.latest)
    running = _version(seen.version)
    return HealthReport(
        status=_status(seen),
        version=seen.version,
        latest_version=str(latest) if latest else None,
        update_available=latest is not None and running is not None and latest > running,
        schema_version=seen.schema,
        uptime=max(0, int(seen.uptime)),
        timestamp=int(seen.now),
        withdrawn=_withdrawn(seen),
        probation=seen.probation,
    )


def from_json(document: object) -> HealthReport:
    """Decode an answer; unknown members are ignored. Raises WaiaasError "bad-health".

    The previous implementation answers without the optional members: `implementation` is "" then.
    """
    if not isinstance(document, dict):
        raise _bad("it is not a JSON object")
    values: dict[str, object] = {}
    for field in FIELDS:
        if field.name in document:
            values[field.attribute] = _checked(field, document[field.name])
        elif field.required:
            raise _bad(f"it lacks {field.name}")
    values.setdefault("implementation", "")
    return HealthReport(**values)  # type: ignore[arg-type]  # each was checked against its schema


def parse(body: bytes) -> HealthReport:
    """`from_json` of the bytes of a response."""
    try:
        return from_json(json.loads(body))
    except (ValueError, RecursionError) as problem:  # JSON, however deep
        raise _bad("it is not JSON") from problem


def json_schema() -> dict[str, object]:
    """The OpenAPI schema `HealthResponse`."""
    return {
        "type": "object",
        "properties": {field.name: dict(field.schema) for field in FIELDS},
        "required": [field.name for field in FIELDS if field.required],
    }


def _status(seen: Observed) -> str:
    if seen.stopping:
        return "stopping"
    return "ok" if seen.readable and seen.schema == seen.expected_schema else "degraded"


def _withdrawn(seen: Observed) -> dict[str, object] | None:
    """What is stored about the version before an upgrade is not said of the one it led to."""
    if not seen.withdrawn or seen.withdrawn.get("to") == seen.version:
        return None
    return dict(seen.withdrawn)


def _version(text: str | None) -> Version | None:
    """A stored version that nobody can read counts as none."""
    try:
        return Version.parse(text) if text else None
    except UsageError:
        return None


TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "object": dict,
    "null": type(None),
}


def _checked(field: Field, value: object) -> object:
    wanted = field.schema["type"]
    names = [wanted] if isinstance(wanted, str) else wanted
    assert isinstance(names, list)  # noqa: S101 -- FIELDS above
    if not any(_is(value, name) for name in names):
        raise _bad(f"{field.name} is not {' or '.join(names)}")
    if "enum" in field.schema and value not in field.schema["enum"]:  # type: ignore[operator]
        raise _bad(f"{field.name} is {value!r}")
    return value


def _is(value: object, name: str) -> bool:
    if name == "integer" and isinstance(value, bool):
        return False
    return isinstance(value, TYPES[name])


def _bad(why: str) -> WaiaasError:
    return WaiaasError(
        "bad-health",
        f"what answered is not a healthy WAIaaS daemon: {why}",
        "check that the port belongs to WAIaaS: waiaas status",
    )
