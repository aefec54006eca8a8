"""What a built file says about itself, read without running any of it.

The build's facts are in `waiaas/_build.json`; the schema range follows from what `waiaas/core/compat.py`
inside the archive states as literals, so that it is the shipped code that is described.
"""

import ast
import json
import zipfile
from pathlib import Path
from typing import Any

from waiaas.core.compat import oldest_served
from waiaas.core.errors import WaiaasError
from waiaas.core.release import SchemaRange
from waiaas.core.value import frozen
from waiaas.core.version import Version
from waiaas.host.files import sha256

BUILD = "waiaas/_build.json"
COMPAT = "waiaas/core/compat.py"
ROOT = "waiaas/upgrade/root.json"
LATEST, TABLE = "LATEST_SCHEMA_VERSION", "SCHEMAS"
BACK_TO = "COMPATIBLE_BACK_TO"  # optional: an older program can serve what this one wrote


@frozen
class Artefact:
    """`length` in bytes, `built` in Unix seconds, `sha256` in hex."""

    path: Path
    length: int
    sha256: str
    version: Version
    commit: str
    built: int
    python: str
    schema: SchemaRange


def read(path: Path) -> Artefact:
    """Raises WaiaasError `not-an-artefact`, or `no-root-inside` for one that could never upgrade."""
    try:
        with zipfile.ZipFile(path) as archive:
            facts = json.loads(archive.read(BUILD))
            constants = _constants(archive.read(COMPAT))
            rooted = ROOT in archive.namelist()
        version = Version.parse(facts["version"])
        schema = _schema(version, constants)
        commit, built, python = str(facts["commit"]), int(facts["built"]), str(facts["python"])
    except (
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        SyntaxError,
        WaiaasError,
    ) as problem:
        raise WaiaasError(
            "not-an-artefact", f"{path} is no artefact of WAIaaS: {problem}", "make one with `build`"
        ) from problem
    if not rooted:
        raise WaiaasError(
            "no-root-inside",
            f"{path} was built without a root of trust, so whoever installs it could never upgrade again",
            "build it with --root K/root.json",
        )
    return Artefact(path, path.stat().st_size, sha256(path), version, commit, built, python, schema)


def _schema(version: Version, constants: dict[str, Any]) -> SchemaRange:
    latest = int(constants[LATEST])
    oldest = oldest_served(str(version), constants[TABLE])
    return SchemaRange(oldest, latest, latest, int(constants.get(BACK_TO, latest)))


def _constants(source: bytes) -> dict[str, Any]:
    """What the module says of schemas; raises ValueError for a value that is no literal."""
    found = {}
    for node in ast.parse(source).body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ) if name in (LATEST, TABLE, BACK_TO):
                found[name] = ast.literal_eval(value)
    return found
