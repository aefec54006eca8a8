"""What a command does not load: each module is compiled again at each start (PRF-3, PRF-5)."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Waiaas

NEVER = {  # by no command that only looks
    "asyncio", "dataclasses", "email", "hashlib", "http.client", "inspect", "logging", "shutil", "socket",
    "ssl", "subprocess", "threading", "tuf", "urllib.request", "uuid",
    "waiaas.cli.alone", "waiaas.cli.progress", "waiaas.cli.service", "waiaas.cli.stopping",
    "waiaas.core.causes", "waiaas.core.incompatible", "waiaas.core.journal", "waiaas.core.settings_text",
    "waiaas.host.files", "waiaas.host.http", "waiaas.host.locks", "waiaas.host.processes",
    "waiaas.host.systemd", "waiaas.store.audit", "waiaas.store.backup", "waiaas.store.migrations",
    "waiaas.store.repair", "waiaas.store.tables", "waiaas.upgrade.box", "waiaas.upgrade.feed",
    "waiaas.upgrade.place", "waiaas.upgrade.story", "waiaas.upgrade.trust",
}  # fmt: skip
DATABASE = {"waiaas.store.inspect", "waiaas.store.history"}
PARSER = {"argparse", "waiaas.cli.parser"}
CODE = """\
import sys
from waiaas.cli.main import main
from waiaas.host.program import Program
with open("/dev/null", "w") as nowhere:
    code = main(sys.argv[1:], {"HOME": "/nonexistent"}, Program(None), nowhere, nowhere)
print(code, *sys.modules)
"""


def loaded(*argv: str) -> set[str]:
    done = subprocess.run(  # -S: without what site-packages start, like coverage
        [sys.executable, "-S", "-c", CODE, *argv],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("words", "more"),
    [
        (("status",), PARSER),
        (("config", "show"), DATABASE),
        (("backup", "list"), DATABASE),
        (("logs", "--help"), DATABASE),
        (("db", "--help"), {*DATABASE, "sqlite3", "tomllib"}),
        (("db", "status"), set()),
        (("wallets", "list"), {"waiaas.store.addresses"}),
        (("kill-switch", "status"), set()),
        (("completion", "bash"), {*DATABASE, "sqlite3", "tomllib", "waiaas.cli.start", "waiaas.cli.rights"}),
    ],
)
def test_a_command_loads_what_it_does_and_no_more__PRF_3(
    ready: Waiaas, data_dir: Path, words: tuple[str, ...], more: set[str]
) -> None:
    found = loaded("--data-dir", str(data_dir), *words)
    width = {"shutil"} if "--help" in words else set()  # help is as wide as the terminal
    assert sorted(((NEVER | more) - width) & found) == []
    assert "waiaas.cli.main" in found
