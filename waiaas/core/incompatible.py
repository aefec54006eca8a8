"""What to say about a database whose schema this version does not serve (CMPT-02, CMPT-03)."""

from waiaas.core.compat import LATEST_SCHEMA_VERSION, MIN_COMPATIBLE_SCHEMA_VERSION, TooNew, TooOld, assess
from waiaas.core.errors import SchemaIncompatible


def require_compatible(schema: int) -> None:
    """Raise `SchemaIncompatible` (exit 6) unless the database can be served, migrated or not."""
    verdict = assess(schema)
    if isinstance(verdict, TooNew):
        raise _too_new(verdict)
    if isinstance(verdict, TooOld):
        raise _too_old(verdict)


def _too_new(verdict: TooNew) -> SchemaIncompatible:
    author = f"WAIaaS {verdict.written_by}" if verdict.written_by else "a newer WAIaaS"
    return SchemaIncompatible(
        "schema-too-new",
        f"the database has schema {verdict.schema}, written by {author}, and this version knows schemas"
        f" up to {LATEST_SCHEMA_VERSION}: upgrade your WAIaaS; the database was not touched",
        "run `waiaas upgrade`; to go back instead, run `waiaas upgrade --rollback`,"
        " or restore an older backup: `waiaas backup list`, then `waiaas backup restore ID`",
    )


def _too_old(verdict: TooOld) -> SchemaIncompatible:
    author = f", written by WAIaaS {verdict.written_by}," if verdict.written_by else ""
    first, last = verdict.via
    return SchemaIncompatible(
        "schema-too-old",
        f"the database has schema {verdict.schema}{author} and this version migrates from schema"
        f" {MIN_COMPATIBLE_SCHEMA_VERSION} on: first upgrade to {first}, then to {last};"
        " the database was not touched",
        f"install WAIaaS {first} (the previous implementation), run its `waiaas start` once and stop it,"
        f" then run `waiaas start` of {last} again",
    )
