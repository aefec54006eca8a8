"""Columns and tables as values, and the SQL they stand for. The values are in `tables`."""

from functools import partial

from waiaas.core.value import field, frozen

OLDEST = 10  # the oldest schema we describe


@frozen
class Column:
    """`among`: the values its CHECK allows; `later`: those that a later schema added to them."""

    name: str
    type: str = "TEXT"
    null: bool = False
    key: str = ""  # "PRIMARY KEY", with AUTOINCREMENT where meant; "UNIQUE"
    default: str | int | None = None
    among: tuple[str | int, ...] = ()
    later: tuple[int, tuple[str, ...]] = (OLDEST, ())
    references: str = ""
    since: int = OLDEST

    def sql(self, schema: int) -> str:
        # a text primary key accepts NULL in SQLite, and the original declares it so
        not_null = "" if self.null or self.key.startswith("PRIMARY") else "NOT NULL"
        parts = (
            self.name,
            self.type,
            self.key,
            not_null,
            "" if self.default is None else f"DEFAULT {literal(self.default)}",
            self._check(schema),
            self.references and f"REFERENCES {self.references}",
        )
        return " ".join(part for part in parts if part)

    def _check(self, schema: int) -> str:
        since, more = self.later
        allowed = self.among + (more if schema >= since else ())
        if not allowed:
            return ""
        words = f"{self.name} IN ({', '.join(literal(value) for value in allowed)})"
        return f"CHECK ({self.name} IS NULL OR {words})" if self.null else f"CHECK ({words})"


text = Column
optional = partial(Column, null=True)
number = partial(Column, type="INTEGER")
moment = partial(Column, type="INTEGER", null=True)  # Unix seconds, or never
flag = partial(Column, type="INTEGER", among=(0, 1))
identity = partial(Column, key="PRIMARY KEY")


@frozen
class Table:
    """`indexes`: name -> its columns; the names in `unique` are unique ones."""

    name: str
    columns: tuple[Column, ...]
    indexes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unique: str = ""
    since: int = OLDEST

    def sql(self, schema: int) -> list[str]:
        """CREATE TABLE and its CREATE INDEX statements, as of that schema."""
        body = ", ".join(column.sql(schema) for column in self.columns if column.since <= schema)
        return [f"CREATE TABLE {self.name} ({body})", *self.index_sql()]

    def index_sql(self) -> list[str]:
        return [
            f"CREATE {'UNIQUE ' if name == self.unique else ''}INDEX {name}"
            f" ON {self.name} ({', '.join(columns)})"
            for name, columns in self.indexes.items()
        ]


def literal(value: str | int) -> str:
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"
