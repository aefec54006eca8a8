"""Which backups may go: never the newest, never a needed one, never by name (BKUP-2)."""

from hypothesis import given
from hypothesis import strategies as st

from waiaas.core.retention import Kept, newest_first, removable

ITEMS = st.lists(
    st.builds(Kept, st.floats(0, 4e9), st.uuids().map(str)), unique_by=lambda kept: kept.id, max_size=12
)


@given(ITEMS, st.integers(-2, 8), st.data())
def test_what_goes_is_old_enough_and_not_needed__BKUP_2(
    items: list[Kept], keep: int, data: st.DataObject
) -> None:
    needed = set(data.draw(st.lists(st.sampled_from([kept.id for kept in items]))) if items else [])
    gone = removable(items, keep, needed)
    ranked = newest_first(items)
    assert not set(gone) & set(ranked[: max(keep, 1)])
    assert not {kept.id for kept in gone} & needed
    left = [kept for kept in ranked if kept not in gone]
    assert len(left) <= max(keep, 1) + len(needed)
    assert gone == sorted(gone)


def test_ten_is_younger_than_nine_when_it_was_made_later__BKUP_2() -> None:
    nine, ten = Kept(1.0, "pre-upgrade-1.9.0-x"), Kept(2.0, "pre-upgrade-1.10.0-x")
    assert removable([nine, ten], 1) == [nine]
    assert newest_first([nine, ten]) == [ten, nine]
