"""Which schemas are served, and the words for those that are not (CMPT-01..03)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waiaas import __version__
from waiaas.core.compat import (
    LATEST_SCHEMA_VERSION,
    MIN_COMPATIBLE_SCHEMA_VERSION,
    SCHEMAS,
    Migrate,
    Ready,
    TooNew,
    TooOld,
    assess,
    require_compatible,
)
from waiaas.core.errors import Exit, SchemaIncompatible


def line(release: str) -> tuple[int, int]:
    """`1.8.0-rc.1` -> (1, 8)."""
    major, minor = release.split(".")[:2]
    return int(major), int(minor)


def test_the_oldest_schema_served_is_that_of_three_minors_back__CMPT_01() -> None:
    first_of_line: dict[tuple[int, int], int] = {}
    for schema, releases in sorted(SCHEMAS.items()):
        for release in releases:
            first_of_line.setdefault(line(release), schema)
    lines = sorted(first_of_line.keys() | {line(__version__)})
    three_back = lines[lines.index(line(__version__)) - 3]
    assert first_of_line[three_back] == MIN_COMPATIBLE_SCHEMA_VERSION


def test_the_table_is_complete_and_ascending__CMPT_01() -> None:
    assert list(SCHEMAS) == list(range(min(SCHEMAS), LATEST_SCHEMA_VERSION + 1))
    releases = [tuple(map(int, release.split("."))) for group in SCHEMAS.values() for release in group]
    assert releases == sorted(set(releases))


@given(st.integers(min_value=-5, max_value=100))
def test_every_schema_gets_exactly_one_verdict__CMPT_01(schema: int) -> None:
    verdict = assess(schema)
    if schema > 16:
        assert isinstance(verdict, TooNew)
    elif schema == 16:
        assert verdict == Ready(16)
    elif schema >= 11:
        assert verdict == Migrate(schema, tuple(range(schema + 1, 17)))
    else:
        assert isinstance(verdict, TooOld)


@pytest.mark.parametrize("schema", range(11, 17))
def test_what_can_be_served_is_not_refused__CMPT_01(schema: int) -> None:
    require_compatible(schema)


@pytest.mark.parametrize(("schema", "author"), [(17, "a newer WAIaaS"), (62, "WAIaaS 2.15.0")])
def test_a_newer_database_says_upgrade_and_how_to_roll_back__CMPT_02(schema: int, author: str) -> None:
    with pytest.raises(SchemaIncompatible) as caught:
        require_compatible(schema)
    refused = caught.value
    assert (refused.exit_code, refused.code) == (Exit.SCHEMA, "schema-too-new")
    assert "upgrade your WAIaaS" in refused.message
    assert author in refused.message
    assert "`waiaas upgrade`" in refused.hint
    assert "`waiaas upgrade --rollback`" in refused.hint


@pytest.mark.parametrize("schema", [0, 1, 9, 10])
def test_an_older_database_names_the_real_versions_on_the_way__CMPT_03(schema: int) -> None:
    with pytest.raises(SchemaIncompatible) as caught:
        require_compatible(schema)
    refused = caught.value
    assert (refused.exit_code, refused.code) == (Exit.SCHEMA, "schema-too-old")
    assert "first upgrade to 1.5.3, then to 1.8.0" in refused.message
    known = {release for group in SCHEMAS.values() for release in group}
    assert set(re.findall(r"\d+\.\d+\.\d+", refused.message + refused.hint)) <= known
    assert ("1.4.8" in refused.message) is (schema == 10)
