"""Large databases: backup, migrations of old schemas (PRF-9, 11b)."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from table import MEGABYTES, Row, Shop, clocked, copied, ratio, seconds

from tests.journeys.api import schema
from tests.journeys.workshop import Site
from tests.store.old_databases import old_database

ROW_BYTES = 1000
N = 3
FILL = """
WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < ?)
INSERT INTO transactions (id, wallet_id, chain, type, amount, created_at, metadata, network)
SELECT 'bench-' || i, 'w1', 'solana', 'TRANSFER', '1', i, hex(randomblob(?)), 'devnet' FROM n
"""


def backup(shop: Shop) -> Iterator[Row]:
    site = large_site(shop, 16)
    ours, theirs = [], []
    for _ in range(N):
        ours.append(clocked(lambda: site.ok("backup", "create")))
        theirs.append(copied(site.database, site.folder / "copy"))
        shutil.rmtree(site.data / "backups")
    size = site.database.stat().st_size
    yield _row("backup with check, digest, fsync", size, ours, theirs, 4.0, "≤ 4×")
    shutil.rmtree(site.folder)


def migrations(shop: Shop) -> Iterator[Row]:
    runs = [_migrated(large_site(shop, 11)) for _ in range(N)]
    size, ours, theirs = runs[0][0], [run[1] for run in runs], [run[2] for run in runs]
    yield _row("`db migrate`, schema 11 → 16, with backup", size, ours, theirs, 6.0, "aim ≤ 6×")


def _migrated(site: Site) -> tuple[int, float, float]:
    """Size in bytes, seconds of the migration, seconds of a copy; the site goes away."""
    size, copying = site.database.stat().st_size, copied(site.database, site.folder / "copy")
    took = clocked(lambda: site.ok("db", "migrate"))
    assert schema(site.database) == 16
    shutil.rmtree(site.folder)
    return size, took, copying


def large_site(shop: Shop, version: int, artefact: Path | None = None, feed_url: str = "") -> Site:
    """A site of the previous implementation's shape with a database of MEGABYTES."""
    site = shop.site(artefact, feed_url or "http://127.0.0.1:9/")
    site.ok("init")
    site.database.unlink()
    fill(old_database(site.database, version), MEGABYTES)
    site.database.chmod(0o600)
    return site


def fill(database: Path, megabytes: int) -> None:
    """Rows of about a kilobyte, until the file has that size; afterwards the WAL is empty, and nothing is
    left to be written that would be measured with what comes."""
    wanted, done = megabytes * 1000, 0
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        while done < wanted:
            step = min(50_000, wanted - done)
            connection.execute(FILL, (done, done + step - 1, ROW_BYTES // 2))
            done += step
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with database.open("rb") as written:
        os.fsync(written.fileno())


def _row(what: str, size: int, ours: list[float], theirs: list[float], limit: float, budget: str) -> Row:
    told, yardstick = f"{what}, {size / 1e6:.0f} MB", f"`cp` + fsync {seconds(theirs)}"
    return Row(told, seconds(ours), yardstick, ratio(ours, theirs), limit, budget, N)
