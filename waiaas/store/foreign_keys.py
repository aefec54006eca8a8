"""References that point nowhere: those that were there before are reported, new ones are failures."""

from collections import Counter

from waiaas.host.sqlite import Connection

Violation = tuple[str, int | None, str, int]  # table, its row id, the table referred to, which key
Violations = frozenset[Violation]


def violations(connection: Connection) -> Violations:
    """Every row whose reference points nowhere, in the whole database."""
    rows = connection.execute('SELECT "table", rowid, parent, fkid FROM pragma_foreign_key_check')
    return frozenset((row[0], row[1], row[2], row[3]) for row in rows)


def summary(found: Violations) -> str:
    """`3 in transactions -> wallets, 1 in …`, the most frequent first."""
    counted = Counter((table, parent) for table, _, parent, _ in found)
    return ", ".join(f"{count} in {table} -> {parent}" for (table, parent), count in counted.most_common())
