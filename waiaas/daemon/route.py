"""One row of the route table."""

from collections.abc import Callable
from typing import NamedTuple

from waiaas.daemon.parts import Call, Parts
from waiaas.daemon.reply import JSON, Response
from waiaas.daemon.schemas import Schema

Handler = Callable[[Parts, Call], Response]


class Route(NamedTuple):
    """`request` and `response` name a schema of `schemas.SCHEMAS`; `query` maps names to schemas."""

    method: str
    path: str
    name: str
    summary: str
    handler: Handler
    response: str | None
    auth: bool = True
    request: str | None = None
    query: dict[str, Schema] = {}  # noqa: RUF012 -- never changed
    status: int = 200
    content_type: str = JSON
