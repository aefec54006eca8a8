"""What a command does not load: each module is compiled again at each start (PRF-3, PRF-5)."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Waiaas

NEVER = {  # by no command that only looks
    "asyncio", "dataclasses", "email", "hashlib", "http.client", "inspect", "logging", "shutil", "socket",
    "ssl", "subprocess", "threading", "tomllib", "tuf", "typing", "urllib.request", "uuid",
    "waiaas.cli.again", "waiaas.cli.alone", "waiaas.cli.failures", "waiaas.cli.progress",
    "waiaas.cli.service", "waiaas.cli.stopping", "waiaas.cli.unsettled", "waiaas.core.causes",
    "waiaas.core.incompatible", "waiaas.core.journal", "waiaas.core.settings_sources",
    "waiaas.core.settings_text", "waiaas.core.settings_values", "waiaas.core.version",
    "waiaas.host.files", "waiaas.host.http", "waiaas.host.locks", "waiaas.host.processes",
    "waiaas.host.sqlite_copies", "waiaas.host.systemd", "waiaas.store.audit", "waiaas.store.backup",
    "waiaas.store.migrations", "waiaas.store.repair", "waiaas.store.structure", "waiaas.store.switching",
    "waiaas.store.tables", "waiaas.store.unreadable", "waiaas.upgrade.book", "waiaas.upgrade.box",
    "waiaas.upgrade.feed", "waiaas.upgrade.place", "waiaas.upgrade.story", "waiaas.upgrade.trust",
}  # fmt: skip
DATABASE = {"waiaas.store.inspect", "waiaas.store.history"}
PARSER = {"argparse", "waiaas.cli.parser", "waiaas.cli.usage"}
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
        (("config", "show"), DATABASE | PARSER),
        (("backup", "list"), DATABASE | PARSER),
        (("logs", "--help"), {*DATABASE, "sqlite3", "waiaas.cli.logs", "waiaas.cli.context"}),
        (("db", "--help"), {*DATABASE, "sqlite3", "waiaas.cli.db", "waiaas.cli.context"}),
        (("db", "status"), PARSER),
        (("wallets", "list"), {*PARSER, "waiaas.store.addresses"}),
        (("kill-switch", "status"), PARSER),
        (("completion", "bash"), {*DATABASE, "sqlite3", "waiaas.cli.start", "waiaas.cli.context"}),
    ],
)
def test_a_command_loads_what_it_does_and_no_more__PRF_3(
    ready: Waiaas, data_dir: Path, words: tuple[str, ...], more: set[str]
) -> None:
    found = loaded("--data-dir", str(data_dir), *words)
    width = {"shutil"} if "--help" in words else set()  # help is as wide as the terminal
    assert sorted(((NEVER | more) - width) & found) == []
    assert "waiaas.cli.main" in found
