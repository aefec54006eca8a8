"""A package index, looked at: whether a version is there, and whether it is yanked (PEP 592).

There is no interface for yanking, so a person does it in the browser, and this module sees the result.
"""

import json

from waiaas.core.errors import WaiaasError
from waiaas.core.version import Version
from waiaas.host.http import Network
from waiaas.host.problems import HttpStatus

ABSENT, OFFERED, YANKED = "absent", "offered", "yanked"
PATIENCE, BUDGET = 30.0, 4 << 20  # seconds; bytes
GONE = 404


def look(network: Network, address: str, name: str, version: Version) -> str:
    """ABSENT, OFFERED or YANKED, from the index's JSON. Raises WaiaasError."""
    try:
        data = network.get(f"{address}/pypi/{name}/{version.pep440}/json", PATIENCE, BUDGET)
        files = json.loads(data)["urls"]
        states = {bool(file["yanked"]) for file in files}
    except HttpStatus as problem:
        if problem.status == GONE:
            return ABSENT
        raise
    except (ValueError, KeyError, TypeError) as problem:
        raise WaiaasError(
            "bad-index", f"{address} does not answer as a package index: {problem!r}"
        ) from problem
    return ABSENT if not states else YANKED if states == {True} else OFFERED
