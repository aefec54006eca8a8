"""What a checking child prints, and what the daemon makes of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waiaas.core.check import CheckOutcome

TEXT = st.none() | st.text()
WITHDRAWN = st.none() | st.fixed_dictionaries({"reason": TEXT, "to": TEXT, "severity": TEXT})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["latest", "error"]), inner),
)


@given(st.builds(CheckOutcome, st.text(), WITHDRAWN, TEXT))
def test_what_is_written_is_read(outcome: CheckOutcome) -> None:
    assert CheckOutcome.from_json(outcome.to_json()) == outcome


@pytest.mark.parametrize("document", [None, [], "latest", {}, {"latest": 5}, {"latest": None, "error": None}])
def test_anything_but_a_result_is_a_failed_check__VCHK_03(document: object) -> None:
    outcome = CheckOutcome.from_json(document)
    assert outcome.latest is None
    assert outcome.error


@given(JSON)
def test_no_document_makes_it_raise__VCHK_03(document: object) -> None:
    outcome = CheckOutcome.from_json(document)
    assert outcome.latest is not None or outcome.error is not None
