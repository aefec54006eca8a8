"""The whole command line in one process: real files, real SQLite, captured streams."""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from waiaas.cli.main import main
from waiaas.host.program import Program


@dataclass(frozen=True)
class Ran:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, str]:
        found: dict[str, str] = self.document["error"]
        assert set(found) == {"code", "message", "hint"}
        return found


Waiaas = Callable[..., Ran]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def waiaas(data_dir: Path) -> Waiaas:
    """`waiaas("init")` on `data_dir`, as run from a source tree."""

    def run(*argv: str, environ: Mapping[str, str] | None = None, program: Program | None = None) -> Ran:
        out, err = io.StringIO(), io.StringIO()
        values = {"WAIAAS_DATA_DIR": str(data_dir), **(environ or {})}
        code = main(argv, values, program or Program(None), out, err)
        return Ran(int(code), out.getvalue(), err.getvalue())

    return run


@pytest.fixture
def ready(waiaas: Waiaas) -> Waiaas:
    """The same, on an initialised directory."""
    assert waiaas("init").code == 0
    return waiaas
