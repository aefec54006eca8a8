"""What a check is given, and what it yields."""

from collections.abc import Callable, Iterator
from typing import Any

from waiaas.cli.context import Context, Loaded
from waiaas.core.value import frozen

OK, WARNING, PROBLEM = "ok", "warning", "problem"


@frozen
class Finding:
    """`verdict` is ok, warning (it works, and should not stay so) or problem; `hint` mends it."""

    check: str
    verdict: str
    message: str
    hint: str = ""


@frozen
class Installation:
    """One data directory as it is found. `pid` of its daemon, None if none runs; `known` is what that
    daemon wrote down, or what a killed one left."""

    context: Context
    loaded: Loaded
    pid: int | None
    known: dict[str, Any]

    def again(self, command: str) -> str:
        """A command line to type, with the same data directory as this one."""
        return self.context.again(command).strip("`")


Check = Callable[[Installation], Iterator[Finding]]
