"""A later version adds migration 17 by editing two literal lists, as the rehearsal overlays do."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import waiaas
from tests.store.old_databases import contents, layout_of, look_at, old_database

M17 = """
VERSION = 17
DESCRIPTION = "Add wallets.note"


def apply(connection, now):
    connection.execute("ALTER TABLE wallets ADD COLUMN note TEXT DEFAULT 'none'")
"""
WORK = """
import sys
from pathlib import Path
from waiaas.core.layout import Layout
from waiaas.host.clock import Clock
from waiaas.host.files import Files
from waiaas.store import schema
from waiaas.store.migrate import migrate_file
from waiaas.store.structure import facts
folder = Path(sys.argv[1])
layout = Layout(folder, folder / "data" / "waiaas.db", folder / "config.toml")
assert migrate_file(Files(), Clock(), layout) == (int(sys.argv[2]), 17)
schema.create(Files(), Clock(), folder / "new.db")
one, other = schema.connect(layout.database, "ro"), schema.connect(folder / "new.db", "ro")
assert facts(one) == facts(other) == schema.expected(17)
"""


@pytest.fixture(scope="module")
def next_version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree of a version that has schema 17."""
    tree = tmp_path_factory.mktemp("next")
    shutil.copytree(Path(waiaas.__file__).parent, tree / "waiaas")
    compat, steps = tree / "waiaas/core/compat.py", tree / "waiaas/store/migrations/__init__.py"
    edit(compat, "LATEST_SCHEMA_VERSION = 16", "LATEST_SCHEMA_VERSION = 17")
    edit(compat, '    16: ("1.6.1",', '    17: ("1.9.0",),\n    16: ("1.6.1",')
    edit(steps, "import m12, m13, m14, m15, m16", "import m12, m13, m14, m15, m16, m17")
    edit(steps, "(m12, m13, m14, m15, m16)", "(m12, m13, m14, m15, m16, m17)")
    (tree / "waiaas/store/migrations/m17.py").write_text(M17)
    (tree / "waiaas/__init__.py").write_text('__version__ = "1.8.1"\n')  # serves the oldest of old_databases
    return tree


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize("version", [11, 16])
def test_the_next_version_migrates_and_makes_the_same_database__MIG_05(
    tmp_path: Path, next_version: Path, version: int
) -> None:
    layout = layout_of(tmp_path)
    old_database(layout.database, version)
    before = contents(layout.database)
    done = subprocess.run(
        [sys.executable, "-c", WORK, str(tmp_path), str(version)],
        cwd=next_version,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    after = contents(layout.database)
    assert [row.pop("note") for row in after["wallets"]] == ["none", "none"]
    assert after["wallets"] == before["wallets"]
    assert [row["version"] for row in after["schema_version"]] == list(range(1, 18))
    state = look_at(layout)
    assert (state.schema, state.action) == (17, "reject")
