"""The migrations, in order (MIG-02). Each is a module with VERSION, DESCRIPTION and `apply`.

`apply(connection, now)` runs inside the transaction that also records its row, with foreign keys
off, and commits nothing itself; `now` is in Unix seconds. What it finds done already it leaves
alone, so that a half-applied step can be completed (MIG-07). Never `SELECT *`, never an INSERT
without its columns: the order of columns differs between real files.
"""

from typing import Protocol

from waiaas.host.sqlite import Connection
from waiaas.store.migrations import m12, m13, m14, m15, m16


class Migration(Protocol):
    VERSION: int
    DESCRIPTION: str

    def apply(self, connection: Connection, now: int) -> None: ...


MIGRATIONS: tuple[Migration, ...] = (m12, m13, m14, m15, m16)
