"""CREATE texts are compared and edited by their tokens, however they are written."""

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waiaas.store.schema import connect_memory
from waiaas.store.sqltext import checks, tokens, with_name, with_value_allowed
from waiaas.store.tables import NETWORKS, TABLES, ddl

WORDS = st.lists(
    st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1), min_size=1, unique=True
)
LONG = """create table "T" ( -- a ' in a comment
  a TEXT /* CHECK (b IN ('no')) */ check(  "a"  IN( 'x''y' , 'IN (' ) ) )"""


def literal(word: str) -> str:
    return "'" + word.replace("'", "''") + "'"


def test_spelling_does_not_count_and_values_do__MIG_05() -> None:
    assert checks(tokens(LONG)) == checks(tokens("CREATE TABLE t (a TEXT CHECK (a IN ('IN (', 'x''y')))"))
    assert checks(tokens(LONG)) != checks(tokens("CREATE TABLE t (a TEXT CHECK (a IN ('IN (', 'X''y')))"))


@given(WORDS, st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1))
def test_widening_allows_exactly_one_value_more__MIG_02(words: list[str], more: str) -> None:
    text = f"CREATE TABLE t (a TEXT CHECK (a IN ({', '.join(map(literal, words))})))"
    wide = with_value_allowed(text, "a", more.replace("'", "''"))
    assert with_value_allowed(wide, "a", more.replace("'", "''")) == wide
    with closing(connect_memory()) as connection:
        connection.execute(wide)
        for word in (*words, more):
            connection.execute("INSERT INTO t (a) VALUES (?)", (word,))
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute("INSERT INTO t (a) VALUES (?)", ("".join(words) + more + "?",))


@pytest.mark.parametrize("text", ["CREATE TABLE t (a TEXT)", "CREATE TABLE t (a TEXT CHECK (a > 1))", ""])
def test_a_text_without_the_check_is_not_guessed_at__MIG_02(text: str) -> None:
    with pytest.raises(ValueError, match="no CHECK"):
        with_value_allowed(text, "a", "x")


def test_a_new_name_leaves_the_references_alone__MIG_02() -> None:
    text = with_name('CREATE TABLE "t" (id TEXT, up TEXT REFERENCES t(id))', "new_t")
    assert text == 'CREATE TABLE "new_t" (id TEXT, up TEXT REFERENCES t(id))'


@given(st.text())
def test_tokens_never_fail_and_lose_nothing_but_space_and_comments__MIG_05(text: str) -> None:
    assert all(text[token.start : token.end] for token in tokens(text))


@pytest.mark.parametrize("version", range(10, 17))
def test_the_schema_has_the_tables_and_indexes_it_should__MIG_01(version: int) -> None:
    statements = ddl(version)
    indexes = sum(statement.split(" (")[0].count("INDEX ") for statement in statements)
    expected = {10: (11, 32), 15: (13, 33), 16: (15, 34)}.get(version, (12, 32))
    assert (len(statements) - indexes, indexes) == expected
    assert len(NETWORKS) == 13
    assert len({table.name for table in TABLES}) == len(TABLES) == 15
