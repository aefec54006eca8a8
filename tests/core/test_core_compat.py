"""Which schemas are served, and the words for those that are not (CMPT-01..03)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waiaas import __version__
from waiaas.core.compat import (
    FIRST_SCHEMA,
    LATEST_SCHEMA_VERSION,
    MIN_COMPATIBLE_SCHEMA_VERSION,
    SCHEMAS,
    Migrate,
    Ready,
    TooNew,
    TooOld,
    assess,
    oldest_served,
)
from waiaas.core.errors import Exit, SchemaIncompatible
from waiaas.core.incompatible import require_compatible

WRITTEN_BY = {release: schema for schema, group in SCHEMAS.items() for release in group}
RELEASES = list(WRITTEN_BY)
SERVED = range(MIN_COMPATIBLE_SCHEMA_VERSION, LATEST_SCHEMA_VERSION + 1)
TABLE = {schema: group for schema, group in SCHEMAS.items() if schema <= 16}  # what 1.8.0 was built with


@pytest.mark.parametrize(
    ("release", "oldest"),
    [
        *(("1.8.0-rc.1", 11), ("1.8.0", 11), ("1.8.17", 11), ("1.9.0-rc.1", 15), ("1.9.0", 15)),
        *(("1.10.3", 16), ("1.11.0", 16), ("1.40.0", 16), ("2.0.0", 15), ("2.1.0", 16), ("2.4.0", 16)),
        *(("1.7.0", 11), ("1.6.0", 11), ("1.0.0", 11), ("0.1.0", 11)),
    ],
)
def test_the_oldest_schema_served_is_that_of_three_minors_back__CMPT_01(release: str, oldest: int) -> None:
    """Nobody has to raise a number when a release pull request makes a new minor or major."""
    assert oldest_served(release, TABLE) == oldest


def test_this_version_serves_what_the_table_says__CMPT_01() -> None:
    assert oldest_served(__version__, SCHEMAS) == MIN_COMPATIBLE_SCHEMA_VERSION <= LATEST_SCHEMA_VERSION


def test_a_new_schema_is_left_behind_when_its_minor_is__CMPT_01() -> None:
    """17 came with 1.9.0, nothing with 1.10 to 1.12, 18 with 1.13.0 and 19 before any release had it."""
    later = {**TABLE, 17: ("1.9.0", "1.9.1"), 18: ("1.13.0",), 19: ()}
    expected = {"1.11.0": 16, "1.12.0": 17, "1.13.0": 17, "1.15.0": 17, "1.16.0": 18, "2.0.0": 16}
    assert {release: oldest_served(release, later) for release in expected} == expected


@given(st.sampled_from(RELEASES), st.integers(0, 3), st.integers(0, 20))
def test_what_the_last_three_minors_wrote_is_served__CMPT_01(old: str, later: int, patch: int) -> None:
    major, minor, _ = map(int, old.split("."))
    assert oldest_served(f"{major}.{minor + later}.{patch}", SCHEMAS) <= max(WRITTEN_BY[old], FIRST_SCHEMA)


def test_the_table_is_complete_and_ascending__CMPT_01() -> None:
    assert list(SCHEMAS) == list(range(min(SCHEMAS), LATEST_SCHEMA_VERSION + 1))
    numbers = [tuple(map(int, release.split("."))) for release in RELEASES]
    assert numbers == sorted(set(numbers))


def test_every_schema_but_the_newest_names_its_releases__CMPT_03() -> None:
    unnamed = [schema for schema, group in SCHEMAS.items() if not group and schema != LATEST_SCHEMA_VERSION]
    assert unnamed == [14], "write down in compat.py which releases had the schema: git tag --contains"


@given(st.integers(min_value=-5, max_value=100))
def test_every_schema_gets_exactly_one_verdict__CMPT_01(schema: int) -> None:
    verdict = assess(schema)
    if schema > LATEST_SCHEMA_VERSION:
        assert isinstance(verdict, TooNew)
    elif schema == LATEST_SCHEMA_VERSION:
        assert verdict == Ready(schema)
    elif schema >= MIN_COMPATIBLE_SCHEMA_VERSION:
        assert verdict == Migrate(schema, tuple(range(schema + 1, LATEST_SCHEMA_VERSION + 1)))
    else:
        assert isinstance(verdict, TooOld)


@pytest.mark.parametrize("schema", SERVED)
def test_what_can_be_served_is_not_refused__CMPT_01(schema: int) -> None:
    require_compatible(schema)


@pytest.mark.parametrize(
    ("schema", "author"), [(LATEST_SCHEMA_VERSION + 1, "a newer WAIaaS"), (62, "WAIaaS 2.15.0")]
)
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
    first, last = re.findall(r"first upgrade to (\S+), then to ([^;]+);", refused.message)[0]
    assert WRITTEN_BY[first] in SERVED
    assert last == __version__
    assert set(re.findall(r"\d+\.\d+\.\d+\S*\b", refused.message + refused.hint)) <= {*RELEASES, __version__}
    assert ("1.4.8" in refused.message) is (schema == 10)
