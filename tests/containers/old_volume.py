"""A volume as the previous implementation's image left it, and its rows before and after."""

import hashlib
import json
import os
import shutil
import tarfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.journeys.api import contents, reader, without
from tests.journeys.workshop import REPOSITORY
from tests.store.old_databases import old_database
from tests.tars import extract

USER = 1001  # of the previous implementation's image
VERSION, SCHEMA = "1.5.3", 13
ALIVE = {"schema_version", "key_value_store"}  # a start adds rows there
STATE = '"kill_switch_state"'  # its NORMAL is our ACTIVE


def fill(volume: Path) -> str:
    """Put a directory of 1.5.3 there; says which: the real one, or, where that is absent, one of ours."""
    given = os.environ.get("WAIAAS_LEGACY_DIR")
    folder = Path(given) if given else REPOSITORY.parent / "shared" / "legacy"
    archive = folder / f"waiaas-{VERSION}.tar.gz"
    if archive.is_file():
        _unpack(archive, volume)
        what = f"the real directory of {VERSION}"
    else:
        _make(volume)
        what = f"a directory like that of {VERSION} (SKIP the real one: no {archive.name}, WAIAAS_LEGACY_DIR)"
    for path in (volume, *volume.rglob("*")):
        os.chown(path, USER, USER, follow_symlinks=False)
    return what


def _unpack(archive: Path, volume: Path) -> None:
    with tarfile.open(archive) as tar:
        extract(tar, volume / ".unpacked")
    [inside] = (volume / ".unpacked").iterdir()
    shutil.copytree(inside, volume, dirs_exist_ok=True, symlinks=True)
    shutil.rmtree(volume / ".unpacked")


def _make(volume: Path) -> None:
    for name in ("data", "keystore"):
        (volume / name).mkdir(mode=0o700)
    (volume / "keystore" / "wallet.json").write_text("{}")
    (volume / "config.toml").write_text(
        '[daemon]\nport = 3100\nhostname = "127.0.0.1"\n\n[database]\npath = "data/waiaas.db"\n'
    )
    old_database(volume / "data" / "waiaas.db", SCHEMA)


@dataclass(frozen=True)
class Rows:
    """What a database holds: the rows of each table as text, and the audit log in its order."""

    tables: dict[str, list[str]]
    audit: list[tuple[object, ...]]

    @property
    def columns(self) -> dict[str, set[str]]:
        """Of each table that has a row."""
        return {name: set(json.loads(rows[0])) for name, rows in self.tables.items() if rows}

    def only(self, before: "Rows") -> "Rows":
        """The same without the columns that `before` did not have."""
        known, mine = before.columns, self.columns
        cut = {name: mine[name] - known[name] for name in mine if name in known}
        tables = {name: without(rows, *cut.get(name, ())) for name, rows in self.tables.items()}
        return Rows(tables, self.audit)


def rows(database: Path) -> Rows:
    """Read while no daemon runs."""
    with closing(reader(database)) as db:
        audit = db.execute("SELECT * FROM audit_log ORDER BY id").fetchall()
    return Rows(contents(database), audit)


def require_kept(before: Rows, after: Rows) -> None:
    """No row is lost or changed; rows were added only where a start adds some."""
    now = after.only(before).tables
    for name, kept in Rows(before.tables, []).only(before).tables.items():
        if name in ALIVE:
            assert [row for row in set(kept) - set(now[name]) if STATE not in row] == [], name
        else:
            assert now[name] == kept, name
    assert after.audit[: len(before.audit)] == before.audit


def compared(before: Rows, after: Rows) -> list[str]:
    """A line for each table: rows and digest before and after, over the columns that were there before."""
    now = after.only(before)
    old = before.only(before)
    lines = []
    for name in sorted(old.tables):
        counts = f"{len(old.tables[name]):>5} → {len(now.tables[name]):<5}"
        lines.append(f"  {name:20} {counts} {_digest(old.tables[name])} → {_digest(now.tables[name])}")
    prefix = [str(row) for row in now.audit[: len(old.audit)]]
    counts = f"{len(old.audit):>5} → {len(now.audit):<5}"
    audit = _digest([str(row) for row in old.audit])
    lines.append(f"  {'audit_log':20} {counts} {audit} → {_digest(prefix)} (the first {len(prefix)})")
    return lines


def _digest(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]
