"""What a version does for a run as itself (`work.py`): which file it reads to its end, and when."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import FakeClock
from tests.store.old_databases import old_database
from waiaas.core.journal import FORMAT, Event
from waiaas.core.layout import Layout, ProgramLayout
from waiaas.host.files import Files
from waiaas.host.host import Host
from waiaas.host.http import Network
from waiaas.host.processes import Processes
from waiaas.host.program import Program
from waiaas.host.sqlite import connect_live
from waiaas.upgrade import work


class Place:
    """An old database, and the journal of the run that migrates it."""

    def __init__(self, folder: Path) -> None:
        data, clock = folder / "data", FakeClock()
        self.layout = Layout(data, data / "waiaas.db", data / "config.toml")
        self.program = ProgramLayout(folder / "waiaas")
        self.program.base.mkdir()
        data.mkdir()
        old_database(self.layout.database, 15)
        self.host = Host(clock, Files(), Network({}, clock), Processes({}), Program(None), {})

    def migrate(self, change: Callable[[dict[str, Any]], None] = lambda facts: None) -> None:
        facts = work.migrate(self.host, self.layout)
        change(facts)
        events = [Event("opened", 1.0, facts={"run": "r", "format": FORMAT}), Event("intent", 2.0, "migrate")]
        events.append(Event("done", 3.0, "migrate", facts))
        self.program.journal.write_bytes(b"".join(event.encode() for event in events))

    def write(self) -> None:
        with closing(connect_live(self.layout.database)) as connection:
            connection.execute("UPDATE schema_version SET description = 'x' WHERE version = 16")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were read to their end."""
    found: list[Path] = []
    real = work.problems

    def problems(path: Path) -> list[str]:
        found.append(path)
        return real(path)

    monkeypatch.setattr(work, "problems", problems)
    return found


def verified(place: Place) -> Any:
    return work.verify(place.host, place.layout, place.program)


def test_the_file_that_was_checked_is_not_read_again__PRF_11(place: Place, read: list[Path]) -> None:
    place.migrate()
    assert verified(place)["problems"] == []
    assert read == []


def test_a_file_that_was_written_to_since_is_read_to_its_end__UPGR_12(place: Place, read: list[Path]) -> None:
    place.migrate()
    place.write()
    assert verified(place)["problems"] == []
    assert read == [place.layout.database]


def test_rows_in_a_wal_are_read_to_their_end__UPGR_12(place: Place, read: list[Path]) -> None:
    place.migrate()
    with closing(connect_live(place.layout.database)) as connection:
        connection.execute("UPDATE schema_version SET description = 'x' WHERE version = 16")
        verified(place)
    assert read == [place.layout.database]


def test_another_file_of_that_name_is_read_to_its_end__UPGR_12(place: Place, read: list[Path]) -> None:
    place.migrate()
    other = place.layout.database.with_name("other")
    other.write_bytes(place.layout.database.read_bytes())
    other.replace(place.layout.database)
    verified(place)
    assert read == [place.layout.database]


def test_a_version_that_does_not_say_what_it_checked_is_not_believed__UPGR_12(
    place: Place, read: list[Path]
) -> None:
    place.migrate(lambda facts: facts.pop(work.CHECKED))
    verified(place)
    assert read == [place.layout.database]


def test_without_a_run_the_database_is_read_to_its_end__UPGR_12(place: Place, read: list[Path]) -> None:
    work.migrate(place.host, place.layout)
    verified(place)
    assert read == [place.layout.database]
