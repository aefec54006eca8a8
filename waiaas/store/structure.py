"""What a database looks like, as a set of sentences that can be compared (MIG-05, MIG-07).

Column order and the wording of the CREATE text do not count: real files of schema 16 come in three
column orders. Everything is read through PRAGMAs, but the CHECKs, which only the text tells.
"""

from collections.abc import Collection, Iterator

from waiaas.host.sqlite import Connection
from waiaas.store.sqltext import checks, tokens

Facts = frozenset[str]
COLUMNS = 'SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_xinfo(?)'
FOREIGN_KEYS = 'SELECT "table", "from", "to", on_update, on_delete FROM pragma_foreign_key_list(?)'
INDEXES = 'SELECT name, "unique", origin, partial FROM pragma_index_list(?)'
INDEX_COLUMNS = 'SELECT name, "desc", coll FROM pragma_index_xinfo(?) WHERE key'
BINDING = ("check ", "foreign key ", "unique ")  # what may not be there if it is not expected


def facts(connection: Connection, tables: Collection[str] = ()) -> Facts:
    """One sentence for each table, column, key, constraint and index; of these `tables` alone, if any."""
    found = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*'"
    ).fetchall()
    return frozenset(
        sentence
        for row in found
        if not tables or row["name"] in tables
        for sentence in _table(connection, str(row["name"]), str(row["sql"]))
    )


def differences(actual: Facts, expected: Facts) -> list[str]:
    """What stands against `actual` serving as `expected`; extra tables, columns and indexes do not."""
    tables = {sentence.split()[1] for sentence in expected if sentence.startswith("table ")}
    missing = [f"missing: {sentence}" for sentence in expected - actual]
    unwanted = [
        f"not expected: {sentence}"
        for sentence in actual - expected
        if sentence.startswith(BINDING) and _subject(sentence) in tables
    ]
    return sorted(missing + unwanted)


def _subject(sentence: str) -> str:
    return next(sentence[len(prefix) :] for prefix in BINDING if sentence.startswith(prefix)).split()[0]


def _table(connection: Connection, name: str, sql: str) -> Iterator[str]:
    yield f"table {name}"
    for row in connection.execute(COLUMNS, (name,)):
        null = "not null" if row["notnull"] else "null"
        default = " ".join(token.text for token in tokens(str(row["dflt_value"])))
        yield f"column {name} {row['name']} {row['type'].upper()} {null} default {default} key {row['pk']}"
    for row in connection.execute(FOREIGN_KEYS, (name,)):
        yield (
            f"foreign key {name} {row['from']} -> {row['table']} {row['to']}"
            f" on update {row['on_update']} on delete {row['on_delete']}"
        )
    words = tokens(sql)
    yield from (f"check {name} {expression}" for expression in checks(words))
    yield from _indexes(connection, name)
    if "autoincrement" in (token.text for token in words):
        yield f"autoincrement {name}"


def _indexes(connection: Connection, name: str) -> Iterator[str]:
    for row in connection.execute(INDEXES, (name,)):
        rows = connection.execute(INDEX_COLUMNS, (row["name"],))
        columns = " ".join(f"{part['name']} {part['desc']} {part['coll']}" for part in rows)
        unique = "unique" if row["unique"] else "plain"
        if row["origin"] == "c":
            yield f"index {name} {row['name']} {unique} partial {row['partial']} on {columns}"
        elif row["origin"] == "u":
            yield f"unique {name} {columns}"
