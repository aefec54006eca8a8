"""The journal: a wire format that survives torn lines and adds up to one state (UPGR-06, UPGR-13)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waiaas.core.errors import RollbackFailed
from waiaas.core.journal import FORMAT, Event, decode, fold, record, to_roll_back

STEPS = ("check", "stop", "backup", "swap", "migrate", "verify", "start")
OPENED = Event("opened", 1.0, facts={"run": "r1", "format": FORMAT, "from": "1.8.0", "to": "1.9.0"})

facts = st.dictionaries(
    st.text(min_size=1, max_size=8),
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    max_size=4,
)
events = st.builds(
    Event,
    st.sampled_from(("intent", "done", "failed", "attempt", "undone", "committed", "closed")),
    st.floats(0, 4e9, allow_nan=False).map(lambda t: round(t, 3)),
    st.sampled_from(STEPS),
    facts,
)


def encoded(*written: Event) -> bytes:
    return b"".join(event.encode() for event in written)


@given(st.lists(events, max_size=20))
def test_what_was_written_is_read_back__UPGR_06(written: list[Event]) -> None:
    assert decode(encoded(OPENED, *written)) == [OPENED, *written]


@given(st.lists(events, max_size=8), st.integers(0, 400))
def test_a_power_cut_anywhere_leaves_the_events_before_it__UPGR_06(written: list[Event], cut: int) -> None:
    content = encoded(OPENED, *written)
    survived = decode(content[: len(content) - min(cut, len(content))])
    assert survived == [OPENED, *written][: len(survived)]


@given(st.lists(events, max_size=20))
def test_folding_never_fails_and_undoes_only_what_began__UPGR_06(written: list[Event]) -> None:
    state = fold([OPENED, *written])
    assert state is not None
    begun = [event.step for event in written if event.name == "intent"]
    assert {step.name for step in state.to_undo} <= set(begun)
    assert record(state)["run"] == "r1"


def test_steps_are_undone_newest_first__UPGR_07() -> None:
    written = [Event("intent", 2, step) for step in STEPS[:4]]
    state = fold([OPENED, *written, Event("undone", 3, "swap")])
    assert state is not None
    assert [step.name for step in state.to_undo] == ["backup", "stop", "check"]


def test_facts_of_intent_and_result_are_joined__UPGR_06() -> None:
    state = fold(
        [OPENED, Event("intent", 2, "stop", {"running": True}), Event("done", 3, "stop", {"pid": 7})]
    )
    assert state is not None
    assert state.facts_of("stop") == {"running": True, "pid": 7}


def test_a_broken_line_in_the_middle_is_refused_and_not_guessed__UPGR_06() -> None:
    with pytest.raises(RollbackFailed, match="cannot be read"):
        decode(OPENED.encode() + b"garbage\n" + Event("committed", 2).encode())


def test_a_journal_of_a_newer_format_is_left_alone__UPGR_13() -> None:
    newer = Event("opened", 1.0, facts={"run": "r1", "format": FORMAT + 1})
    with pytest.raises(RollbackFailed, match="newer version"):
        fold([newer])


def test_a_journal_without_a_plan_is_refused__UPGR_06() -> None:
    with pytest.raises(RollbackFailed, match="plan"):
        fold([Event("intent", 1.0, "stop")])


def closed(
    run: str, kind: str = "upgrade", outcome: str = "committed", undoes: str | None = None
) -> dict[str, object]:
    return {"run": run, "kind": kind, "outcome": outcome, "undoes": undoes, "dataDir": "/d"}


def test_a_second_rollback_goes_one_run_further_back__UPGR_04() -> None:
    history = [closed("a"), closed("b"), closed("rb", "rollback", undoes="b")]
    found = to_roll_back(history, "/d")
    assert found is not None
    assert found["run"] == "a"
    assert to_roll_back([*history, closed("ra", "rollback", undoes="a")], "/d") is None


def test_failed_runs_and_other_data_directories_are_not_rolled_back__UPGR_04() -> None:
    assert to_roll_back([closed("a", outcome="rolled-back")], "/d") is None
    assert to_roll_back([closed("a")], "/other") is None
