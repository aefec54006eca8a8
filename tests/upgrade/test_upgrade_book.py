"""Journal and history on disk (UPGR-06, UPGR-08)."""

from pathlib import Path

import pytest

from tests.fakes import FakeClock
from waiaas.core.layout import ProgramLayout
from waiaas.host.files import Files
from waiaas.upgrade.book import Book


@pytest.fixture
def book(tmp_path: Path) -> Book:
    layout = ProgramLayout(tmp_path / "waiaas")
    layout.base.mkdir()
    return Book(layout, Files(), FakeClock())


def opened(book: Book) -> None:
    book.write("opened", facts={"run": "r1", "format": 1, "from": "1.8.0", "to": "1.9.0", "dataDir": "/d"})


def test_a_closed_run_moves_into_the_history_once__UPGR_08(book: Book) -> None:
    opened(book)
    book.write("committed")
    state = book.open_run()
    assert state is not None
    book.close(state)
    book.close(state)
    assert [run["outcome"] for run in book.history()] == ["committed"]
    assert book.open_run() is None


def test_an_event_after_a_torn_line_is_not_swallowed__UPGR_06(book: Book) -> None:
    opened(book)
    with book.layout.journal.open("ab") as stream:
        stream.write(b'{"event": "int')
    book.write("committed")
    state = book.open_run()
    assert state is not None
    assert state.committed


def test_an_unreadable_line_of_the_history_is_passed_over__UPGR_08(book: Book) -> None:
    book.layout.history.write_bytes(b'{"run": "a"}\nbroken\n{"run": "b"}\n')
    assert [run["run"] for run in book.history()] == ["a", "b"]
